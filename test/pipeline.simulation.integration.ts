/** What takes many runs: every single fault, every pair of crashes, races of several at the right moment. See pipeline.simulation.test.ts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catchMutation, common, mutations } from './simulation/mutations.ts';
import { plainPlans, planOf } from './simulation/plan.ts';
import { describeFailure, shortestFailure } from './simulation/shrink.ts';
import { type Outcome, simulate } from './simulation/simulation.ts';
import { realSteps } from './simulation/steps.ts';

function crashesOf({ possibleFaults }: Outcome): string[] {
  return possibleFaults.filter((fault) => fault.startsWith('crash '));
}

describe('the simulated pipeline', () => {
  it('keeps every promise in 3,500 runs', async () => {
    for (let seed = 0; seed < 3_500; seed += 1) {
      const plan = planOf(seed);
      const { violation } = await simulate(plan, { steps: realSteps });
      if (violation !== undefined) assert.fail(describeFailure(plan, await shortestFailure(plan, realSteps)));
    }
  });

  for (const [what, plan] of Object.entries(plainPlans)) {
    it(`with one fault at any call of any step: ${what}`, async () => {
      const { possibleFaults, violation } = await simulate(plan, { steps: realSteps, forced: new Set() });
      assert.equal(violation, undefined);
      assert.ok(possibleFaults.length > 200);
      for (const fault of possibleFaults) {
        const outcome = await simulate(plan, { steps: realSteps, forced: new Set([fault]), traces: true });
        assert.deepEqual(outcome.faults, [fault]);
        assert.equal(outcome.violation, undefined, [fault, ...outcome.trace].join('\n'));
      }
    });
  }

  for (const [what, plan] of Object.entries(plainPlans)) {
    it(`with a crash at any two calls of any step: ${what}`, async (context) => {
      let runs = 0;
      for (const first of crashesOf(await simulate(plan, { steps: realSteps, forced: new Set() }))) {
        const after = crashesOf(await simulate(plan, { steps: realSteps, forced: new Set([first]) }));
        for (const second of after.slice(after.indexOf(first) + 1)) {
          const { violation } = await simulate(plan, { steps: realSteps, forced: new Set([first, second]) });
          assert.equal(violation, undefined, `${first}, ${second}: ${violation?.message}`);
          runs += 1;
        }
      }
      context.diagnostic(`${runs} pairs`);
      assert.ok(runs > 1_000);
    });
  }

  for (const [mutation, { seedsMax = common }] of Object.entries(mutations)) {
    it(`finds within ${seedsMax} runs: ${mutation}`, async (context) => {
      const caught = await catchMutation(mutation, { knownFirst: true });
      assert.ok(caught, 'it was not found');
      context.diagnostic(`seed ${caught.seed}: ${caught.violation.invariant}`);
    });
  }
});
