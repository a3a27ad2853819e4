/**
 * Steps with one mistake each, to show that the simulation sees it. A mutation changes the source of a step while it is loaded, so
 * that nothing in functions/ knows of it; where the text that it changes is not there any more it says so. Some are mistakes of the
 * surroundings instead: of an adapter, or of a queue that is set up wrongly.
 */

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Violation } from './invariants.ts';
import { planOf, type Theme } from './plan.ts';
import { simulate } from './simulation.ts';
import { realSteps, type Steps } from './steps.ts';

interface Mutation {
  /** Of the seeds that are the likeliest to show it; any where none is named. */
  readonly theme?: Theme;
  /** It is found within so many seeds, from 0 on; `common` where nothing else is said. */
  readonly seedsMax?: number;
  /** The first seed that found it once. It is tried first, which saves most of the time while the code stays as it is. */
  readonly seed?: number;
}

interface SourceMutation extends Mutation {
  readonly step: 'extract' | 'summarize' | 'reindex' | 'retry-summary';
  /** A module that the step alone imports, where that is what changes. */
  readonly part?: 'page/keep-page' | 'index/coverage' | 'index/index-heads' | 'index/review';
  /** Has to occur once. */
  readonly from: string;
  readonly to: string;
}

interface Surrounding extends Mutation {
  readonly surroundings: Partial<Steps>;
}

/** What takes a race of several, at the right moment. */
const rare = 4_000;
export const common = 100;

/** By what it does. */
export const mutations: Readonly<Record<string, SourceMutation | Surrounding>> = {
  'extract does not check again': {
    seed: 16,
    seedsMax: rare,
    theme: 'duel',
    step: 'extract',
    from: 'now?.etag !== object?.etag',
    to: 'false',
  },
  'extract checks again whether the object exists, not which it is': {
    seed: 233,
    seedsMax: rare,
    theme: 'duel',
    step: 'extract',
    from: 'now?.etag !== object?.etag',
    to: '(now === undefined) !== (object === undefined)',
  },
  'extract treats a row of any version as up to date': {
    step: 'extract',
    from: 'old?.etag === object.etag && !force',
    to: 'old !== undefined && !force',
  },
  'extract treats a row of equal size as up to date': {
    step: 'extract',
    from: 'old?.etag === object.etag && !force',
    to: 'old?.size === object.size && !force',
  },
  'extract ignores the rules that a row was made by': {
    theme: 'rules',
    seed: 6,
    step: 'extract',
    from: 'known?.rules === fingerprintOf(rules)',
    to: 'known !== undefined',
  },
  'extract says that a row is of the new rules, and does not judge it': {
    theme: 'rules',
    seed: 6,
    step: 'extract',
    from: '(known && judgeAgain(known, rules))',
    to: '(known && { ...known, rules: fingerprintOf(rules) })',
  },
  'reindex does not compare the rules': {
    theme: 'rules',
    seed: 6,
    step: 'reindex',
    from: ' || rules !== options.rules',
    to: '',
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
  'extract requests no summary when no row changed': {
    seed: 1370,
    seedsMax: rare,
    theme: 'adoption',
    step: 'extract',
    from: "if (extraction.outcome === 'unchanged') await askForFirstSummary(ports.records, key);",
    to: '',
  },
  'summarize does not check again': {
    seed: 350,
    seedsMax: rare,
    theme: 'duel',
    step: 'summarize',
    from: 'if (isLatestRun && holds(now, repository, formats, summary)) return',
    to: 'if (last !== undefined) return',
  },
  'summarize does not check run numbers': {
    seed: 350,
    seedsMax: rare,
    theme: 'duel',
    step: 'summarize',
    from: 'if (isLatestRun && holds(',
    to: 'if (holds(',
  },
  'summarize does not check that its index is there': {
    seed: 1878,
    seedsMax: rare,
    theme: 'clock',
    step: 'summarize',
    from: 'if (isLatestRun && holds(now, repository, formats, summary)) return',
    to: 'if (isLatestRun) return',
  },
  'summarize takes its run number after it has read the rows': {
    seed: 350,
    seedsMax: rare,
    theme: 'duel',
    step: 'summarize',
    from: 'const isLatestRun = (await ports.records.lastRun(repository)) === run;',
    to: 'const isLatestRun = run < Number.POSITIVE_INFINITY;',
  },
  'summarize reads the head of the index after the rows': {
    seed: 43,
    step: 'summarize',
    from: 'const { summary } = reading;',
    to: 'const { summary } = reading;\n    for (const [file, head] of await headIndexes(ports.objects, repository)) (heads as Map<string, ObjectFacts>).set(file, head);',
  },
  'summarize treats a lost race as done': {
    seed: 22,
    step: 'summarize',
    from: "if (published === 'lost-race') continue;",
    to: "if (published === 'lost-race') return { outcome: 'unchanged', summary, isFirst };",
  },
  'summarize publishes before the repository is adopted': {
    step: 'summarize',
    from: "if (coverage.missing > 0) return { outcome: 'waiting', missing: coverage.missing };",
    to: '',
  },
  'summarize asks whether the repository is adopted after it has read the rows': {
    seed: 989,
    seedsMax: rare,
    theme: 'adoption',
    step: 'summarize',
    from: 'if (coverage.missing > 0) return',
    to: 'if (coverage.missing > 0 && !(await records.state(repository)).isAdopted) return',
  },
  'summarize adopts a repository when only the names of its packages are known': {
    seed: 49,
    seedsMax: rare,
    step: 'summarize',
    part: 'index/coverage',
    from: 'if (this.#ahead[1] !== etag) this.missing += 1;',
    to: 'if (etag === undefined) this.missing += 1;',
  },
  'summarize keeps a repository adopted of which nothing is left': {
    seed: 3,
    theme: 'return',
    step: 'summarize',
    from: "if (reading.outcome === 'absent') await ports.records.forget(repository);",
    to: '',
  },
  'summarize applies changes to an index that was copied from another repository': {
    seed: 15,
    theme: 'return',
    step: 'summarize',
    part: 'index/index-heads',
    from: "head?.metadata[repositoryMetadata] === hash('sha256', repository) ?",
    to: 'head !== undefined ?',
  },
  'summarize replaces an index that was swapped in before its packages have rows': {
    seed: 19,
    theme: 'return',
    step: 'summarize',
    from: '(!state.isAdopted && heads.size > 0) || isForeign(heads, repository)',
    to: '!state.isAdopted && heads.size > 0',
  },
  'summarize holds nothing back': {
    theme: 'return',
    step: 'summarize',
    part: 'index/review',
    from: 'if (found === undefined)',
    to: 'if (found === undefined || found.from > 0)',
  },
  'summarize takes a confirmation of another index': {
    seed: 190,
    seedsMax: rare,
    theme: 'return',
    step: 'summarize',
    part: 'index/review',
    from: 'confirmation?.index === etag &&',
    to: 'confirmation !== undefined &&',
  },
  'summarize keeps a format that is switched off': {
    step: 'summarize',
    from: 'if (!files.includes(file)) await objects.delete(joinKey(repository, file));',
    to: '',
  },
  'summarize ignores a format that is switched off': {
    seed: 16,
    step: 'summarize',
    part: 'index/index-heads',
    from: 'isOf(head, repository, summary) : head === undefined;',
    to: 'isOf(head, repository, summary) : true;',
  },
  'summarize ignores an index that holds another summary': {
    seed: 20,
    step: 'summarize',
    part: 'index/index-heads',
    from: 'if (head === undefined || digestIn(head, repository) !== summary.digest) return false;',
    to: 'if (head === undefined || digestIn(head, repository) === undefined) return false;',
  },
  'summarize waits for no new second': {
    step: 'summarize',
    from: 'const date = await nextSecond(clock, heads);',
    to: 'const date = new Date(1000 * Math.floor(clock.now().getTime() / 1000) + Math.min(0, await nextSecond(clock, new Map()).then(Number)));',
  },
  'summarize publishes an empty text for a repository without packages': {
    step: 'summarize',
    from: 'const body = bodyOf(name, summary, date, blockBytes);',
    to: 'const body = bodyOf(name, summary.records === 0 ? { ...summary, blocks: [] } : summary, date, blockBytes);',
  },
  'summarize does not notice an unchanged Last-Modified': {
    seed: 146,
    seedsMax: rare,
    theme: 'clock',
    step: 'summarize',
    part: 'index/index-heads',
    from: 'return Number.isNaN(replaced) || head.lastModified.getTime() > replaced;',
    to: 'return Number.isNaN(replaced) || replaced > 0;',
  },
  'summarize reads some of the rows that changed': {
    seed: 13,
    theme: 'growth',
    step: 'summarize',
    from: 'changeSummary({ blocks, fileSum, architectures }, changes,',
    to: 'changeSummary({ blocks, fileSum, architectures }, new Set([...changes].slice(0, 1)),',
  },
  'summarize forgets what changed in its second pass': {
    seed: 5,
    theme: 'growth',
    step: 'summarize',
    from: 'await read(ports, view, toRead);',
    to: 'await read(ports, view, pass === 0 ? toRead : new Set());',
  },
  'summarize defers without a request': {
    step: 'summarize',
    from: "if (reading.outcome === 'deferred') await ports.records.requestSummary(repository);",
    to: '',
  },
  'summarize applies changes to indexes that hold different summaries': {
    seed: 32,
    theme: 'growth',
    step: 'summarize',
    from: 'if (head === undefined || digestIn(head, repository) !== digest) continue;',
    to: 'if (head === undefined) continue;',
  },
  'summarize skips the page where it put no index': {
    step: 'summarize',
    from: 'const made = page ?',
    to: 'const made = page && published !== undefined ?',
  },
  'summarize does not check again where it only adopted the repository': {
    seed: 3495,
    seedsMax: rare,
    theme: 'lost table',
    step: 'summarize',
    from: "published !== undefined || made === 'put' || !state.isAdopted || wasHeldBack;",
    to: "published !== undefined || made === 'put' || wasHeldBack;",
  },
  'summarize treats a lost race for the page as done': {
    seed: 368,
    seedsMax: rare,
    theme: 'anything',
    step: 'summarize',
    from: "if (made === 'lost-race') continue;",
    to: '',
  },
  'summarize defers the page without a request': {
    seed: 25,
    seedsMax: rare,
    theme: 'pages',
    step: 'summarize',
    from: "if (made === 'deferred') await ports.records.requestSummary(repository);",
    to: '',
  },
  'summarize reads the head of the page after the rows': {
    seed: 23,
    theme: 'pages',
    step: 'summarize',
    from: 'keepPage(ports, { repository, template: page, page: pageHead }, summary)',
    to: 'keepPage(ports, { repository, template: page, page: await headPage(ports.objects, repository) }, summary)',
  },
  'summarize puts the page without a condition': {
    seed: 32,
    theme: 'pages',
    step: 'summarize',
    part: 'page/keep-page',
    from: "condition: page === undefined ? { ifNoneMatch: '*' } : { ifMatch: page.etag },",
    to: "condition: await objects.head(key).then((now) => now === undefined ? { ifNoneMatch: '*' } : { ifMatch: now.etag }),",
  },
  'summarize replaces a foreign page': {
    seed: 8,
    step: 'summarize',
    part: 'page/keep-page',
    from: "if (page !== undefined && !(await isOurs(objects, key, page))) return 'foreign';",
    to: '',
  },
  'summarize treats a page of ours without metadata as foreign': {
    seed: 39,
    theme: 'growth',
    step: 'summarize',
    part: 'page/keep-page',
    from: 'return versionMetadata in metadata ||',
    to: 'return versionMetadata in metadata || false &&',
  },
  'summarize treats every page of this version as right': {
    step: 'summarize',
    part: 'page/keep-page',
    from: 'if (Object.entries(metadata).every(([name, value]) => page?.metadata[name] === value))',
    to: 'if (page?.metadata[versionMetadata] === template.version)',
  },
  'summarize assumes that only the changed files of the page are wrong': {
    seed: 17,
    seedsMax: rare,
    theme: 'pages',
    step: 'summarize',
    part: 'page/keep-page',
    from: 'return changedSum(listed, spliced.entered, spliced.left) === fileSum ? spliced.page : undefined;',
    to: 'return spliced.page;',
  },
  'reindex misses packages that changed': {
    seed: 19,
    step: 'reindex',
    from: 'if (force || etags.get(file) !== etag ||',
    to: 'if (force || !etags.has(file) ||',
  },
  'reindex misses packages that are gone': {
    seed: 19,
    step: 'reindex',
    from: 'if (force || etags.get(file) !== etag ||',
    to: 'if (force || (etags.get(file) ?? etag) !== etag ||',
  },
  'reindex misses packages without a row': {
    step: 'reindex',
    from: 'yield* files.slice(next);',
    to: '',
  },
  'reindex requests no summaries': {
    seed: 10,
    theme: 'anything',
    step: 'reindex',
    from: 'await ports.records.requestSummary(repository);',
    to: '',
  },
  'a failed repository stalls its shard': { theme: 'failing', surroundings: { stallsShard: true } },
  'a failed repository is never requested again': {
    theme: 'failing',
    step: 'retry-summary',
    from: 'await hints.sendAfter([{ key: summaryKey(repository) }], wait);',
    to: '',
  },
  'a failed repository relies on a request that has arrived': {
    theme: 'failing',
    step: 'retry-summary',
    from: 'pending.at.getTime() > now + retryLimits.clockSkewMilliseconds',
    to: 'pending.at.getTime() > 0',
  },
  'a request for a summary of all rows arrives as a change of a file': { surroundings: { tellsRequestsAsFiles: true } },
  'the store ignores conditions': { surroundings: { ignoresConditions: true } },
  'the store reads ranges of any version': { surroundings: { ignoresRangeEtags: true } },
  'hints and changes are acknowledged before they are processed': { surroundings: { acknowledgesEarly: true } },
  'a hint is delivered again while a process still works on it': {
    seed: 199,
    seedsMax: rare,
    theme: 'duel',
    surroundings: { outlivesLease: true },
  },
};

export interface Catch {
  readonly seed: number;
  readonly violation: Violation;
}

/** The first seed that shows the mutation, or, with `knownFirst`, the one that showed it once if it still does. */
export async function catchMutation(name: string, { knownFirst = false } = {}): Promise<Catch | undefined> {
  const { theme, seed: known, seedsMax = common } = mutations[name] ?? {};
  const steps = await mutatedSteps(name);
  const seeds = Array.from({ length: seedsMax }, (_, seed) => seed);
  for (const seed of knownFirst && known !== undefined ? [known, ...seeds] : seeds) {
    const { violation } = await simulate(planOf(seed, theme), { steps });
    if (violation !== undefined) return { seed, violation };
  }
  return undefined;
}

/** @throws {Error} where the source does not have the text that the mutation changes. */
export async function mutatedSteps(name: string): Promise<Steps> {
  const mutation = mutations[name];
  if (mutation === undefined) throw new Error(`expected a mutation, found ${JSON.stringify(name)}`);
  if ('surroundings' in mutation) return { ...realSteps, ...mutation.surroundings };
  const { step } = mutation;
  const mutated = (await import(`../../functions/${step}.ts?mutation=${encodeURIComponent(name)}`)) as Partial<Steps>;
  const exported = step === 'retry-summary' ? 'retrySummary' : step;
  return { ...realSteps, [exported]: mutated[exported] };
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const name = nameIn(context.parentURL);
    const isPart = name !== undefined && specifier === `./${sourceOf(name)}.ts`;
    return isPart ? { ...resolved, url: `${resolved.url}?mutation=${encodeURIComponent(name)}` } : resolved;
  },
  load(address, context, nextLoad) {
    const name = nameIn(address);
    const mutation = name === undefined ? undefined : mutations[name];
    const file = fileURLToPath(new URL(address).href.replace(/\?.*/, ''));
    if (mutation === undefined || !('step' in mutation) || !file.endsWith(`/${sourceOf(name)}.ts`))
      return nextLoad(address, context);
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

function nameIn(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (new URL(address).searchParams.get('mutation') ?? undefined);
}

/** The file that a mutation changes, without its suffix. */
function sourceOf(name: string | undefined): string | undefined {
  const mutation = name === undefined ? undefined : mutations[name];
  return mutation !== undefined && 'step' in mutation ? (mutation.part ?? mutation.step) : undefined;
}
