import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SqliteRecords } from '../../functions/adapters/local/sqlite-records.ts';
import { CannotRun } from '../../functions/failures.ts';
import { SurveyThread } from '../../functions/server/survey-thread.ts';

describe('the thread that looks repositories through', () => {
  let directory: string;
  let records: SqliteRecords;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'survey-'));
    await mkdir(join(directory, 'All'));
    await writeFile(join(directory, 'All', 'waits-1.tgz'), 'x');
    records = SqliteRecords.open({ file: join(directory, '.indexer', 'records.sqlite') }).table;
    const facts = { file: 'a-1.tgz', etag: 'e', size: 1, lastModified: new Date(0), indexedAt: new Date(0) };
    const record = Buffer.from('PKGNAME=a-1\nDEPENDS=gone>=1\n\n');
    for (const repository of ['All', 'Other'])
      await records.putRow({ ...facts, repository, state: 'indexed', record, warnings: ['not-installable'] });
  });
  after(async () => {
    records.close();
    await rm(directory, { recursive: true });
  });

  it('answers each question, while the table is open for writing here', async () => {
    const thread = new SurveyThread({ directory, stateDirectory: join(directory, '.indexer') });
    const [other, all, nothing] = await Promise.all(['Other', 'All', 'None'].map((name) => thread.survey(name)));
    assert.deepEqual([other?.repository, other?.pending], ['Other', ['Other/a-1.tgz']]);
    assert.deepEqual(all?.pending, ['All/a-1.tgz', 'All/waits-1.tgz']);
    assert.equal(all?.consistency?.missingDependencies[0]?.pattern, 'gone>=1');
    assert.deepEqual([nothing?.packages, nothing?.pending], [0, []]);

    await records.deleteRow('All', 'a-1.tgz');
    assert.equal((await thread.survey('All')).packages, 0, 'what was written since is seen');
    await thread.close();
  });

  it('tells in a sentence what it could not look at, and answers the next question', async () => {
    const thread = new SurveyThread({ directory: join(directory, 'nothing'), stateDirectory: directory });
    const isSentence = (error: Error) =>
      error instanceof CannotRun && /nothing: there is no such file or directory$/.test(error.message);
    await assert.rejects(thread.survey('All'), isSentence);
    await assert.rejects(thread.survey('All'), isSentence);
    await thread.close();
  });

  it('gives no answer any more once it is closed', async () => {
    const thread = new SurveyThread({ directory, stateDirectory: directory });
    const refused = assert.rejects(thread.survey('All'), /the server is stopping/);
    await thread.close();
    await refused;
  });
});
