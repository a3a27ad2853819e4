/** A plan that fails → the least of it that fails the same way, and its trace. */

import type { Violation } from './invariants.ts';
import type { Plan, Setting } from './plan.ts';
import { type Outcome, simulate, wordsFor } from './simulation.ts';
import type { Steps } from './steps.ts';

interface Failure {
  readonly plan: Plan;
  readonly suppressed: ReadonlySet<string>;
  readonly outcome: Outcome;
}

/** Each saves some of the work of reading a trace. */
const simplerSettings: readonly Partial<Setting>[] = [
  { rowsPerPage: Number.POSITIVE_INFINITY },
  { objectsPerPage: 1000 },
  { hintsPerBatch: 1 },
  { extractCopies: 1 },
  { extractCopies: 2 },
  { summarizeCopies: 1 },
  { summarizeCopies: 2 },
  { store: 'directory' },
  { formats: ['gz'] },
];

/** Leaves out deeds and faults, the larger parts first, as long as it goes on to fail. Some hundred simulations. */
export async function shortestFailure(plan: Plan, steps: Steps): Promise<Failure> {
  let failure: Failure = { plan, suppressed: new Set(), outcome: await simulate(plan, { steps }) };
  const invariant = failure.outcome.violation?.invariant;
  if (invariant === undefined) throw new Error(`expected seed ${plan.seed} to fail, and it does not`);

  async function accept(candidate: Omit<Failure, 'outcome'>): Promise<boolean> {
    const outcome = await simulate(candidate.plan, { steps, suppressed: candidate.suppressed });
    if (outcome.violation?.invariant !== invariant) return false;
    failure = { ...candidate, outcome };
    return true;
  }
  const withoutDeeds = (ids: ReadonlySet<string>) => {
    const deeds = failure.plan.deeds.filter(({ id }) => !ids.has(id));
    return accept({ ...failure, plan: { ...failure.plan, deeds } });
  };
  const withoutFaults = (names: ReadonlySet<string>) =>
    accept({ ...failure, suppressed: new Set([...failure.suppressed, ...names]) });

  for (let before = -1; before !== sizeOf(failure); ) {
    before = sizeOf(failure);
    await leaveOut(() => failure.plan.deeds.map(({ id }) => id), withoutDeeds);
    await leaveOut(() => failure.outcome.faults, withoutFaults);
    for (const simpler of simplerSettings) {
      const setting = { ...failure.plan.setting, ...simpler };
      await accept({ ...failure, plan: { ...failure.plan, setting } });
    }
  }
  const outcome = await simulate(failure.plan, { steps, suppressed: failure.suppressed, traces: true });
  return { ...failure, outcome };
}

function sizeOf({ plan, outcome }: Failure): number {
  return plan.deeds.length + outcome.faults.length;
}

/** Tries to do without all, without halves, quarters …, and without each. */
async function leaveOut(
  names: () => readonly string[],
  succeeds: (without: ReadonlySet<string>) => Promise<boolean>,
): Promise<void> {
  for (let length = names().length; length >= 1; length = Math.floor(length / 2)) {
    for (let start = 0; start < names().length; ) {
      const without = new Set(names().slice(start, start + length));
      if (!(await succeeds(without))) start += length;
    }
  }
}

/** What a person needs to see of it. */
export function describeFailure(original: Plan, { plan, outcome }: Failure, mutation?: string): string {
  const { violation, faults, trace } = outcome;
  const { seed, setting } = plan;
  return [
    `seed ${seed}: ${(violation as Violation).message}`,
    '',
    `${plan.deeds.length} of ${original.deeds.length} deeds are enough:`,
    ...plan.deeds.map((deed) => `  ${deed.at} ms  ${deed.id}: ${wordsFor(deed)}`),
    faults.length === 0 ? 'no fault is needed' : 'faults:',
    ...faults.map((fault) => `  ${fault}`),
    `${setting.store}, formats ${setting.formats.join(' ')}, extract ×${setting.extractCopies}, summarize ×${setting.summarizeCopies}, ` +
      `rows by ${setting.rowsPerPage}, hints visible again after ${setting.visibilityMilliseconds} ms, window ${setting.windowMilliseconds} ms`,
    'trace:',
    ...trace,
    '',
    `again: npm run simulate -- --seeds 1 --seed ${seed}${mutation === undefined ? '' : ` --mutation '${mutation}'`}`,
  ].join('\n');
}
