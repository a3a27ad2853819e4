/** Loaded before a program: as long as the file FULL_DISK is there, what it writes through a file handle finds no room. */

import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';

const { FULL_DISK: sign = '' } = process.env;
const handle = await open(process.execPath);
const prototype = Object.getPrototypeOf(handle) as { writeFile(...args: unknown[]): Promise<void> };
await handle.close();

const { writeFile } = prototype;
prototype.writeFile = async function (...args: unknown[]): Promise<void> {
  if (existsSync(sign))
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  await writeFile.apply(this, args);
};
