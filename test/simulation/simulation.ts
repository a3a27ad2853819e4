/**
 * The three steps, over a bucket, a table, a queue and a change stream in memory, with everything that may go wrong, as a plan
 * says.
 *
 *     deeds ─▶ bucket ─▶ hints ─▶ extract ─▶ table ─▶ changes ─▶ summarize ─▶ bucket
 *
 * First the deeds are done and everything comes to rest. Where a hint was dropped or given up, or something happened that only
 * a reindex makes good, a reindex follows, and everything comes to rest again.
 */

import { confirm } from '../../functions/index/confirmation.ts';
import type { IndexFormatName } from '../../functions/index/index-formats.ts';
import { isIndexKey, splitKey } from '../../functions/keys.ts';
import { pageFile } from '../../functions/page/page.ts';
import type { Changes, Hint } from '../../functions/ports.ts';
import { defaultRules } from '../../functions/record/rules.ts';
import type { ReindexOptions, ReindexPlace } from '../../functions/reindex.ts';
import { MemoryObjects } from '../adapters/memory-objects.ts';
import { MemoryRecords } from '../adapters/memory-records.ts';
import { Dice } from '../dice.ts';
import { smallPage } from '../page/small-page.ts';
import { ChangeStream } from './change-stream.ts';
import { Configured } from './configured.ts';
import { Faults } from './faults.ts';
import { HintDeliveries } from './hint-deliveries.ts';
import { Invariants, Violation } from './invariants.ts';
import { Losses } from './losses.ts';
import { type MadePackage, makePackage } from './made-packages.ts';
import { type Deed, type DeedOf, type Plan, refusingMilliseconds } from './plan.ts';
import { type PortsOptions, portsOf } from './ports.ts';
import { Process, type Surroundings, Work } from './process.ts';
import { Restless, Scheduler } from './scheduler.ts';
import { SimulatedBucket } from './simulated-bucket.ts';
import type { Steps } from './steps.ts';
import './quick-compression.ts';

export interface SimulationOptions {
  readonly steps: Steps;
  /** Faults that do not happen, by their names. */
  readonly suppressed?: ReadonlySet<string>;
  /** Faults of calls that happen in the place of those that are drawn. */
  readonly forced?: ReadonlySet<string>;
  /** Whether every call is noted. */
  readonly traces?: boolean;
}

export interface Outcome {
  readonly violation: Violation | undefined;
  readonly faults: readonly string[];
  /** Where some are forced: those that could have been. */
  readonly possibleFaults: readonly string[];
  readonly trace: readonly string[];
  /** Publications, and turns of the scheduler: to see that a simulation does something. */
  readonly publications: number;
  readonly turns: number;
}

/** Several times what the longest of a million runs took. */
const turnsMax = 30_000;
/** With faults for ever a step might never succeed. */
const faultyMilliseconds = 60_000;
/** Long enough before puts succeed again that all other repositories have been published by then. */
const briefFaultyMilliseconds = 15_000;
const beginning = Date.parse('2026-01-01T00:00:00.400Z');

export async function simulate(plan: Plan, options: SimulationOptions): Promise<Outcome> {
  const simulation = new Simulation(plan, options);
  const violation = await simulation.run();
  return { violation, ...simulation.findings() };
}

/** Losses that concern everything. */
const whatWasThere = 'what was there before';
const switchedFormats = 'formats that were switched';
const changedRules = 'rules that were changed';
/** Deeds that no hint tells of. */
const lossOf: Partial<Record<Deed['kind'], string>> = {
  'old-package': whatWasThere,
  'old-index': whatWasThere,
  'switch-formats': switchedFormats,
  'change-rules': changedRules,
  'foreign-index': 'an index over ours',
  'foreign-page': 'a page over ours',
  vanish: 'indexes that vanished',
  return: 'an index over ours',
};

/** What a try that fails may end in. The names, since a mutated step has classes of its own. */
const expectedErrors = ['CallFailed', 'ObjectKeepsChanging', 'Contended'];

class Simulation {
  readonly #plan: Plan;
  readonly #steps: Steps;
  readonly #scheduler = new Scheduler(turnsMax);
  readonly #surroundings: Surroundings;
  readonly #objects: MemoryObjects;
  readonly #records = new MemoryRecords((repository, file) => {
    this.#changes.changed(repository, this.#steps.tellsRequestsAsFiles ? (file ?? '/summary') : file);
  });
  readonly #invariants: Invariants;
  readonly #hints: HintDeliveries;
  readonly #changes: ChangeStream;
  readonly #trace: string[] = [];
  #publications = 0;
  readonly #bucket: SimulatedBucket;
  readonly #formats: Configured<readonly IndexFormatName[]>;
  readonly #rules = new Configured(defaultRules);
  /** Milliseconds by which all clocks of the indexer are off. */
  #clockStep = 0;
  #isHealing = false;
  readonly #losses = new Losses();
  #failure: unknown;

  constructor(plan: Plan, { steps, traces = false, ...forcedOrSuppressed }: SimulationOptions) {
    const { seed, setting } = plan;
    const scheduler = this.#scheduler;
    this.#plan = plan;
    this.#steps = steps;
    this.#formats = new Configured(setting.formats);
    this.#surroundings = {
      seed,
      scheduler,
      faults: new Faults({ seed, rates: setting.faults, ...forcedOrSuppressed }),
      note: (line) => {
        if (traces) this.#trace.push(`${scheduler.now.toFixed(1).padStart(9)} ms  ${line}`);
      },
    };
    this.#objects = new MemoryObjects(
      setting.store === 's3'
        ? { etagOf: 'content', now: () => new Date(beginning + scheduler.now) }
        : { etagOf: 'write' },
    );
    const uploaded = new Map<string, MadePackage>();
    this.#invariants = new Invariants({
      objects: this.#objects,
      uploaded,
      store: setting.store,
      blockBytes: setting.blockBytes,
      page: setting.page,
      maxShrink: setting.maxShrink,
      rules: () => this.#rules.current,
      hasClockSteps: plan.deeds.some(({ kind }) => kind === 'step-clock'),
    });
    this.#bucket = new SimulatedBucket({
      objects: this.#objects,
      uploaded,
      invariants: this.#invariants,
      ...{ seed, blockBytes: setting.blockBytes },
      now: () => this.#now(),
      tell: (id, key) => this.#tell(id, key),
    });
    const triesMax = () => (this.#isHealing ? Number.POSITIVE_INFINITY : setting.triesMax);
    const onError = (error: unknown) => this.#onError(error);
    const skewOf = (id: string) => this.#skewOf(id);
    const { surroundings, acknowledgesEarly } = {
      surroundings: this.#surroundings,
      acknowledgesEarly: steps.acknowledgesEarly,
    };
    this.#hints = new HintDeliveries({
      ...{ surroundings, triesMax, onError, skewOf, acknowledgesEarly },
      copies: setting.extractCopies,
      hintsPerBatch: setting.hintsPerBatch,
      visibilityMilliseconds: setting.visibilityMilliseconds,
      outlivesLease: steps.outlivesLease,
      onDeadLetter: (key) => this.#losses.add(`hint for ${key}`),
      follow: async (work, { key, force = false }) => {
        const ports = this.#portsOf(work);
        if (isIndexKey(key)) await ports.records.requestSummary(splitKey(key).repository);
        else await this.#rules.use(work, (rules) => steps.extract(ports, key, { force, rules }));
      },
    });
    this.#changes = new ChangeStream({
      ...{ surroundings, triesMax, onError, skewOf, acknowledgesEarly },
      copies: setting.summarizeCopies,
      hasOneShard: setting.retriesByHint,
      windowMilliseconds: setting.windowMilliseconds,
      onDeadLetter: (repository) => this.#losses.add(`changes of ${repository}`),
      follow: (work, repository, changes) => this.#summarize(work, repository, changes),
    });
  }

  findings(): Omit<Outcome, 'violation'> {
    return {
      faults: this.#surroundings.faults.happened,
      possibleFaults: this.#surroundings.faults.possible,
      trace: this.#trace,
      publications: this.#publications,
      turns: this.#scheduler.turns,
    };
  }

  async run(): Promise<Violation | undefined> {
    try {
      for (const deed of this.#plan.deeds) {
        if (deed.kind === 'old-index') await this.#doBefore(deed);
        else if (deed.kind === 'old-package') this.#do(deed);
        else this.#scheduler.after(deed.at, () => this.#do(deed));
      }
      const isRefusing = this.#plan.setting.refused !== undefined;
      this.#scheduler.after(isRefusing ? briefFaultyMilliseconds : faultyMilliseconds, () => {
        this.#surroundings.faults.areOver = true;
      });
      if (this.#plan.setting.refused !== undefined) this.#checkWhileRefused();
      await this.#rest();
      const isHeldBack = (await this.#heldBack()).length > 0;
      this.#checkAtRest(isHeldBack);
      if (!this.#losses.isEmpty || isHeldBack) await this.#heal();
      return undefined;
    } catch (error) {
      if (error instanceof Restless) return new Violation('everything comes to rest', error.message);
      if (error instanceof Violation) return error;
      throw error;
    }
  }

  async #rest(): Promise<void> {
    await this.#scheduler.run(() => this.#failure !== undefined);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #onError(error: unknown): void {
    const isExpected = expectedErrors.includes((error as Error).name);
    if (isExpected) return;
    this.#failure ??=
      error instanceof Violation
        ? error
        : new Violation('a step fails only as its ports do', (error as Error).stack ?? `${error}`);
  }

  /** Whatever was not lost is right, without a reindex. */
  #checkAtRest(isHeldBack: boolean): void {
    const isOld = new Set(this.#plan.deeds.flatMap((deed) => (deed.kind === 'old-package' ? [deed.key] : [])));
    const isExempt = (key: string) =>
      this.#losses.has(`hint for ${key}`) || (this.#losses.has(whatWasThere) && isOld.has(key));
    this.#invariants.checkRows(isExempt);
    if (!this.#losses.has(changedRules)) this.#invariants.checkRules(isExempt);
    if (this.#losses.isEmpty && !isHeldBack) this.#checkPublished();
  }

  /** The repositories of which something is held back. */
  async #heldBack(): Promise<string[]> {
    const repositories: string[] = [];
    for await (const repository of this.#records.repositories())
      if ((await this.#records.state(repository)).heldBack !== undefined) repositories.push(repository);
    return repositories;
  }

  async #confirm({ id, repository }: Pick<DeedOf<'confirm'>, 'id' | 'repository'>): Promise<void> {
    const { heldBack } = await this.#records.state(repository);
    if (heldBack === undefined) return;
    await confirm(
      { objects: this.#objects, clock: { now: () => this.#now(), sleep: async () => {} } },
      repository,
      heldBack,
    );
    this.#changes.runBeside(id, repository, 'all');
  }

  /** The others do not wait for a repository whose puts are refused; one that is held back waits for the operator. */
  #checkWhileRefused(): void {
    this.#scheduler.after(refusingMilliseconds, () => {
      const check = async () => {
        const waiting = [this.#plan.setting.refused, ...(await this.#heldBack())];
        if (this.#losses.isEmpty) this.#invariants.checkIndexes(this.#formats.current, waiting);
      };
      void check().catch((error: unknown) => this.#onError(error));
    });
  }

  #checkPublished(): void {
    this.#invariants.checkIndexes(this.#formats.current);
    this.#invariants.checkPages();
  }

  async #heal(): Promise<void> {
    this.#surroundings.note('everything is at rest; a reindex follows');
    this.#isHealing = true;
    this.#reindex('healing', { prefix: '', force: false });
    await this.#rest();
    // A confirmation is void once the index is another one.
    for (let confirmations = 0; confirmations < 5; confirmations += 1) {
      for (const repository of await this.#heldBack()) {
        this.#invariants.checkHeldBack(repository, this.#formats.current);
        await this.#confirm({ id: `confirmed ${repository} ${confirmations}`, repository });
      }
      await this.#rest();
    }
    this.#invariants.checkRows(() => false);
    this.#invariants.checkRules(() => false);
    await this.#invariants.checkAdopted((repository) => this.#records.state(repository));
    this.#checkPublished();
  }

  async #summarize(work: Work, repository: string, changes: Changes): Promise<void> {
    const { blockBytes, page, maxShrink, retriesByHint } = this.#plan.setting;
    const ports = this.#portsOf(work);
    const options = { changes, page: page ? smallPage : undefined, blockBytes, maxShrink };
    try {
      const { outcome } = await this.#formats.use(work, (formats) =>
        this.#steps.summarize(ports, repository, { ...options, formats }),
      );
      if (retriesByHint && changes === 'all') await ports.retries.setRetry(repository, undefined);
      this.#surroundings.note(`${work.id} summarized: ${outcome}`);
    } catch (error) {
      if (!retriesByHint || this.#steps.stallsShard) throw error;
      this.#onError(error);
      const at = await this.#steps.retrySummary(ports, repository);
      this.#surroundings.note(`${work.id} failed: ${error}; again at ${at.toISOString()}`);
    }
  }

  #do(deed: Deed): void {
    this.#surroundings.note(`${deed.id}: ${wordsFor(deed)}`);
    if (deed.kind in lossOf) this.#losses.add(lossOf[deed.kind] ?? '');
    switch (deed.kind) {
      case 'old-package':
        this.#bucket.upload(deed.key, makePackage(deed.name, deed.content));
        break;
      case 'upload':
        this.#bucket.upload(deed.key, makePackage(deed.name, deed.content));
        this.#tell(deed.id, deed.key);
        break;
      case 'delete':
        this.#bucket.delete(deed.id, deed.key);
        break;
      case 'rename':
        this.#bucket.rename(deed);
        break;
      case 'reindex':
        this.#reindex(deed.id, deed);
        break;
      case 'summarize':
        this.#changes.runBeside(deed.id, deed.repository, 'all');
        break;
      case 'switch-formats':
        this.#formats.current = deed.formats;
        break;
      case 'change-rules':
        this.#rules.current = deed.rules;
        break;
      case 'step-clock':
        this.#clockStep += deed.milliseconds;
        break;
      case 'foreign-index':
        this.#bucket.putForeignIndex(deed);
        break;
      case 'foreign-page':
        this.#bucket.putForeignPage(deed);
        break;
      case 'confirm':
        void this.#confirm(deed).catch((error: unknown) => this.#onError(error));
        break;
      case 'vanish':
        this.#bucket.vanish(deed);
        break;
      case 'return':
        this.#bucket.comeBack(deed);
        break;
    }
  }

  async #doBefore(deed: DeedOf<'old-index'>): Promise<void> {
    this.#surroundings.note(`${deed.id}: ${wordsFor(deed)}`);
    this.#losses.add(lossOf[deed.kind] ?? '');
    await this.#bucket.putOldIndex(deed);
  }

  /** The bucket tells of a change: once, late, twice, or not at all. */
  #tell(id: string, key: string): void {
    const { faults, note } = this.#surroundings;
    if (faults.ofDelivery('dropped', id)) {
      note(`the hint for ${key} is dropped`);
      this.#losses.add(`hint for ${key}`);
    } else this.#hints.send(id, { key }, this.#delayOf(id));
    if (faults.ofDelivery('duplicated', id)) this.#hints.send(`${id} again`, { key }, this.#delayOf(`${id} again`));
  }

  /** A reindex that fails is repeated; one whose time is up goes on in a process of its own. */
  #reindex(id: string, options: Pick<ReindexOptions, 'prefix' | 'force'>): void {
    const isTooEarly: Partial<Record<string, boolean>> = {
      [switchedFormats]: !this.#formats.isEverywhere,
      [changedRules]: !this.#rules.isEverywhere,
    };
    const succeeded = this.#losses.reindexBegins((what) => options.prefix !== '' || isTooEarly[what] === true);
    const rules = this.#rules.current;
    const dice = new Dice(this.#plan.seed, `time of ${id}`);
    const isInHaste = dice.chance(0.3);
    this.#tryReindex(id, { ...options, rules, isTimeUp: () => isInHaste && dice.chance(0.5) }, succeeded, 1);
  }

  #tryReindex(id: string, options: ReindexOptions, succeeded: () => void, tries: number): void {
    const again = () => this.#scheduler.after(100, () => this.#tryReindex(id, options, succeeded, tries + 1));
    const name = `${id} try ${tries}`;
    const work = new Work(name, new Process(this.#skewOf(name), again), this.#surroundings);
    let stoppedAt: ReindexPlace | undefined;
    work.begin(
      async () => {
        ({ stoppedAt } = await this.#steps.reindex(this.#portsOf(work), options));
      },
      (failure) => {
        if (failure !== undefined) {
          this.#onError(failure);
          again();
        } else if (stoppedAt === undefined) succeeded();
        else this.#tryReindex(id, { ...options, after: stoppedAt }, succeeded, tries + 1);
      },
    );
  }

  #portsOf(work: Work) {
    const { rowsPerPage, objectsPerPage, refused } = this.#plan.setting;
    const options: PortsOptions = {
      objects: this.#objects,
      records: this.#records,
      witness: this.#invariants,
      ...{ rowsPerPage, objectsPerPage },
      clockOf: ({ process }) => new Date(this.#now().getTime() + process.skew),
      send: (sender, hints, milliseconds) => this.#send(sender, hints, milliseconds),
      isRefused: (key) => splitKey(key).repository === refused && this.#scheduler.now < refusingMilliseconds,
      onPublished: (key) => {
        if (splitKey(key).file !== pageFile) this.#publications += 1;
        this.#bucket.notePublished(key);
      },
      ignoresConditions: this.#steps.ignoresConditions,
      ignoresRangeEtags: this.#steps.ignoresRangeEtags,
    };
    return portsOf(work, options);
  }

  #send(sender: Work, hints: readonly Hint[], milliseconds: number): void {
    for (const hint of hints) {
      const id = `${sender.id} ${hint.key}`;
      this.#hints.send(id, hint, milliseconds + this.#delayOf(id));
    }
  }

  /** Milliseconds. */
  #delayOf(hint: string): number {
    const { seed, faults } = this.#surroundings;
    return new Dice(seed, `delay of ${hint}`).fraction() * (faults.ofDelivery('late', hint) ? 5_000 : 30);
  }

  /** What the indexer's clocks show; a process may be off by its skew besides. */
  #now(): Date {
    return new Date(beginning + this.#clockStep + Math.floor(this.#scheduler.now));
  }

  /** Less than summarizeLimits.clockSkewMilliseconds. */
  #skewOf(id: string): number {
    return this.#plan.setting.store === 's3' ? new Dice(this.#plan.seed, `clock of ${id}`).integer(-190, 190) : 0;
  }
}

/** A deed in the words of a trace. */
export function wordsFor(deed: Deed): string {
  const { id: _, at: __, kind, ...facts } = deed;
  return `${kind} ${Object.values(facts).map(String).join(' ')}`;
}
