/** `serve DIR`: the indexer and a web server on one machine. A package lands in the directory; seconds later pkgin sees it. */

import type { Command } from 'commander';
import { followAll } from '../follow-directories.ts';
import { parseBytes, parseHost, parsePath, parsePort, parsePublicUrl } from '../terminal/argument-parsers.ts';
import { addWatchingOptions } from '../terminal/directory-options.ts';
import { endingForAll } from '../terminal/run-command.ts';
import { viewOption, viewTokenOption } from '../terminal/view-options.ts';

export function addCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('index a directory, watch it for changes, and serve it over HTTP')
    .argument('[dir]', 'directory with repositories at any depth', parsePath)
    .option('--host <address>', 'address to listen on', parseHost, '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8080)
    .option('--public-url <url>', 'URL of the server for clients (default: its address)', parsePublicUrl)
    .option('--upload-token <token>', 'permit uploads and deletions with this token')
    .option('--events-token <token>', 'accept events of a store at POST /-/events with this token (docs/stores.md)')
    .option(
      '--local-uploads',
      'permit uploads and deletions from this machine; never use it behind a proxy, where every client looks local',
    )
    .option('--no-overwrite', 'refuse uploads of packages that exist (409); they can still be deleted')
    .option('--upload-max <bytes>', 'largest upload (default: 4 GiB)', parseBytes)
    .addOption(viewOption('operations', 'the page /-/ and /-/status'))
    .addOption(viewTokenOption('operations'))
    .addOption(viewOption('metrics', '/-/metrics, for Prometheus'))
    .addOption(viewTokenOption('metrics'))
    .addOption(viewOption('health', '/-/healthz'))
    .addOption(viewTokenOption('health'))
    .option('--access-log', 'log each request: in the common log format, or as JSON with --log json');
  addWatchingOptions(command).action(endingForAll(followAll));
}
