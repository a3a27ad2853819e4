/**
 * Imported first by a command: what is imported later, on demand, is kept compiled from one start to the next, which is half of the
 * time that a short command takes. Beside the code, not below the system's directory for temporary files: there, any
 * user could put something in its place. Where it cannot be written, nothing is kept.
 */

import { accessSync, constants } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const modules = join(import.meta.dirname, '../node_modules');

try {
  accessSync(modules, constants.W_OK);
  const { directory } = enableCompileCache(join(modules, '.cache/compiled'));
  // Threads look for it there.
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
} catch {
  // Another user's installation, or a read-only one.
}
