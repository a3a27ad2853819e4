/** `npm run torture -- --uploads 1000 --kills 50 --load 5000`: the crash, disk and load tests of `serve`, at that size. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    /** Changes by 8 clients in all, while it is killed so often. */
    uploads: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '50' },
    /** Uploads by 64 clients, beside 64 readers. */
    load: { type: 'string', default: '5000' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d{0,5}$/.test(value)) continue;
  console.error(`torture: --${name}: expected a number from 1 to 999999, found ${value}`);
  process.exit(2);
}

const files = ['crash', 'disk', 'load'].map((name) =>
  fileURLToPath(new URL(`${name}.integration.ts`, import.meta.url)),
);
const { uploads, kills, load } = values;
const env = { ...process.env, TORTURE_UPLOADS: uploads, TORTURE_KILLS: kills, TORTURE_LOAD: load };
const args = ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files];
const [exitCode] = await once(spawn(process.execPath, args, { env, stdio: 'inherit' }), 'exit');
process.exitCode = Number(exitCode ?? 1);
