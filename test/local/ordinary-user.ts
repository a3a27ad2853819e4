/** Everything is open to root: what others may not do has to be tried as somebody else. */

import { spawnSync } from 'node:child_process';

/** As spawn takes it. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

const nobody = { uid: 65_534, gid: 65_534 } as const;

/** Whoever runs the tests, unless that is root; a reason to skip where nobody else may run them. */
export function ordinaryUser():
  | { readonly user: User; readonly skip?: undefined }
  | { readonly user?: undefined; readonly skip: string } {
  if (process.geteuid?.() !== 0) return { user: {} };
  const { status } = spawnSync(process.execPath, ['--eval', '0'], nobody);
  return status === 0 ? { user: nobody } : { skip: 'the user nobody may not run the Node of this directory' };
}
