/**
 * Steps with one mistake each, to show that the simulation sees it. A mutation changes the source of a step while it is loaded, so
 * that nothing in functions/ knows of it; where the text that it changes is not there any more it says so. Some are mistakes of the
 * surroundings instead: of an adapter, or of a queue that is set up wrongly.
 */

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { realSteps, type Steps } from './steps.ts';

interface SourceMutation {
  readonly step: 'extract' | 'summarize' | 'reindex';
  /** Has to occur once. */
  readonly from: string;
  readonly to: string;
}

interface Surrounding {
  readonly surroundings: Partial<Steps>;
}

/** By what it does. */
export const mutations: Readonly<Record<string, SourceMutation | Surrounding>> = {
  'extract does not look again': {
    step: 'extract',
    from: 'now?.etag !== seen?.etag',
    to: 'false',
  },
  'extract looks again at whether the object is there, not at which': {
    step: 'extract',
    from: 'now?.etag !== seen?.etag',
    to: '(now === undefined) !== (seen === undefined)',
  },
  'extract takes a row of any version for up to date': {
    step: 'extract',
    from: 'old?.etag === seen.etag && !force',
    to: 'old !== undefined && !force',
  },
  'extract takes a row of equal size for up to date': {
    step: 'extract',
    from: 'old?.etag === seen.etag && !force',
    to: 'old?.size === seen.size && !force',
  },
  'extract keeps the row of a package that is gone': {
    step: 'extract',
    from: 'await records.deleteRow(repository, file);',
    to: '',
  },
  'extract writes no row for a bad package': {
    step: 'extract',
    from: 'await records.putRow(row);',
    to: "if (row.state === 'indexed') await records.putRow(row);",
  },
  'extract tells nobody that a first publication need not wait': {
    step: 'extract',
    from: "if (extraction.outcome === 'unchanged') await askForFirstSummary(ports.records, key);",
    to: '',
  },
  'summarize does not look again': {
    step: 'summarize',
    from: 'if (isLatestRun && holds(now, formats, summary)) return last;',
    to: 'return last;',
  },
  'summarize does not look at run numbers': {
    step: 'summarize',
    from: 'if (isLatestRun && holds(',
    to: 'if (holds(',
  },
  'summarize does not look whether its index is there': {
    step: 'summarize',
    from: 'if (isLatestRun && holds(now, formats, summary)) return last;',
    to: 'if (isLatestRun) return last;',
  },
  'summarize takes its run number after it has read the rows': {
    step: 'summarize',
    from: 'const isLatestRun = (await ports.records.lastRun(repository)) === run;',
    to: 'const isLatestRun = run < Number.POSITIVE_INFINITY;',
  },
  'summarize looks at the index after it has read the rows': {
    step: 'summarize',
    from: 'const missing = isFirst',
    to: 'for (const [file, head] of await lookAtIndexes(ports.objects, repository)) (heads as Map<string, ObjectFacts>).set(file, head);\n    const missing = isFirst',
  },
  'summarize takes a lost race for done': {
    step: 'summarize',
    from: "if (published === 'lost-race') continue;",
    to: "if (published === 'lost-race') return { outcome: 'unchanged', summary };",
  },
  'summarize publishes before the repository is whole': {
    step: 'summarize',
    from: "if (missing > 0) return { outcome: 'waiting', missing, summary };",
    to: '',
  },
  'summarize asks whether the repository is whole after it has read the rows': {
    step: 'summarize',
    from: 'const missing = isFirst ?',
    to: 'const missing = !(await ports.records.isWhole(repository)) ?',
  },
  'summarize calls a repository whole where only the names of its packages are known': {
    step: 'summarize',
    from: 'if (summary.etags.get(file) !== etag) missing += 1;',
    to: 'if (etag !== undefined && !summary.etags.has(file)) missing += 1;',
  },
  'summarize keeps a format that is switched off': {
    step: 'summarize',
    from: 'if (!wanted.includes(file)) await objects.delete(joinKey(repository, file));',
    to: '',
  },
  'summarize overlooks a format that is switched off': {
    step: 'summarize',
    from: 'isOf(head, summary) : head === undefined;',
    to: 'isOf(head, summary) : true;',
  },
  'summarize overlooks an index that holds another summary': {
    step: 'summarize',
    from: 'if (head === undefined || head.metadata[hashMetadata] !== summary.sha256) return false;',
    to: 'if (head === undefined || head.metadata[hashMetadata] === undefined) return false;',
  },
  'summarize waits for no new second': {
    step: 'summarize',
    from: 'const publishedAt = await nextSecond(clock, heads);',
    to: 'const publishedAt = new Date(1000 * Math.floor(clock.now().getTime() / 1000) + Math.min(0, await nextSecond(clock, new Map()).then(Number)));',
  },
  'summarize publishes an empty text for a repository without packages': {
    step: 'summarize',
    from: 'const body = await format.compress(summary.text, publishedAt);',
    to: 'const body = await format.compress(summary.records === 0 ? new Uint8Array() : summary.text, publishedAt);',
  },
  'summarize does not see that Last-Modified stood still': {
    step: 'summarize',
    from: 'return Number.isNaN(replaced) || head.lastModified.getTime() > replaced;',
    to: 'return Number.isNaN(replaced) || replaced > 0;',
  },
  'reindex overlooks packages that changed': {
    step: 'reindex',
    from: 'if (force || etags.get(row.file) !== row.etag) batch.push(row.file);',
    to: 'if (force || !etags.has(row.file)) batch.push(row.file);',
  },
  'reindex overlooks packages that are gone': {
    step: 'reindex',
    from: 'if (force || etags.get(row.file) !== row.etag) batch.push(row.file);',
    to: 'if (force || (etags.get(row.file) ?? row.etag) !== row.etag) batch.push(row.file);',
  },
  'reindex overlooks packages without a row': {
    step: 'reindex',
    from: 'batch = batch.concat(files.slice(next));',
    to: '',
  },
  'reindex has no index looked at': {
    step: 'reindex',
    from: 'await ports.records.requestSummary(repository);',
    to: '',
  },
  'the store does not look at conditions': { surroundings: { ignoresConditions: true } },
  'the store reads ranges of whatever is there': { surroundings: { ignoresRangeEtags: true } },
  'hints and changes are acknowledged before they are followed': { surroundings: { acknowledgesEarly: true } },
  'a hint is delivered again while a process still follows it': { surroundings: { outlivesLease: true } },
};

/** @throws {Error} where the source does not have the text that the mutation changes. */
export async function mutatedSteps(name: string): Promise<Steps> {
  const mutation = mutations[name];
  if (mutation === undefined) throw new Error(`expected a mutation, found ${JSON.stringify(name)}`);
  if ('surroundings' in mutation) return { ...realSteps, ...mutation.surroundings };
  const { step } = mutation;
  const mutated = (await import(`../../functions/${step}.ts?mutation=${encodeURIComponent(name)}`)) as Partial<Steps>;
  return { ...realSteps, [step]: mutated[step] };
}

registerHooks({
  load(address, context, nextLoad) {
    const name = new URL(address).searchParams.get('mutation');
    const mutation = name === null ? undefined : mutations[name];
    if (mutation === undefined || !('step' in mutation)) return nextLoad(address, context);
    const file = fileURLToPath(new URL(address).href.replace(/\?.*/, ''));
    const source = readFileSync(file, 'utf8');
    if (source.split(mutation.from).length !== 2)
      throw new Error(
        `expected ${JSON.stringify(mutation.from)} once in ${file}: the mutation "${name}" has to follow it`,
      );
    return {
      format: 'module-typescript',
      source: source.replace(mutation.from, () => mutation.to),
      shortCircuit: true,
    };
  },
});
