import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Comparisons } from '../../../functions/adapters/local/comparisons.ts';

describe('Comparisons', () => {
  let comparisons: Comparisons;
  let compared: string[];
  beforeEach(() => {
    comparisons = new Comparisons();
    compared = [];
  });
  const run = async (onCompare: (prefix: string) => void = () => {}) => {
    await comparisons.run(async (prefix, what) => {
      compared.push(`${what} ${prefix}`);
      onCompare(prefix);
    });
  };

  for (const { what, directories = [], trees = [], expected } of [
    { what: 'nothing where nothing waits', expected: [] },
    { what: 'a directory once', directories: ['a/', 'b/', 'a/'], expected: ['directory a/', 'directory b/'] },
    {
      what: 'a directory beside those below it',
      directories: ['', 'a/', 'a/b/'],
      expected: ['directory ', 'directory a/', 'directory a/b/'],
    },
    {
      what: 'a tree instead of what is below it',
      directories: ['a/', 'a/b/', 'ab/'],
      trees: ['a/b/', 'a/', 'a/b/c/'],
      expected: ['tree a/', 'directory ab/'],
    },
    { what: 'the whole instead of everything', directories: ['', 'a/'], trees: ['a/', ''], expected: ['tree '] },
  ])
    it(`compares ${what}`, async () => {
      for (const prefix of directories) comparisons.addDirectory(prefix);
      for (const prefix of trees) comparisons.addTree(prefix);
      await run();
      assert.deepEqual(compared, expected);
      await run();
      assert.deepEqual(compared, expected);
    });

  it('compares again what is asked for during its comparison', async () => {
    comparisons.addDirectory('a/');
    await run((prefix) => comparisons.addDirectory(prefix));
    await run();
    assert.deepEqual(compared, ['directory a/', 'directory a/']);
  });

  it('compares everything else where one fails, throws, and compares that one again', async () => {
    for (const prefix of ['a/', 'b/']) comparisons.addDirectory(prefix);
    for (const prefix of ['c/', 'd/']) comparisons.addTree(prefix);
    const failing = (prefix: string) => {
      if (prefix === 'a/' || prefix === 'c/') throw new Error(`${prefix} fails`);
    };
    await assert.rejects(run(failing), /c\/ fails/);
    assert.deepEqual(compared, ['tree c/', 'tree d/', 'directory a/', 'directory b/']);
    compared = [];
    await run();
    assert.deepEqual(compared, ['tree c/', 'directory a/']);
  });
});
