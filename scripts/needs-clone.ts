/** In the package, in place of scripts/aws/deploy-stack.ts and destroy-stack.ts: the AWS CDK is larger than everything else. */

import { CannotRun } from '../functions/failures.ts';

export async function deployStack(): Promise<never> {
  throw needsClone('deploy');
}

export async function destroyStack(): Promise<never> {
  throw needsClone('destroy');
}

function needsClone(command: string): CannotRun {
  const args = process.argv
    .slice(3)
    .map((arg) => (/^[\w./:@=+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  const line = ['npm ci && npm run', command, ...(args.length === 0 ? [] : ['--', ...args])].join(' ');
  return new CannotRun(
    `${command} needs the AWS CDK, which is not in this package: in a clone of the repository, run ${line}`,
  );
}
