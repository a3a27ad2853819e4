/**
 * `npm run pictures`: takes the pictures of README, of the real thing: docs/pictures. Needs Debian's chromium, and the `script` of
 * util-linux for a terminal.
 */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { settlingLimits } from '../../functions/adapters/local/settling.ts';
import type { ServiceStatus } from '../../functions/server/service-status.ts';
import { ServingIndexer, until } from '../local/indexer-process.ts';
import { badPackages, demonstrationPackages } from './demonstration.ts';
import { type TerminalCommand, terminalPicture } from './terminal-picture.ts';

const pictures = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const program = fileURLToPath(new URL('../../scripts/pkgsrc-indexer', import.meta.url));
const host = 'packages.example.org';
const terminalColumns = 100;

async function photographTerminal(place: string): Promise<void> {
  await mkdir(join(place, 'repository', 'All'), { recursive: true });
  for (const [file, bytes] of [...demonstrationPackages(), ...badPackages()])
    await writeFile(join(place, 'repository', 'All', file), bytes);
  await symlink(program, join(place, 'pkgsrc-indexer'));
  // `index` leaves out files that have just been written.
  await setTimeout(settlingLimits.settleMilliseconds + 500);
  const commands: TerminalCommand[] = [];
  for (const args of [
    'index repository',
    'status repository',
    'check repository',
    'explain repository/All/libevent-2.1.12.tgz',
  ]) {
    const command = `pkgsrc-indexer ${args}`;
    const shell = `stty cols ${terminalColumns} && ./${command}`;
    // An exit code of 1 is part of the picture: something is rejected.
    const { stdout } = await promisify(execFile)('script', ['-qc', shell, '/dev/null'], {
      cwd: place,
      env: {
        ...process.env,
        TERM: 'xterm-256color',
        NO_COLOR: undefined,
        FORCE_COLOR: '1',
        npm_lifecycle_event: undefined,
      },
    });
    commands.push({ command, output: stdout });
  }
  await writeFile(join(pictures, 'terminal.svg'), terminalPicture(commands, terminalColumns));
}

async function photographPages(directory: string): Promise<void> {
  await mkdir(join(directory, 'All'), { recursive: true });
  const indexer = await ServingIndexer.start(directory, ['--debounce', '0.5']);
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=MAP ${host} ${new URL(indexer.url).host}`],
  });
  try {
    await fillStepByStep(indexer.url, join(directory, 'All'));
    const page = await browser.newPage({ viewport: { width: 1_000, height: 560 } });
    await page.goto(`http://${host}/All/`);
    await page.getByText(/^\d+ packages$/).waitFor();
    await takePicture(page, 'packages');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 1_000, height: 900 });
    await page.goto(`http://${host}/-/`);
    await page.getByText(/^updated /).waitFor();
    await takePicture(page, 'operations');
  } finally {
    await browser.close();
    await indexer.interrupt();
  }
}

/** A few at a time, so that there is something to see of it. */
async function fillStepByStep(url: string, all: string): Promise<void> {
  for (let part = 0; part < 9; part += 1) {
    const before = await publicationsOf(url);
    await upload(
      url,
      demonstrationPackages((index) => index % 9 === part),
    );
    await until('the next publication', async () => ((await publicationsOf(url)) > before ? true : undefined));
  }
  // An upload of a bad package is refused, so these are copied in.
  for (const [file, bytes] of badPackages()) await writeFile(join(all, file), bytes);
  await until('both bad ones are rejected', async () => {
    const { repositories, queue } = await statusOf(url);
    return (repositories[0]?.rejected.length === 2 && queue.publications === 0) || undefined;
  });
}

async function upload(url: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [file, bytes] of files)
    await fetch(`${url}/All/${encodeURIComponent(file)}`, { method: 'PUT', body: Uint8Array.from(bytes) });
}

async function publicationsOf(url: string): Promise<number> {
  return (await statusOf(url)).counts.publications;
}

async function statusOf(url: string): Promise<ServiceStatus> {
  return (await (await fetch(`${url}/-/status`)).json()) as ServiceStatus;
}

async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled' });
}

const place = await mkdtemp(join(tmpdir(), 'pictures-'));
try {
  await mkdir(pictures, { recursive: true });
  await photographTerminal(place);
  await photographPages(join(place, 'served'));
} finally {
  await rm(place, { recursive: true, force: true });
}
