#!/usr/bin/env node
// The command of the installed package (dist/pkgsrc-indexer.cjs). It has to parse on any Node, so that an old one gets a sentence.
'use strict';
var version = process.versions.node.split('.').map(Number);
if (version[0] < 22 || version[0] === 23 || (version[0] === 22 && version[1] < 16)) {
  console.error(
    'pkgsrc-indexer: expected Node 22.16 or later, or 24 or later, found ' + process.versions.node + ' (' + process.execPath + ')'
  );
  process.exit(3);
}
// Node 22 warns of node:sqlite and of zstd.
var emitWarning = process.emitWarning;
process.emitWarning = function (warning, type) {
  if (type !== 'ExperimentalWarning') emitWarning.apply(process, arguments);
};
import('./indexer.js');
