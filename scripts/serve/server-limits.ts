/** The limits of the server as it runs: those of functions/limits.ts, some of which the command line and tests change. */

import type { serverLimits } from '../../functions/limits.ts';

export type ServerLimits = { readonly [Name in keyof typeof serverLimits]: number };
