/** The command line as users run it: in a process of its own, without the credentials, profile or region of this machine. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const indexer = fileURLToPath(new URL('../../scripts/indexer.ts', import.meta.url));

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Every way to AWS is closed: no credentials, and a port where nobody listens in the place of each service and proxy. */
export const withoutAws = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  HTTPS_PROXY: 'http://127.0.0.1:1',
  HTTP_PROXY: 'http://127.0.0.1:1',
};

/**
 * @param command with its first arguments: `status`, `completion bash`
 * @param onOutput called whenever the process has written
 */
export async function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = withoutAws,
  onOutput: (child: ChildProcess, stdout: string) => void = () => undefined,
): Promise<Ran> {
  const words = command.split(' ').filter((word) => word !== '');
  const child = spawn(process.execPath, [indexer, ...words, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', CDK_VALIDATION: 'false', ...environment },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    onOutput(child, output.stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...output };
}
