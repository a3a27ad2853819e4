/**
 * The three steps in a world where everything that may go wrong does: see simulation/simulation.ts for the model, invariants.ts for
 * what must hold. A seed stands for a whole run. More of them: npm run simulate -- --seeds N.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultNames } from './simulation/faults.ts';
import { catchMutation, common, mutatedSteps, mutations } from './simulation/mutations.ts';
import { planOf } from './simulation/plan.ts';
import { describeFailure, shortestFailure } from './simulation/shrink.ts';
import { simulate } from './simulation/simulation.ts';
import { realSteps } from './simulation/steps.ts';

/** pipeline.simulation.integration.ts goes on behind them. */
const seeds = 200;

describe('the simulated pipeline', () => {
  /** How often each kind of deed and of fault happened. */
  const happened = new Map<string, number>();
  let publications = 0;
  const count = (what: string) => happened.set(what, (happened.get(what) ?? 0) + 1);

  it(`keeps every promise in ${seeds} runs`, async () => {
    for (let seed = 0; seed < seeds; seed += 1) {
      const plan = planOf(seed);
      const outcome = await simulate(plan, { steps: realSteps });
      if (outcome.violation !== undefined) assert.fail(describeFailure(plan, await shortestFailure(plan, realSteps)));
      for (const { kind } of plan.deeds) count(kind);
      for (const fault of outcome.faults) count(fault.split(/:| at /)[0] ?? '');
      publications += outcome.publications;
    }
  });

  it('had everything happen in them', () => {
    const deeds = [
      'upload',
      'delete',
      'rename',
      'reindex',
      'summarize',
      'switch-formats',
      'change-rules',
      'step-clock',
      'foreign-index',
      'foreign-page',
      'vanish',
      'return',
      'confirm',
    ];
    for (const what of [...deeds, 'old-package', 'old-index', ...faultNames])
      assert.ok((happened.get(what) ?? 0) >= 10, `${what} happened ${happened.get(what) ?? 0} times`);
    assert.ok(publications > seeds, `${publications} publications`);
  });

  it('runs the same way again', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const [first, second] = [
        await simulate(planOf(seed), { steps: realSteps, traces: true }),
        await simulate(planOf(seed), { steps: realSteps, traces: true }),
      ];
      assert.ok(first.trace.length > 0);
      assert.deepEqual(second.trace, first.trace);
    }
  });

  describe('finds, within a hundred runs, that', () => {
    for (const [mutation, { seedsMax = common }] of Object.entries(mutations)) {
      if (seedsMax > common) continue;
      it(mutation, async () => assert.ok(await catchMutation(mutation, { knownFirst: true }), 'it was not found'));
    }
  });

  it('shows what it found by the shortest trace, and how to see it again', async () => {
    const mutation = 'summarize treats a lost race as done';
    const caught = await catchMutation(mutation, { knownFirst: true });
    assert.ok(caught);
    const plan = planOf(caught.seed);
    const failure = await shortestFailure(plan, await mutatedSteps(mutation));
    const text = describeFailure(plan, failure, mutation);
    assert.ok(failure.plan.deeds.length < plan.deeds.length, text);
    assert.equal(failure.outcome.violation?.invariant, caught.violation.invariant);
    assert.match(text, /^seed \d+: the index is the fold of the bucket: All\/pkg_summary/);
    assert.match(text, /put All\/pkg_summary\.\w+ .* → (?:lost-race|conflict|takes effect, answered as lost)\n/);
    assert.ok(text.endsWith(`\nagain: npm run simulate -- --seeds 1 --seed ${caught.seed} --mutation '${mutation}'`));
  });
});
