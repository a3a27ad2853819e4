/** A few hundred cases. fuzz.integration.ts runs thousands, npm run fuzz any number. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isThorough } from '../thoroughness.ts';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

describe('fuzzing', () => {
  it('finds nothing in some cases, which reach every target', async () => {
    const { findings, outcomes } = await fuzz({ seed: 1, cases: isThorough ? 400 : 150, millisecondsMax: 10_000 });
    assert.deepEqual(findings, []);
    for (const { name } of targets)
      assert.ok(
        [...outcomes.keys()].some((outcome) => outcome.startsWith(`${name}: `)),
        `${name} was not reached`,
      );
    const codes = ['accepted', 'truncated', 'corrupt-compression', 'corrupt-archive', 'missing-metadata', 'rejected'];
    for (const code of codes)
      assert.ok(
        [...outcomes.keys()].some((outcome) => outcome.startsWith(`package: ${code}`)),
        `nothing was ${code}`,
      );
  });

  describe('notices', () => {
    const module = new URL('./planted-targets.ts', import.meta.url).href;
    // The time limit is short only where it must be exceeded: a busy machine takes a while to load a target.
    const planted = async (target: string, cases = 1, millisecondsMax = 20_000) =>
      (await fuzz({ seed: 1, cases, target, module, millisecondsMax })).findings;

    it('nothing where all is well', async () => assert.deepEqual(await planted('good', 20), []));
    it('what a target finds, with its input', async () => {
      assert.deepEqual(await planted('finding'), [
        { index: 0, message: 'a promise', input: Buffer.from('the input').toString('base64') },
      ]);
    });
    it('any other error', async () =>
      assert.match((await planted('crash'))[0]?.message ?? '', /TypeError: not a function/));
    it('an unhandled rejection', async () => {
      assert.match((await planted('late crash'))[0]?.message ?? '', /unhandled error: TypeError: unhandled rejection/);
    });
    it('what never ends, in a loop or waiting', async () => {
      for (const target of ['loop', 'never'])
        assert.deepEqual((await planted(target, 1, 500))[0]?.message, 'it takes more than 500 ms');
    });
  });
});
