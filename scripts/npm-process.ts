/** npm, as the one that runs this script, or else the one on the path. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Its standard output, whatever its exit code. What it says on standard error is about the machine's configuration: left out. */
export async function runNpm(args: readonly string[]): Promise<string> {
  const { npm_execpath: npm } = process.env;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const child = spawn(command ?? 'npm', [...first, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  return output;
}
