import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SqliteRecords, tableLimits } from '../../../functions/adapters/local/sqlite-records.ts';
import type { IndexedRow, RecordTable, Repository } from '../../../functions/ports.ts';
import { ManualClock } from '../manual-clock.ts';
import { indexedRow, recordTableContract } from '../record-table.contract.ts';

async function openInTemporaryDirectory() {
  const directory = await mkdtemp(join(tmpdir(), 'sqlite-records-'));
  const changes: Repository[] = [];
  const { table } = SqliteRecords.open({
    file: join(directory, 'records.sqlite'),
    onChange: (repository) => changes.push(repository),
  });
  const close = async () => {
    table.close();
    await rm(directory, { recursive: true });
  };
  return { table, changes, close };
}

recordTableContract('SqliteRecords', openInTemporaryDirectory, { changeStream: 'at hand' });

describe('SqliteRecords', () => {
  let directory: string;
  let file: string;
  const { repository } = indexedRow('a');

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sqlite-records-'));
    file = join(directory, 'state/records.sqlite');
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function filesOf(table: RecordTable): Promise<string[]> {
    const files: string[] = [];
    for await (const row of table.rows(repository)) files.push(row.file);
    return files;
  }
  /** Leaves a table with rows behind, closed. */
  async function makeTable(rows = 1): Promise<void> {
    const { table } = SqliteRecords.open({ file });
    for (let index = 0; index < rows; index += 1) {
      await table.putRow(indexedRow(`package-${String(index).padStart(4, '0')}`, { record: Buffer.alloc(1000, 'x') }));
    }
    table.close();
  }
  /** A file that some program made by SQLite. */
  function makeForeign(sql: string): void {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  }

  it('writes all rows of a batch or none, and reports those that changed', async () => {
    const changed: (string | undefined)[] = [];
    const { table } = SqliteRecords.open({ file, onChange: (_, each) => changed.push(each) });
    assert.equal(table.isEmpty, true);
    await table.markAdopted(repository);
    makeForeign(
      "CREATE TRIGGER break BEFORE INSERT ON records WHEN NEW.file = 'b' BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    const changes = ['a', 'b', 'c'].map((name) => ({ repository, file: name, row: indexedRow(name) }));
    await assert.rejects(table.writeAll(changes), /no room/);
    assert.deepEqual([await filesOf(table), changed], [[], []]);
    makeForeign('DROP TRIGGER break');
    await table.writeAll([...changes, { repository, file: 'never there', row: undefined }]);
    await table.writeAll([{ repository, file: 'b', row: undefined }]);
    assert.deepEqual(
      [await filesOf(table), changed],
      [
        ['a', 'c'],
        ['a', 'b', 'c', 'b'],
      ],
    );
    assert.equal(table.isEmpty, false);
    table.close();
  });

  it('counts rows by their state', async () => {
    const { table } = SqliteRecords.open({ file });
    assert.deepEqual(table.countRows(repository), { indexed: 0, rejected: 0 });
    const { record: _, warnings: __, ...facts } = indexedRow('a') as IndexedRow;
    await table.putRow({ ...facts, state: 'rejected', reason: { code: 'empty', message: '' } });
    for (const name of ['c', 'b']) await table.putRow(indexedRow(name));
    assert.deepEqual(table.countRows(repository), { indexed: 2, rejected: 1 });
    await table.putRow(indexedRow('a'));
    assert.deepEqual(table.countRows(repository), { indexed: 3, rejected: 0 });
    assert.deepEqual(table.countRows('other'), { indexed: 0, rejected: 0 });
    table.close();
  });

  describe('finds files', () => {
    const names = ['libpng-1.6', 'png-1.6', 'png2html-1', 'png-tools-2', 'a_b-1', 'axb-1', '50%-1', 'PNGcrush-1'];
    for (const [words, found] of [
      [['png'], ['png-1.6', 'PNGcrush-1', 'png-tools-2', 'png2html-1', 'libpng-1.6']],
      [
        ['PNG', '1.6'],
        ['png-1.6', 'libpng-1.6'],
      ],
      [['a_b'], ['a_b-1']],
      [['50%'], ['50%-1']],
      [['nosuch'], []],
      [
        ['png', 'p', 'n', 'g', 'ignored'],
        ['png-1.6', 'PNGcrush-1', 'png-tools-2', 'png2html-1', 'libpng-1.6'],
      ],
    ] as const)
      it(`with ${words.join(' and ')}`, async () => {
        const { table } = SqliteRecords.open({ file });
        for (const name of names) await table.putRow({ ...indexedRow(name), file: `${name}.tgz` });
        const files = table.findFiles(words, 10).map((each) => each.file.replace('.tgz', ''));
        assert.deepEqual(files, found);
        assert.equal(table.findFiles(words, 1).length, Math.min(1, found.length));
        table.close();
      });
  });

  it('tells of files once the repository is adopted, and of anything before', async () => {
    const told: (string | undefined)[] = [];
    const { table } = SqliteRecords.open({ file, onChange: (_, changed) => told.push(changed) });
    await table.putRow(indexedRow('a'));
    await table.markAdopted(repository);
    await table.putRow(indexedRow('b'));
    await table.deleteRow(repository, 'a');
    await table.requestSummary(repository);
    table.close();
    assert.deepEqual(told, [undefined, 'b', 'a', undefined]);
  });

  it('has no repository that was forgotten', async () => {
    const { table } = SqliteRecords.open({ file });
    for (const name of ['gone', 'kept', 'with rows']) await table.takeRun(name);
    await table.putRow(indexedRow('a', { repository: 'with rows' }));
    for (const name of ['gone', 'with rows', 'never known']) await table.forget(name);
    const known: string[] = [];
    for await (const name of table.repositories()) known.push(name);
    assert.deepEqual(known, ['kept', 'with rows']);
    table.close();
  });

  describe('while another process writes', () => {
    const writes: Record<string, (table: SqliteRecords) => Promise<unknown>> = {
      'a row': (table) => table.putRow(indexedRow('a')),
      'the removal of a row': (table) => table.deleteRow(repository, 'b'),
      'a run number': (table) => table.takeRun(repository),
      'a mark': (table) => table.markAdopted(repository),
      'a repository to forget': (table) => table.forget(repository),
    };
    for (const [what, write] of Object.entries(writes)) {
      it(`${what} waits for it, and the event loop does not`, async () => {
        const clock = new ManualClock();
        const { table } = SqliteRecords.open({ file, clock });
        const other = new DatabaseSync(file);
        other.exec('BEGIN IMMEDIATE');
        let isDone = false;
        const begun = performance.now();
        const writing = write(table).then(() => {
          isDone = true;
        });
        assert.ok(performance.now() - begun < 1_000, 'it blocked');
        for (let count = 0; count < 5; count += 1) await clock.advance(100);
        assert.equal(isDone, false);
        other.exec('COMMIT');
        await clock.advance(1_000);
        await writing;
        other.close();
        table.close();
      });
    }

    it('gives up after a limit', async () => {
      const clock = new ManualClock();
      const { table } = SqliteRecords.open({ file, clock });
      const other = new DatabaseSync(file);
      other.exec('BEGIN IMMEDIATE');
      let failure: unknown;
      void table.putRow(indexedRow('a')).catch((error) => {
        failure = error;
      });
      for (let waited = 0; waited < tableLimits.busyMillisecondsMax; waited += 100) {
        assert.equal(failure, undefined, `after ${waited} ms`);
        await clock.advance(100);
      }
      await clock.advance(1_000);
      assert.match(String(failure), /database is locked/);
      other.close();
      table.close();
    });
  });

  it('keeps everything from one opening to the next', async () => {
    const first = SqliteRecords.open({ file });
    assert.equal(first.rebuilt, false);
    await first.table.putRow(indexedRow('a'));
    await first.table.takeRun(repository);
    await first.table.markAdopted(repository);
    first.table.close();

    const second = SqliteRecords.open({ file });
    assert.equal(second.rebuilt, false);
    assert.deepEqual(await filesOf(second.table), ['a']);
    assert.equal(await second.table.lastRun(repository), 1);
    assert.equal((await second.table.state(repository)).isAdopted, true);
    second.table.close();
    assert.deepEqual(await readdir(join(directory, 'state')), ['records.sqlite']);
  });

  for (const rows of [tableLimits.rowsPageMax, tableLimits.rowsPageMax + 1, 2 * tableLimits.rowsPageMax]) {
    it(`gives ${rows} rows, whatever the page`, async () => {
      await makeTable(rows);
      const { table } = SqliteRecords.open({ file });
      const files = await filesOf(table);
      assert.equal(new Set(files).size, rows);
      assert.deepEqual(files, [...files].sort());
      table.close();
    });
  }

  describe('a file that cannot be used is set aside', () => {
    const damages: Record<string, { because: string; damage: () => Promise<void> | void }> = {
      'that is no database': { because: 'damaged', damage: () => writeFile(file, 'a text\n'.repeat(1000)) },
      'whose pages were overwritten': {
        because: 'damaged',
        damage: async () => {
          const { size } = await stat(file);
          const handle = await open(file, 'r+');
          await handle.write(Buffer.alloc(size - 8192, 0x5a), 0, size - 8192, 8192);
          await handle.close();
        },
      },
      'with another byte in a record': {
        because: 'damaged',
        damage: async () => {
          const bytes = await readFile(file);
          bytes.write('y', bytes.lastIndexOf('xxxxxxxx'));
          await writeFile(file, bytes);
        },
      },
      'whose end is missing': {
        because: 'damaged',
        damage: async () => writeFile(file, (await readFile(file)).subarray(0, 4096)),
      },
      'that ends within its header': {
        because: 'damaged',
        damage: async () => writeFile(file, (await readFile(file)).subarray(0, 50)),
      },
      'of an older version': { because: 'of another version', damage: () => makeForeign('PRAGMA user_version = 0') },
      'of a newer version': { because: 'of another version', damage: () => makeForeign('PRAGMA user_version = 99') },
      'of another program': {
        because: 'of another program',
        damage: async () => {
          await rm(file);
          makeForeign('CREATE TABLE records (theirs TEXT); PRAGMA user_version = 1');
        },
      },
    };
    for (const [name, { because, damage }] of Object.entries(damages)) {
      it(`one ${name}`, async () => {
        await makeTable(200);
        await damage();
        const before = await readFile(file);
        const opened = SqliteRecords.open({ file });
        assert.ok(opened.rebuilt);
        assert.equal(opened.because, because);
        assert.deepEqual(await readFile(opened.setAside), before);
        assert.deepEqual(await filesOf(opened.table), []);
        await opened.table.putRow(indexedRow('a'));
        opened.table.close();

        const again = SqliteRecords.open({ file });
        assert.equal(again.rebuilt, false);
        assert.deepEqual(await filesOf(again.table), ['a']);
        again.table.close();
      });

      it(`not by a reader: to look on at one ${name} is an error`, async () => {
        await makeTable(200);
        await damage();
        const before = await readFile(file);
        const look = async () => {
          const { table } = SqliteRecords.open({ file, readOnly: true });
          try {
            await filesOf(table);
          } finally {
            table.close();
          }
        };
        await assert.rejects(look, /found a file that is|malformed|differs from what was written/);
        assert.deepEqual(await readFile(file), before);
      });
    }

    it('not one that is empty: it is taken', async () => {
      await makeTable();
      await writeFile(file, '');
      const { table, rebuilt } = SqliteRecords.open({ file });
      assert.equal(rebuilt, false);
      await table.putRow(indexedRow('a'));
      assert.deepEqual(await filesOf(table), ['a']);
      table.close();
    });

    it('not one that cannot be opened: that is an error that names it', async () => {
      assert.throws(() => SqliteRecords.open({ file: directory }), /cannot open this table/);
    });
  });

  describe('while it is used', () => {
    it('says that its file is not in its place any more', async () => {
      const { table } = SqliteRecords.open({ file });
      assert.equal(table.isInPlace, true);
      await rename(file, `${file}.away`);
      assert.equal(table.isInPlace, false);
      await writeFile(file, '');
      assert.equal(table.isInPlace, false);
      await rename(`${file}.away`, file);
      assert.equal(table.isInPlace, true);
      table.close();
    });

    it('tells of damage that it meets, and gives nothing that is damaged', async () => {
      await makeTable(2_000);
      let told = 0;
      const { table } = SqliteRecords.open({ file, onDamage: () => (told += 1) });
      const { size } = await stat(file);
      const handle = await open(file, 'r+');
      await handle.write(Buffer.alloc(size - 8192, 0x5a), 0, size - 8192, 8192);
      await handle.close();
      await assert.rejects(filesOf(table), /malformed|differs from what was written/);
      assert.equal(told, 1);
      table.close();
      assert.equal(SqliteRecords.open({ file }).rebuilt, true);
    });

    it('reports a record that differs from what was written', async () => {
      await makeTable(2_000);
      let told = 0;
      const { table } = SqliteRecords.open({ file, onDamage: () => (told += 1) });
      const other = new DatabaseSync(file);
      other.exec("UPDATE records SET record = x'00' WHERE file = 'package-1500'");
      other.close();
      assert.equal((await table.row(repository, 'package-1499'))?.file, 'package-1499');
      await assert.rejects(table.row(repository, 'package-1500'), /package-1500 differs from what was written/);
      await assert.rejects(filesOf(table), /package-1500 differs from what was written/);
      assert.equal(told, 2);
      table.close();
    });
  });

  it('survives a writer that died without closing', async () => {
    const { table } = SqliteRecords.open({ file });
    await table.putRow(indexedRow('a'));
    // What the disk holds while the writer lives is what is left once it was killed.
    const copy = join(directory, 'copy.sqlite');
    for (const suffix of ['', '-wal']) await writeFile(copy + suffix, await readFile(file + suffix));
    table.close();
    const after = SqliteRecords.open({ file: copy });
    assert.equal(after.rebuilt, false);
    assert.deepEqual(await filesOf(after.table), ['a']);
    after.table.close();
  });

  describe('a reader', () => {
    it('sees what another one writes, while it writes', async () => {
      const { table: writer } = SqliteRecords.open({ file });
      const { table: reader } = SqliteRecords.open({ file, readOnly: true });
      await writer.putRow(indexedRow('a'));
      assert.deepEqual(await filesOf(reader), ['a']);
      await writer.takeRun(repository);
      assert.equal(await reader.lastRun(repository), 1);
      reader.close();
      writer.close();
    });

    it('finds an empty table where there is no file, and makes none', async () => {
      const { table } = SqliteRecords.open({ file, readOnly: true });
      assert.deepEqual(await filesOf(table), []);
      assert.equal(await table.lastRun(repository), 0);
      table.close();
      assert.equal(existsSync(join(directory, 'state')), false);
    });

    it('finds an empty table in an empty file', async () => {
      await makeTable();
      await writeFile(file, '');
      const { table } = SqliteRecords.open({ file, readOnly: true });
      assert.deepEqual(await filesOf(table), []);
      table.close();
    });

    for (const exists of [true, false]) {
      it(`cannot write, ${exists ? 'to a table' : 'nor where there is none'}`, async () => {
        if (exists) await makeTable();
        const { table } = SqliteRecords.open({ file, readOnly: true });
        await assert.rejects(table.putRow(indexedRow('a')), /readonly/);
        await assert.rejects(table.takeRun(repository), /readonly/);
        table.close();
      });
    }

    it('that may not read the file gets an error that names it', async () => {
      await makeTable();
      await chmod(directory, 0o755);
      await chmod(file, 0);
      const isRoot = process.geteuid?.() === 0;
      // Nothing is closed to root: be nobody for that while.
      if (isRoot) process.seteuid?.(65_534);
      try {
        assert.throws(() => SqliteRecords.open({ file, readOnly: true }), /records\.sqlite: cannot open this table/);
      } finally {
        if (isRoot) process.seteuid?.(0);
      }
    });
  });
});
