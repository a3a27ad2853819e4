/** Options on who may see what a server is doing: a switch and a token for each view. */

import { Option } from 'commander';
import { UsageError } from '../../functions/failures.ts';
import type { ViewName, ViewPermission, ViewPermissions } from '../../functions/server/site.ts';

type Switch = 'on' | 'token' | 'off';

export type ViewOptions = Readonly<Record<ViewName, Switch>> & {
  readonly [Name in `${ViewName}Token`]?: string;
};

export function viewOption(name: ViewName, what: string): Option {
  return new Option(`--${name} <who>`, `who may see ${what}: everyone, clients with the token, or no one`)
    .choices(['on', 'token', 'off'])
    .default('on');
}

export function viewTokenOption(name: ViewName): Option {
  return new Option(`--${name}-token <token>`, `the token for --${name} token`);
}

/** @throws {UsageError} where a token is missing, or would not be asked for. */
export function viewPermissions(options: Partial<ViewOptions>): ViewPermissions {
  const permissionOf = (name: ViewName): ViewPermission => {
    const { [name]: who = 'on', [`${name}Token` as const]: token } = options;
    if (who !== 'token' && token !== undefined)
      throw new UsageError(`--${name}-token protects nothing: it needs --${name} token, too`);
    if (who === 'off') return { who: 'nobody' };
    if (who === 'on') return { who: 'all' };
    if (token === undefined) throw new UsageError(`--${name} token needs --${name}-token TOKEN`);
    return { who: 'token', token };
  };
  return {
    operations: permissionOf('operations'),
    metrics: permissionOf('metrics'),
    health: permissionOf('health'),
  };
}
