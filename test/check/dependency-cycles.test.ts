import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { complete, resolveDependencies } from '../../functions/check/dependencies.ts';
import { type DependencyCycle, findDependencyCycles } from '../../functions/check/dependency-cycles.ts';
import { runs } from '../thoroughness.ts';

type Package = { readonly name: string; readonly depends: readonly string[] };

function cyclesOf(packages: readonly Package[]): DependencyCycle[] {
  return complete(findDependencyCycles(packages, complete(resolveDependencies(packages))));
}

/** `{ a: 'b c' }`: a-1 needs b and c. */
function packagesOf(needs: Readonly<Record<string, string>>): Package[] {
  return Object.entries(needs).map(([name, depends]) => ({
    name: `${name}-1`,
    depends: depends
      .split(' ')
      .filter(Boolean)
      .map((base) => `${base}>=1`),
  }));
}

const cases: readonly (readonly [what: string, needs: Readonly<Record<string, string>>, expected: string])[] = [
  ['none', { a: 'b', b: 'c gone', c: '' }, ''],
  ['a package that needs itself', { a: 'b', b: 'b' }, 'b-1'],
  ['two that need each other', { a: 'b', b: 'a' }, 'a-1 b-1'],
  ['the shortest of several in one component', { a: 'b', b: 'c d', c: 'a', d: 'b' }, 'b-1 d-1 (4)'],
  ['itself is the shortest', { a: 'b', b: 'a b' }, 'b-1 (2)'],
  ['one of each component', { a: 'b', b: 'a', c: 'd a', d: 'c' }, 'a-1 b-1, c-1 d-1'],
  ['what leads to a cycle is no part of it', { x: 'a', a: 'b', b: 'c', c: 'a', y: '' }, 'a-1 b-1 c-1'],
];

describe('dependency cycles', () => {
  for (const [what, needs, expected] of cases) {
    test(what, () => {
      const found = cyclesOf(packagesOf(needs)).map(
        ({ names, packages }) => names.join(' ') + (packages === names.length ? '' : ` (${packages})`),
      );
      assert.equal(found.join(', '), expected);
    });
  }

  test('follow the package that a client selects', () => {
    const old = { name: 'a-1', depends: ['a-[0-9]*'] };
    assert.deepEqual(cyclesOf([old]), [{ names: ['a-1'], length: 1, packages: 1 }]);
    assert.deepEqual(cyclesOf([old, { name: 'a-2', depends: [] }]), []);
  });

  test('count a PKGNAME of several files once, with the dependencies of all', () => {
    const twice = [
      { name: 'a-1', depends: [] },
      { name: 'a-1', depends: ['b'] },
      { name: 'b-1', depends: ['a'] },
    ];
    assert.deepEqual(cyclesOf(twice), [{ names: ['a-1', 'b-1'], length: 2, packages: 2 }]);
  });

  test('are those that a search through all paths finds, and the shortest', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const needs = fc.tuple(...names.map(() => fc.subarray(names)));
    fc.assert(
      fc.property(needs, (needs) => {
        const graph = Object.fromEntries(names.map((name, index) => [name, needs[index]?.join(' ') ?? '']));
        const found = cyclesOf(packagesOf(graph));
        const expected = componentsOf(names, needs).map((component) => [
          component.length,
          Math.min(...component.map((name) => cycleLengthThrough(name, names, needs))),
        ]);
        assert.deepEqual(
          found.map(({ names, packages }) => [packages, names.length]),
          expected,
        );
        for (const { names: cycle } of found) {
          for (const [index, name] of cycle.entries()) {
            const next = cycle[(index + 1) % cycle.length]?.replace('-1', '') ?? '';
            assert.ok(graph[name.replace('-1', '')]?.split(' ').includes(next), cycle.join());
          }
        }
      }),
      { numRuns: runs(500) },
    );
  });

  test('are the first that was found once the limit is reached, and the shortest at the limit', () => {
    const packages = packagesOf({ a: 'b', b: 'c', c: 'a d', d: 'c' });
    const namesAt = (limit: number) =>
      complete(findDependencyCycles(packages, complete(resolveDependencies(packages)), limit)).map(({ names }) =>
        names.join(' '),
      );
    // From a: b, c, a. From b, no further than two: c, a, d. From c: a, d, b, c.
    assert.deepEqual(namesAt(3), ['a-1 b-1 c-1']);
    assert.deepEqual(namesAt(6), ['a-1 b-1 c-1']);
    assert.deepEqual(namesAt(7), ['c-1 d-1']);
  });

  const size = 30_000;
  const ring = Array.from({ length: size }, (_, index) => [(index + 1) % size]);
  const dense = Array.from({ length: size }, (_, index) =>
    [1, 2, 3, 5, 7, 11, 13, 17].map((step) => (index * step + step) % size),
  );
  const chain = Array.from({ length: size }, (_, index) => (index + 1 < size ? [index + 1] : []));
  for (const [what, needs] of [
    ['one ring', ring],
    ['one component with many cycles', dense],
    ['one long chain', chain],
  ] as const) {
    test(`are found in little time among ${size} packages: ${what}`, (context) => {
      const packages = needs.map((needed, index) => ({
        name: `p${index}-1`,
        depends: needed.map((other) => `p${other}>=1`),
      }));
      const resolutions = complete(resolveDependencies(packages));
      const started = process.cpuUsage();
      const cycles = complete(findDependencyCycles(packages, resolutions));
      const milliseconds = process.cpuUsage(started).user / 1_000;
      context.diagnostic(`${cycles.length} components, ${cycles[0]?.names.length} names, ${milliseconds} ms`);
      assert.equal(cycles.length, what === 'one long chain' ? 0 : 1);
      assert.ok(milliseconds < 5_000);
    });
  }
});

/** Names reachable from one, without itself unless it is in a cycle. */
function reachable(name: string, names: readonly string[], needs: readonly (readonly string[])[]): Set<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const needed of needs[names.indexOf(next)] ?? []) {
      if (found.has(needed)) continue;
      found.add(needed);
      waiting.push(needed);
    }
  }
  return found;
}

function componentsOf(names: readonly string[], needs: readonly (readonly string[])[]): string[][] {
  const from = new Map(names.map((name) => [name, reachable(name, names, needs)]));
  const cyclic = names.filter((name) => from.get(name)?.has(name));
  const groups = Map.groupBy(cyclic, (name) =>
    cyclic.filter((other) => from.get(name)?.has(other) && from.get(other)?.has(name)).join(),
  );
  return [...groups.values()];
}

function cycleLengthThrough(name: string, names: readonly string[], needs: readonly (readonly string[])[]): number {
  let layer = new Set([name]);
  for (let length = 1; length <= names.length; length += 1) {
    layer = new Set([...layer].flatMap((each) => needs[names.indexOf(each)] ?? []));
    if (layer.has(name)) return length;
  }
  return Number.POSITIVE_INFINITY;
}
