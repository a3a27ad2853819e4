/**
 * Imported first by a command: what is imported later, on demand, is kept compiled from one start to the next, which is half of the
 * time that a short command takes. Beside the code, not below the system's directory for temporary files: there, any
 * user could put something in its place. Where it cannot be written, nothing is kept.
 */

import { accessSync, constants, existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';

const modules = join(import.meta.dirname, '../node_modules');
/** The installed package has no dependencies: there, the cache is beside its bundle. */
const place = existsSync(modules) ? join(modules, '.cache') : import.meta.dirname;

try {
  accessSync(existsSync(place) ? place : dirname(place), constants.W_OK);
  const { directory } = enableCompileCache(join(place, 'compiled'));
  // Threads look for it there.
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
} catch {
  // Another user's installation, or a read-only one.
}
