/**
 * `npm run audit [-- --strict]`: known vulnerabilities in the packages of package-lock.json, as the registry knows them. Not every
 * registry, or machine, can be asked: then that is said, and is a failure only with --strict.
 */

import { Command } from 'commander';
import { type ExitCode, exitCodes } from '../functions/failures.ts';
import { runNpm } from './npm-process.ts';
import { ending, runCommand } from './terminal/run-command.ts';

/** `npm audit --json`, format 2; or what npm prints where the registry did not answer it. */
interface AuditReport {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly metadata?: { readonly dependencies?: { readonly total?: number } };
  readonly message?: string;
}

interface Vulnerability {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  /** Advisories, and the names of vulnerable packages that it depends on. */
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

export interface Verdict {
  readonly outcome: 'clean' | 'vulnerable' | 'not asked';
  readonly lines: readonly string[];
}

export function verdictOf(output: string): Verdict {
  const report = parsed(output);
  const { auditReportVersion, vulnerabilities = {}, metadata, message } = report;
  if (auditReportVersion !== 2) {
    const reason = message ?? `expected the report of npm audit, found ${JSON.stringify(output.slice(0, 100))}`;
    return { outcome: 'not asked', lines: [`the registry was not asked for vulnerabilities: ${reason}`] };
  }
  const found = Object.values(vulnerabilities);
  if (found.length === 0)
    return {
      outcome: 'clean',
      lines: [`no known vulnerability in ${metadata?.dependencies?.total ?? 'all'} packages`],
    };
  return { outcome: 'vulnerable', lines: found.flatMap(describe) };
}

function parsed(output: string): AuditReport {
  try {
    return JSON.parse(output) as AuditReport;
  } catch {
    return {};
  }
}

function describe({ name, severity, range, via }: Vulnerability): string[] {
  const reasons = via.map((one) => (typeof one === 'string' ? `by ${one}` : `${one.title} ${one.url}`));
  return [`${name} ${range}: ${severity}`, ...reasons.map((reason) => `  ${reason}`)];
}

/** `not asked` is an end like any other, unless somebody relies on the answer. */
function exitCodeOf(outcome: Verdict['outcome'], isStrict: boolean): ExitCode {
  if (outcome === 'vulnerable') return exitCodes.rejected;
  return outcome === 'not asked' && isStrict ? exitCodes.couldNotRun : exitCodes.done;
}

async function audit({ strict = false }: { readonly strict?: boolean }): Promise<ExitCode> {
  const { outcome, lines } = verdictOf(await runNpm(['audit', '--json', '--audit-level=low']));
  for (const line of lines) console.log(line);
  return exitCodeOf(outcome, strict);
}

if (import.meta.main) {
  const program = new Command('audit')
    .description('Asks the registry for known vulnerabilities in the packages of package-lock.json.')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .option('--strict', 'fail, too, where the registry cannot be asked')
    .action(ending(audit));
  await runCommand(program);
}
