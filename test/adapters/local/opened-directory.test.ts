import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { OpenedDirectory } from '../../../functions/adapters/local/opened-directory.ts';
import { CannotRun } from '../../../functions/failures.ts';

async function made(test: TestContext): Promise<string> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'opened-directory-')));
  test.after(() => rm(base, { recursive: true }));
  await mkdir(join(base, 'packages/All/.hidden'), { recursive: true });
  await symlink(join(base, 'packages/All'), join(base, 'link'));
  await symlink(join(base, 'packages'), join(base, 'linked-packages'));
  await symlink(join(base, 'packages/.kept'), join(base, 'hidden-link'));
  await mkdir(join(base, 'packages/.kept'));
  return base;
}

const open = (base: string, directory: string, state: string) =>
  OpenedDirectory.open({
    directory: join(base, directory),
    stateDirectory: join(base, state),
    onChange: () => {},
    onNotice: () => {},
  });

describe('a state directory that would be served is refused, and not made', () => {
  for (const [directory, state] of [
    ['packages', 'packages/state'],
    ['packages', 'packages/All/state'],
    ['packages', 'packages'],
    ['packages', 'link/state'],
    ['packages', 'link'],
    ['linked-packages', 'packages/state'],
    ['packages', 'linked-packages/state'],
    ['packages', 'packages/All/../state'],
  ] as const)
    it(`${state} for ${directory}`, async (test) => {
      const base = await made(test);
      await assert.rejects(open(base, directory, state), (error) => {
        assert.ok(error instanceof CannotRun);
        assert.match(
          error.message,
          /^the state directory \S+ is inside \S+, which is served: choose one outside, or one that begins with a dot$/,
        );
        return true;
      });
      assert.deepEqual((await readdir(join(base, 'packages'))).sort(), ['.kept', 'All']);
      assert.deepEqual(await readdir(join(base, 'packages/All')), ['.hidden']);
    });
});

describe('a state directory may be', () => {
  for (const [directory, state] of [
    ['packages', 'state'],
    ['packages', 'packages-state'],
    ['packages', 'packages/.state'],
    ['packages', 'packages/All/.hidden/state'],
    ['linked-packages', 'packages/.state'],
    ['packages', 'hidden-link'],
    ['packages', 'hidden-link/state'],
  ] as const)
    it(`${state} for ${directory}`, async (test) => {
      const base = await made(test);
      const opened = await open(base, directory, state);
      opened.release();
    });
});

describe('a state directory outside is for one directory', () => {
  it('another one, and one inside it, are refused while the first exists', async (test) => {
    const base = await made(test);
    await mkdir(join(base, 'other'));
    (await open(base, 'packages', 'state')).release();
    for (const directory of ['other', 'packages/All'])
      await assert.rejects(open(base, directory, 'state'), (error) => {
        assert.ok(error instanceof CannotRun);
        assert.match(
          error.message,
          /^the state directory \S+ is that of \S+\/packages: give \S+ another one, or remove \S+/,
        );
        return true;
      });
    (await open(base, 'packages', 'state')).release();
    await rename(join(base, 'packages'), join(base, 'renamed'));
    (await open(base, 'other', 'state')).release();
  });

  it('by whatever name, and wherever its name leads', async (test) => {
    const base = await made(test);
    (await open(base, 'packages', 'state')).release();
    (await open(base, 'linked-packages', 'state')).release();
    await mkdir(join(base, 'other'));
    await rm(join(base, 'linked-packages'));
    await symlink(join(base, 'other'), join(base, 'linked-packages'));
    (await open(base, 'linked-packages', 'state')).release();
  });

  it('one inside the directory is for the copy, too: it is copied along', async (test) => {
    const base = await made(test);
    (await open(base, 'packages', 'packages/.state')).release();
    await cp(join(base, 'packages'), join(base, 'copy'), { recursive: true });
    (await open(base, 'copy', 'copy/.state')).release();
  });
});
