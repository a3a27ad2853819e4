import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { ReindexRequest } from '../../functions/lambda/compare-bucket.ts';
import type { Hint, ObjectKey } from '../../functions/ports.ts';
import { defaultRules, fingerprintOf } from '../../functions/record/rules.ts';
import { reindexLimits } from '../../functions/reindex.ts';
import { makePackage } from '../package-maker.ts';
import { hinted, logged, newWorld, valuesOf } from './lambda-world.ts';

// After the environment that they read.
const { compareBucket, compareLimits } = await import('../../functions/lambda/compare-bucket.ts');
const { followHints } = await import('../../functions/lambda/follow-hints.ts');

describe('reindex', () => {
  /** Runs the request and whatever goes on from it. `enough`: how often time is said to be enough in each invocation. */
  async function run(world: ReturnType<typeof newWorld>, prefixes: readonly string[], request: object, enough: number) {
    const sent: Hint[] = [];
    const hints = { send: async (some: readonly Hint[]) => void sent.push(...some) };
    const invocations: ReindexRequest[] = [];
    let next: ReindexRequest | undefined = request;
    for (;;) {
      invocations.push(next);
      next = undefined;
      const continueWith = async (rest: ReindexRequest) => {
        next = JSON.parse(JSON.stringify(rest));
      };
      let asked = 0;
      const getRemainingTimeInMillis = () => {
        asked += 1;
        return compareLimits.reserveMilliseconds - (asked > enough ? 1 : 0);
      };
      const ports = { ...world, hints, continueWith, prefixes };
      const counts = await compareBucket(ports, invocations.at(-1) ?? {}, { getRemainingTimeInMillis });
      if (next === undefined) return { counts, sent, invocations };
      assert.equal(counts.isComplete, false);
    }
  }

  function bucketOf(...keys: readonly ObjectKey[]) {
    const world = newWorld();
    for (const key of keys) world.objects.upload(key, Buffer.from('x'));
    return world;
  }

  const threeRepositories = ['a/x-1.tgz', 'a/y-1.tgz', 'b/z-1.tgz', 'c/x-1.tgz'];
  const always = Number.POSITIVE_INFINITY;

  it('compares the configured prefixes unless asked for another', async () => {
    const world = bucketOf(...threeRepositories);
    const configured = await run(world, ['a/', 'c/'], {}, always);
    assert.deepEqual(
      configured.sent.map(({ key }) => key),
      ['a/x-1.tgz', 'a/y-1.tgz', 'c/x-1.tgz'],
    );
    assert.deepEqual(configured.counts, { repositories: 2, packages: 3, hints: 3, isComplete: true });
    assert.deepEqual(world.changed, ['a', 'c']);
    const asked = await run(world, ['a/', 'c/'], { prefix: 'b/', force: true }, always);
    assert.deepEqual(asked.sent, [{ key: 'b/z-1.tgz', force: true }]);
  });

  it('has a change of --arch reach what is there, once', async () => {
    const world = newWorld();
    for (const arch of ['x86_64', 'aarch64'])
      world.objects.upload(`a/${arch}-1.tgz`, makePackage({ buildInfo: `MACHINE_ARCH=${arch}\n` }));
    const read = mock.method(world.objects, 'readRange');
    const states = async () => {
      const found: string[] = [];
      for await (const { file, state } of world.records.rows('a')) found.push(`${file} ${state}`);
      return found;
    };
    for (const [architectures, arm] of [
      [[], 'indexed'],
      [['x86_64'], 'rejected'],
      [['x86_64', 'aarch64'], 'indexed'],
    ] as const) {
      const changed = { ...world, rules: { architectures } };
      const { sent } = await run(changed, [''], {}, always);
      assert.deepEqual(sent, [{ key: 'a/aarch64-1.tgz' }, { key: 'a/x86_64-1.tgz' }]);
      await followHints(changed, hinted(...sent));
      assert.deepEqual(await states(), [`aarch64-1.tgz ${arm}`, 'x86_64-1.tgz indexed']);
      assert.deepEqual((await run(changed, [''], {}, always)).sent, []);
    }
    assert.equal(read.mock.callCount(), 2, 'each package was read once');
  });

  it('counts what does not fit together in each repository, and nothing where all does', async () => {
    const world = newWorld();
    const record = 'PKGNAME=x-1\nDEPENDS=gone>=1\nDEPENDS=away>=1\n\n';
    for (const [repository, file, text] of [
      ['a', 'x-1.tgz', record],
      ['a', 'y.tgz', record],
      ['b', 'z-1.tgz', 'PKGNAME=z-1\nMACHINE_ARCH=x86_64\nMACHINE_ARCH=vax\n\n'],
    ] as const) {
      const facts = {
        repository,
        file,
        etag: 'e',
        size: 1,
        lastModified: new Date(0),
        indexedAt: new Date(0),
        rules: fingerprintOf(defaultRules),
      };
      await world.records.putRow({ ...facts, state: 'indexed', record: Buffer.from(text), warnings: [] });
    }
    await run(world, [''], {}, always);
    assert.deepEqual(valuesOf('ForeignArchitectures'), [0, 1]);
    assert.deepEqual(valuesOf('DependencyCycles'), [0, 0]);
    assert.deepEqual(valuesOf('MissingDependencies'), [2, 0]);
    assert.deepEqual(valuesOf('MissingLibraries'), [0, 0]);
    assert.deepEqual(valuesOf('DuplicateNames'), [1, 0]);
    assert.deepEqual(valuesOf('DuplicatePaths'), [0, 0]);
  });

  it('goes on in a fresh invocation wherever its time ends: the same hints, once each, and the same counts', async () => {
    const many = Array.from({ length: 2 * reindexLimits.hintsPerSendMax + 1 }, (_, index) => `m/p-${index}.tgz`);
    for (const [prefixes, keys] of [
      [[''], threeRepositories],
      [['a/', 'b/', 'c/'], threeRepositories],
      [
        ['a/', 'm/'],
        [...many, 'a/x-1.tgz', 'n/out-1.tgz'],
      ],
    ] as const) {
      const whole = await run(bucketOf(...keys), prefixes, { force: true }, always);
      assert.equal(whole.invocations.length, 1);
      for (const enough of [0, 1, 2, 3]) {
        const world = bucketOf(...keys);
        const parts = await run(world, prefixes, { force: true }, enough);
        assert.deepEqual(parts.counts, whole.counts);
        assert.deepEqual(parts.sent, whole.sent);
        if (enough === 0) assert.ok(parts.invocations.length > 1);
        assert.deepEqual([...new Set(world.changed)].length, whole.counts.repositories);
      }
    }
  });

  it('goes on in a fresh invocation where its time ends between two prefixes', async () => {
    // Empty repositories: nothing to send, so that only the end of a prefix is left to stop at.
    const indexes = ['a/pkg_summary.gz', 'b/pkg_summary.gz', 'c/pkg_summary.gz'];
    const { counts, invocations } = await run(bucketOf(...indexes), ['a/', 'b/', 'c/'], {}, 0);
    assert.deepEqual(
      invocations.map(({ prefixes, after }) => [prefixes, after]),
      [
        [undefined, undefined],
        [['b/', 'c/'], undefined],
        [['c/'], undefined],
      ],
    );
    assert.deepEqual(counts, { repositories: 3, packages: 0, hints: 0, isComplete: true });
  });

  it('says so in a short line, however many files have the same name', async () => {
    const world = newWorld();
    const facts = { etag: '', size: 1, lastModified: new Date(0), indexedAt: new Date(0), rules: '' };
    for (let number = 0; number < 1_200; number += 1) {
      const record = Buffer.from(`PKGNAME=${number % 2 === 0 ? 'a' : 'b'}-1.0\n\n`);
      const file = `a-file-with-a-longer-name-${number}.tgz`;
      await world.records.putRow({ ...facts, repository: 'All', file, state: 'indexed', record, warnings: [] });
    }
    await run(world, [''], {}, always);
    const lines = logged.filter(({ message }) => message === 'checked');
    assert.deepEqual(
      lines.map(({ duplicateNames }) => duplicateNames),
      [2],
    );
    assert.ok(logged.every((line) => JSON.stringify(line).length < 1_000));
  });

  it('counts packages whose keys have an empty part, once, and says so', async () => {
    const world = bucketOf('a//x-1.tgz', 'a/x-1.tgz', 'b/x-1.tgz', 'b//y-1.tgz');
    for (const enough of [0, always]) {
      logged.length = 0;
      const { counts } = await run(world, ['a/', 'b/'], {}, enough);
      assert.deepEqual(counts.unusable, { packages: 2, first: 'a//x-1.tgz' });
      const warnings = logged.filter(({ level }) => level === 'WARN');
      assert.deepEqual(
        warnings.map(({ packages, first }) => [packages, first]),
        [[2, 'a//x-1.tgz']],
      );
    }
  });

  it('ends after so many invocations, and says what to do', async () => {
    const keys = Array.from({ length: compareLimits.roundsMax + 1 }, (_, index) => `r${index + 10}/x-1.tgz`);
    await run(bucketOf(...keys.slice(1)), [''], {}, 1);
    await assert.rejects(run(bucketOf(...keys), [''], {}, 1), /within 15 invocations, stopped at .*"r24".* --prefix/);
  });
});
