/** What a seed stands for: a setting, and what the users, the operator and the clock do in it. */

import { type IndexFormatName, indexFormatNames } from '../../functions/index/index-formats.ts';
import type { Rules } from '../../functions/record/rules.ts';
import { Dice } from '../dice.ts';
import { type FaultRates, faultNames, noFaults } from './faults.ts';
import { architectures, type PackageKind, packageKinds } from './made-packages.ts';

export interface Plan {
  readonly seed: number;
  readonly setting: Setting;
  readonly deeds: readonly Deed[];
}

export interface Setting {
  /** `s3`: ETags of content, the store dates objects, clocks differ a little. `directory`: ETags of writes, one clock. */
  readonly store: 's3' | 'directory';
  /** Rows and listed objects that are read in one go; others may change what comes after. */
  readonly rowsPerPage: number;
  readonly objectsPerPage: number;
  /** How many may run at once: of extract processes in all, of summarize processes for one repository. */
  readonly extractCopies: number;
  readonly summarizeCopies: number;
  readonly hintsPerBatch: number;
  /** A hint that is not acknowledged by then is delivered again. */
  readonly visibilityMilliseconds: number;
  /** From a row's change to the summarize that it causes. */
  readonly windowMilliseconds: number;
  /** Tries before a hint, or a repository's changes, become a dead letter. */
  readonly triesMax: number;
  readonly formats: readonly IndexFormatName[];
  /** Whether index.html is kept. */
  readonly page: boolean;
  /** Percent of the records that a publication may drop unconfirmed. */
  readonly maxShrink: number | undefined;
  /** Of a block of the summary, on average. A record has about 150. */
  readonly blockBytes: number;
  /** A repository of which no index and no page can be put, for `refusingMilliseconds`. */
  readonly refused: string | undefined;
  /** As on AWS: all repositories share a shard, and one that failed is requested again by a hint. Otherwise its changes are retried. */
  readonly retriesByHint: boolean;
  readonly faults: FaultRates;
}

/** How long the puts of a repository are refused. */
export const refusingMilliseconds = 55_000;

/** Something that happens from outside, `at` milliseconds after the beginning. */
export type Deed = { readonly id: string; readonly at: number } & (
  | { readonly kind: 'upload'; readonly key: string; readonly name: string; readonly content: PackageKind }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'rename'; readonly key: string; readonly to: string }
  | { readonly kind: 'reindex'; readonly prefix: string; readonly force: boolean }
  /** As an operator may do at any time, beside those that rows cause. */
  | { readonly kind: 'summarize'; readonly repository: string }
  | { readonly kind: 'switch-formats'; readonly formats: readonly IndexFormatName[] }
  | { readonly kind: 'change-rules'; readonly rules: Rules }
  | { readonly kind: 'step-clock'; readonly milliseconds: number }
  /**
   * Somebody puts an index there: of his own; a copy of the last one of ours, as any program would; or an older one of ours, with what
   * the store knows of it, as who restores a version.
   */
  | {
      readonly kind: 'foreign-index';
      readonly repository: string;
      readonly file: string;
      readonly by: 'others' | 'a copy of ours' | 'a version of ours' | 'another repository of ours';
    }
  /** The operator confirms what is held back. */
  | { readonly kind: 'confirm'; readonly repository: string }
  /** Everything of a repository is removed: it is unmounted, or moved away. */
  | { readonly kind: 'vanish'; readonly repository: string }
  /** And is there again as it was, or a copy of another repository, with its index and what the store knows of that. */
  | { readonly kind: 'return'; readonly repository: string; readonly of: string }
  /** The same with a page; or it is removed. */
  | {
      readonly kind: 'foreign-page';
      readonly repository: string;
      readonly by: 'others' | 'a copy of ours' | 'a version of ours' | 'another version of ours' | 'nobody';
    }
  /** There before anything of ours: no hint tells of it. */
  | { readonly kind: 'old-package'; readonly key: string; readonly name: string; readonly content: PackageKind }
  | { readonly kind: 'old-index'; readonly repository: string; readonly file: string; readonly by: 'others' | 'us' }
);

export type DeedOf<Kind extends Deed['kind']> = Extract<Deed, { kind: Kind }>;

const repositories = ['All', 'NetBSD/10.0/All', '', 'NetBSD/10.0'] as const;
const names = ['a-1.0', 'b+-2.0', 'c-3.0nb1', 'd-4', 'B-1.0', 'aa-2.0', 'c-3.0nb10', 'z-0'] as const;

const deedWeights: Record<Exclude<Deed['kind'], 'old-package' | 'old-index' | 'foreign-page'>, number> = {
  upload: 50,
  delete: 22,
  rename: 6,
  reindex: 7,
  summarize: 4,
  'switch-formats': 3,
  'change-rules': 0,
  'step-clock': 6,
  'foreign-index': 2,
  vanish: 0,
  return: 0,
  confirm: 0,
};

const namesFor = {
  anything: [1, 2, 2, 3, 4],
  duel: [1],
  adoption: [2, 3],
  'lost table': [2, 3, 4],
  clock: [1, 2],
  growth: [4, 8],
  pages: [4, 8],
  return: [2, 4],
  failing: [2, 4],
  rules: [2, 4],
} as const;
const millisecondsFor = {
  anything: [150, 800, 3_000, 8_000],
  duel: [150, 800, 2_500],
  adoption: [150, 800, 2_500],
  'lost table': [800, 1_500, 2_500],
  clock: [150, 800, 2_500],
  growth: [3_000, 8_000, 16_000],
  pages: [3_000, 8_000],
  return: [3_000, 8_000],
  failing: [800, 3_000, 8_000],
  rules: [800, 3_000, 8_000],
} as const;
const countFor = {
  anything: [2, 14],
  duel: [2, 14],
  adoption: [1, 5],
  'lost table': [3, 8],
  clock: [2, 14],
  growth: [8, 30],
  pages: [8, 30],
  return: [6, 16],
  failing: [6, 20],
  rules: [4, 20],
} as const;
export type Theme = keyof typeof themeWeights | 'pages' | 'lost table' | 'return' | 'failing' | 'rules';

const weightsFor: Record<Theme, Partial<typeof deedWeights>> = {
  anything: {},
  duel: { rename: 0, 'switch-formats': 0, 'foreign-index': 0 },
  adoption: { upload: 20, delete: 60, reindex: 2, 'foreign-index': 0 },
  'lost table': {
    upload: 30,
    delete: 40,
    reindex: 0,
    summarize: 0,
    'switch-formats': 0,
    'foreign-index': 0,
    'step-clock': 0,
  },
  clock: { 'step-clock': 30, 'foreign-index': 0 },
  growth: { reindex: 1, summarize: 2, 'switch-formats': 1 },
  pages: { reindex: 0, summarize: 0, 'switch-formats': 0, 'foreign-index': 0 },
  return: {
    delete: 10,
    rename: 0,
    'switch-formats': 0,
    'step-clock': 0,
    'foreign-index': 8,
    vanish: 20,
    return: 20,
    confirm: 30,
  },
  rules: { rename: 2, reindex: 20, 'foreign-index': 0, 'change-rules': 20 },
  failing: { reindex: 0, summarize: 1, 'switch-formats': 0, 'foreign-index': 0, 'step-clock': 0 },
};

/**
 * Chance alone rarely makes a race, so most seeds have a theme: `duel`, one package that comes and goes beneath many copies that
 * are slow or die; `adoption`, a crowd on a repository that was there before; `clock`, publications in haste while the clock jumps;
 * `growth`, many packages that come and go in a repository that is published all the while; `pages`, others who put pages there;
 * `lost table`, the same crowd on a repository whose indexes are ours and right; `return`, repositories that vanish and come back;
 * `rules`, an operator who changes the rules while packages come and go; `failing`, a repository that cannot be published, beside others that can.
 */
const themeWeights = { anything: 4, duel: 3, adoption: 2, clock: 1, growth: 3 } as const;
const pagesChance = 0.08;
const lostTableChance = 0.05;
const returnChance = 0.1;
const failingChance = 0.06;
const rulesChance = 0.06;

export function planOf(seed: number, asked?: Theme): Plan {
  const dice = new Dice(seed, 'plan');
  const drawn = dice.weighted(themeWeights);
  const pageDice = new Dice(seed, 'page');
  const isLost = new Dice(seed, 'table').chance(lostTableChance);
  const isBack = new Dice(seed, 'return').chance(returnChance);
  const isFailing = new Dice(seed, 'failing').chance(failingChance);
  const isRuled = new Dice(seed, 'rules').chance(rulesChance);
  const seldom = isLost ? 'lost table' : isBack ? 'return' : isRuled ? 'rules' : drawn;
  const theme = asked ?? (isFailing ? 'failing' : pageDice.chance(pagesChance) ? 'pages' : seldom);
  const repositoriesUsed = repositories.slice(0, repositoryCount(theme, dice));
  const namesUsed = names.slice(0, dice.pick(namesFor[theme]));
  const blockBytes = new Dice(seed, 'blocks').pick([1, 300, 300, 1_000, 400_000]);
  const maxShrink = theme === 'return' ? new Dice(seed, 'shrink').pick([undefined, 20, 40]) : undefined;
  const setting = {
    ...drawSetting(dice),
    ...settingFor(theme, dice),
    blockBytes,
    maxShrink,
    page: pageDice.chance(theme === 'lost table' ? 0.2 : 0.9),
  };
  const place = () => ({ repository: dice.pick(repositoriesUsed), name: dice.pick(namesUsed) });
  const isOld = theme === 'adoption' || theme === 'lost table' || (theme !== 'rules' && dice.chance(0.15));
  const indexes = theme === 'lost table' ? ourIndexes : undefined;
  const deeds = isOld ? drawPast(dice, repositoriesUsed, namesUsed, indexes) : [];
  const milliseconds = dice.pick(millisecondsFor[theme]);
  const moment = () => Math.round(dice.fraction() * milliseconds);
  if (isOld && dice.chance(0.8))
    deeds.push({ id: 'adoption', at: moment() / 4, kind: 'reindex', prefix: '', force: false });
  const [least, most] = countFor[theme];
  const count = dice.integer(least, most);
  for (let index = 0; index < count; index += 1) {
    deeds.push({ id: `deed${index}`, at: moment(), ...drawDeed(dice, theme, place) });
  }
  deeds.push(...drawPages(pageDice, theme, repositoriesUsed, milliseconds));
  return { seed, setting, deeds: deeds.sort((a, b) => a.at - b.at) };
}

function repositoryCount(theme: Theme, dice: Dice): number {
  if (theme === 'failing') return 3;
  if (theme === 'return') return 2;
  return theme === 'anything' ? dice.pick([1, 1, 2, 4]) : 1;
}

/** What others do with pages. */
function drawPages(dice: Dice, theme: Theme, repositoriesUsed: readonly string[], milliseconds: number): Deed[] {
  const count = theme === 'pages' ? dice.pick([0, 0, 1, 4]) : dice.pick([0, 0, 0, 1]);
  return Array.from({ length: count }, (_, index) => ({
    id: `page${index}`,
    at: Math.round(dice.pick([0, dice.fraction()]) * milliseconds),
    kind: 'foreign-page' as const,
    repository: dice.pick(repositoriesUsed),
    by: dice.pick(['others', 'a copy of ours', 'a version of ours', 'another version of ours', 'nobody'] as const),
  }));
}

function drawSetting(dice: Dice): Omit<Setting, 'blockBytes' | 'maxShrink' | 'page'> {
  return {
    refused: undefined,
    retriesByHint: false,
    store: dice.pick(['s3', 'directory']),
    rowsPerPage: dice.pick([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1, 2]),
    objectsPerPage: dice.pick([1000, 1000, 1, 3]),
    extractCopies: dice.pick([1, 2, 2, 4, 8]),
    summarizeCopies: dice.pick([1, 2, 2, 4, 8]),
    hintsPerBatch: dice.pick([1, 1, 3, 10]),
    visibilityMilliseconds: dice.pick([300, 2_000, 10_000]),
    windowMilliseconds: dice.pick([0, 5, 100, 1_000]),
    triesMax: dice.pick([3, 6, 10]),
    formats: dice.pick([['gz', 'zst'], ['gz', 'zst'], ['gz'], ['zst']]),
    faults: drawRates(dice),
  };
}

function settingFor(theme: Theme, dice: Dice): Partial<Setting> {
  const crowd = {
    extractCopies: 8,
    summarizeCopies: dice.pick([2, 8]),
    windowMilliseconds: dice.pick([0, 100]),
    triesMax: 10,
  };
  const twin = dice.pick([0, 0.2]);
  switch (theme) {
    case 'anything':
      return {};
    case 'rules':
      return { windowMilliseconds: dice.pick([5, 100, 1_000]), faults: { ...drawRates(dice), twin } };
    case 'duel':
      return { ...crowd, faults: { ...noFaults, slow: 0.1, crash: dice.pick([0, 0.02, 0.05]), twin } };
    case 'adoption':
      return { ...crowd, faults: { ...noFaults, slow: 0.3, crash: dice.pick([0, 0.1]), late: 0.4, twin } };
    case 'lost table':
      return { ...crowd, windowMilliseconds: 0, formats: ['gz', 'zst'], faults: { ...noFaults, slow: 0.1, late: 0.4 } };
    case 'clock':
      return crowd;
    case 'pages':
      return {
        summarizeCopies: dice.pick([1, 2, 8]),
        windowMilliseconds: dice.pick([5, 100]),
        triesMax: 10,
        faults: { ...noFaults, slow: 0.1, crash: dice.pick([0, 0.02, 0.05]), twin },
      };
    case 'return':
      return {
        summarizeCopies: dice.pick([2, 8]),
        windowMilliseconds: dice.pick([0, 5, 100, 1_000]),
        faults: { ...noFaults, slow: dice.pick([0.1, 0.3]), late: 0.2, conflict: 0.03, twin },
      };
    case 'failing':
      return {
        refused: repositories[0],
        retriesByHint: true,
        summarizeCopies: 1,
        windowMilliseconds: dice.pick([5, 100, 1_000]),
        // As often as the stream does it in an hour: meanwhile a shard that is held up stands still.
        triesMax: 1_000,
        faults: { ...noFaults, slow: 0.05, crash: dice.pick([0, 0.02]), throttled: dice.pick([0, 0.03]), twin },
      };
    case 'growth':
      return { windowMilliseconds: dice.pick([5, 100, 1_000]), faults: { ...drawRates(dice), dropped: 0, twin } };
  }
}

/** Each kind of fault is off in half of the runs: else some would always hide behind others. */
function drawRates(dice: Dice): FaultRates {
  const rates = { ...noFaults };
  if (dice.chance(0.15)) return rates;
  for (const name of faultNames) if (dice.chance(0.5)) rates[name] = dice.pick([0.01, 0.03, 0.1]);
  if (rates.dropped > 0) rates.dropped = dice.pick([0.1, 0.3]);
  return rates;
}

/** A repository from before us: an index, and packages that mostly are in it. */
function drawPast(
  dice: Dice,
  repositoriesUsed: readonly string[],
  namesUsed: readonly string[],
  indexes?: readonly OldIndex[],
): Deed[] {
  const past: Deed[] = [];
  for (const repository of repositoriesUsed) {
    for (const name of namesUsed) {
      const key = keyOf(repository, name);
      if (dice.chance(0.85))
        past.push({ id: `old ${key}`, at: 0, kind: 'old-package', key, name, content: dice.pick(packageKinds) });
    }
    for (const { file, by } of indexes ?? drawIndexes(dice))
      past.push({ id: `old ${repository}/${file}`, at: 0, kind: 'old-index', repository, file, by });
  }
  return past;
}

type OldIndex = Pick<DeedOf<'old-index'>, 'file' | 'by'>;

const ourIndexes: readonly OldIndex[] = [
  { file: 'pkg_summary.gz', by: 'us' },
  { file: 'pkg_summary.zst', by: 'us' },
];

function drawIndexes(dice: Dice): OldIndex[] {
  const files = ['pkg_summary.gz', 'pkg_summary.zst', 'pkg_summary.bz2'];
  return files.flatMap((file) => {
    const by = file !== 'pkg_summary.bz2' && dice.chance(0.4) ? 'us' : 'others';
    return dice.chance(0.5) ? [{ file, by }] : [];
  });
}

type WithoutMoment<Of> = Of extends Deed ? Omit<Of, 'id' | 'at'> : never;

function drawDeed(dice: Dice, theme: Theme, place: () => { repository: string; name: string }): WithoutMoment<Deed> {
  const { repository, name } = place();
  const key = keyOf(repository, name);
  const kind = dice.weighted({ ...deedWeights, ...weightsFor[theme] });
  switch (kind) {
    case 'upload':
      return { kind, key, name, content: dice.chance(0.6) ? dice.pick(['plain', 'other']) : dice.pick(packageKinds) };
    case 'delete':
      return { kind, key };
    case 'rename':
      return { kind, key, to: dice.chance(0.3) ? keyOf(repository, 'renamed-9') : keyOf(place().repository, name) };
    case 'reindex':
      return { kind, prefix: dice.pick(['', '', repository]), force: dice.chance(0.2) };
    case 'summarize':
      return { kind, repository };
    case 'switch-formats':
      return { kind, formats: dice.pick([indexFormatNames, ['gz'], ['zst']]) };
    case 'change-rules':
      return { kind, rules: { architectures: dice.pick([[], ['x'], ['y'], architectures]) } };
    case 'step-clock':
      return { kind, milliseconds: dice.pick([-2_000, -1_000, 1_000, 2_000]) };
    case 'foreign-index':
      return {
        kind,
        repository,
        file: dice.pick(['pkg_summary.gz', 'pkg_summary.zst', 'pkg_summary.xz']),
        by:
          theme === 'return'
            ? dice.pick(['others', 'another repository of ours'])
            : dice.pick(['others', 'others', 'a copy of ours', 'a version of ours']),
      };
    case 'vanish':
    case 'confirm':
      return { kind, repository };
    case 'return':
      return { kind, repository, of: place().repository };
  }
}

function keyOf(repository: string, name: string): string {
  return repository === '' ? `${name}.tgz` : `${repository}/${name}.tgz`;
}

const plainSetting: Setting = {
  store: 's3',
  rowsPerPage: 1,
  objectsPerPage: 2,
  extractCopies: 2,
  summarizeCopies: 2,
  hintsPerBatch: 2,
  visibilityMilliseconds: 1_000,
  windowMilliseconds: 50,
  triesMax: 5,
  formats: indexFormatNames,
  page: true,
  blockBytes: 300,
  maxShrink: undefined,
  refused: undefined,
  retriesByHint: false,
  faults: noFaults,
};

/** Nothing by chance: for faults at every place. */
export const plainPlans: Readonly<Record<string, Plan>> = {
  'a package comes, is replaced, and goes': {
    seed: 1,
    setting: plainSetting,
    deeds: [
      { id: 'upload', at: 0, kind: 'upload', key: 'All/a-1.0.tgz', name: 'a-1.0', content: 'plain' },
      { id: 'replace', at: 250, kind: 'upload', key: 'All/a-1.0.tgz', name: 'a-1.0', content: 'wide' },
      { id: 'another', at: 260, kind: 'upload', key: 'All/c-3.0nb1.tgz', name: 'c-3.0nb1', content: 'cut' },
      { id: 'remove', at: 1_700, kind: 'delete', key: 'All/a-1.0.tgz' },
    ],
  },
  'a repository is adopted': {
    seed: 2,
    setting: { ...plainSetting, store: 'directory' },
    deeds: [
      { id: 'old a', at: 0, kind: 'old-package', key: 'All/a-1.0.tgz', name: 'a-1.0', content: 'plain' },
      { id: 'old b', at: 0, kind: 'old-package', key: 'All/b+-2.0.tgz', name: 'b+-2.0', content: 'plain' },
      { id: 'old gz', at: 0, kind: 'old-index', repository: 'All', file: 'pkg_summary.gz', by: 'others' },
      { id: 'old bz2', at: 0, kind: 'old-index', repository: 'All', file: 'pkg_summary.bz2', by: 'others' },
      { id: 'upload', at: 0, kind: 'upload', key: 'All/c-3.0nb1.tgz', name: 'c-3.0nb1', content: 'plain' },
      { id: 'adopt', at: 150, kind: 'reindex', prefix: '', force: false },
      { id: 'remove', at: 160, kind: 'delete', key: 'All/b+-2.0.tgz' },
    ],
  },
};
