/** The command line, without the credentials, profile or region of this machine. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadProgram } from '../../scripts/program.ts';
import { runCommand } from '../../scripts/terminal/run-command.ts';

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
 * As users run it, in a process of its own.
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
    env: environmentOf(environment),
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

/**
 * In this process, which takes a tenth of the time. One at a time: it replaces the console and the environment. What a command
 * writes to the streams themselves is not seen.
 */
export async function runHere(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = withoutAws,
): Promise<Ran> {
  const before = { env: process.env, exitCode: process.exitCode, isTTY: process.stdin.isTTY };
  const output = { stdout: '', stderr: '' };
  mock.method(console, 'log', (text: string) => (output.stdout += `${text}\n`));
  mock.method(console, 'error', (text: string) => (output.stderr += `${text}\n`));
  process.env = environmentOf(environment);
  process.exitCode = 0;
  process.stdin.isTTY = false;
  try {
    const all = [...command.split(' ').filter((word) => word !== ''), ...args];
    await runCommand(await loadProgram(all), all);
    return { exitCode: Number(process.exitCode), ...output };
  } finally {
    Object.assign(process, { env: before.env, exitCode: before.exitCode });
    process.stdin.isTTY = before.isTTY;
    mock.restoreAll();
  }
}

function environmentOf(environment: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: '/nonexistent', CDK_VALIDATION: 'false', ...environment };
}
