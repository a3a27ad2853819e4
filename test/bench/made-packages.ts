/**
 * Packages and rows as a real repository has them, from a seed: names in families, versions, dependencies on one another, texts,
 * build information, packing lists with hashes, installation scripts; as long and as compressible as those of real packages
 * (measured on 389 packages of 2022 and on a summary of 27,699 records). Everything in them is made up.
 */

import type { PackageMetadata } from '../../functions/package/read-package.ts';
import type { IndexedRow } from '../../functions/ports.ts';
import { renderRecord } from '../../functions/record/record.ts';
import { defaultRules, fingerprintOf } from '../../functions/record/rules.ts';
import { makePackage, noise } from '../package-maker.ts';
import { SeededRandom } from './seeded-random.ts';

/** By how often they are used. */
const words =
  `the a of and to for in is with library it can that as from files on an be by tool data support module user
  interface package text file system provides program programs other application which using simple written use
  server language client format set based network window implementation database protocol command line code
  functions image web object graphics development python perl ruby small manager fast common portable collection
  utility access version control editor fonts display standard documents information time configuration name
  message mail key test framework test suite bindings parser generator desktop environment engine audio video
  stream terminal compression archive encryption signature certificate socket thread memory process service
  daemon monitor logging backup search query index table record field value string character encoding unicode
  locale calendar clock number matrix vector algebra geometry statistics plot chart map tree graph list queue
  stack hash cache buffer pipe filter plugin extension theme icon cursor toolkit widget menu dialog canvas
  sprite game puzzle chess card board arcade emulator simulator assembler compiler linker debugger profiler
  disassembler interpreter macro preprocessor template markup stylesheet validator converter viewer browser
  reader writer player recorder mixer synthesizer tracker sampler scanner printer spooler scheduler planner
  notebook spreadsheet presentation typesetting bibliography dictionary thesaurus spelling hyphenation
  translation transliteration phonetics astronomy chemistry physics biology genomics geography meteorology
  cryptography steganography forensics benchmark coverage fixture assertion mock stub recursion iterator`
    .trim()
    .split(/\s+/);

/** Ten thousand more, which hardly anybody uses: names, terms. */
const rareWords = madeWords(10_000);

/** Each of a project's packages has one of these; its texts are the same in all of them. */
const families = [
  ['', ''],
  ['', '-docs'],
  ['py310-', 'py311-', 'py312-', 'py313-'],
  ['p5-'],
  ['lib', ''],
  ['ruby32-', 'ruby33-'],
  ['R-'],
  ['php83-', 'php84-'],
];
const categories =
  'devel textproc www net graphics audio math security misc games lang x11 fonts databases sysutils'.split(' ');
const licenses = [
  'gnu-gpl-v2',
  'modified-bsd',
  'mit',
  'gnu-lgpl-v2.1',
  'apache-2.0',
  'gnu-gpl-v3',
  'artistic OR gnu-gpl-v2',
];
const directories = [
  'bin',
  'lib',
  'share/doc',
  'man/man1',
  'include',
  'share/examples',
  'lib/site-packages',
  'share/locale',
];
const suffixes = ['', '.so', '.html', '.1', '.h', '.txt', '.py', '.mo', '.pm', '.png'];

export interface MadePackage {
  /** With the version. */
  readonly name: string;
  readonly file: string;
  /** Those that the record is made of. */
  readonly packingList: readonly string[];
  readonly comment: string;
  readonly description: string;
  readonly buildInfo: string;
  readonly sizePkg: string;
  /** Bytes of the payload. */
  readonly payloadBytes: number;
  /** For the other parts, which most uses do without; undefined: a packing list of one file, and no scripts. */
  readonly seed: number | undefined;
}

export interface MadeOptions {
  readonly seed?: number;
  /** Bytes of the payload of each; by default as in real packages, a median of 100 KB. */
  readonly payloadBytes?: number;
}

/** The same seed gives the same packages; more of them begin with the same ones. */
export function* madePackages(count: number, { seed = 1, payloadBytes }: MadeOptions = {}): Generator<MadePackage> {
  const random = new SeededRandom(seed);
  const known = new Set<string>();
  /** Patterns that others depend on, those of the first packages most. */
  const patterns: string[] = ['gmake>=3.81', 'pkgconf>=1.8'];
  for (let made = 0; made < count; ) {
    const project = madeProject(random, known, patterns);
    patterns.push(`${project.stem}>=${project.version}`);
    for (const name of project.names) {
      if (made === count || known.has(name)) continue;
      known.add(name);
      made += 1;
      yield madePackage(random, project, name, payloadBytes);
    }
  }
}

/** A summary's worth of rows, without their packages; not in the order of their names. */
export function* madeRows(count: number, repository: string, options: MadeOptions = {}): Generator<IndexedRow> {
  for (const made of madePackages(count, options)) yield rowOf(made, repository);
}

/** @param version of the package's content: another one is another upload. */
export function rowOf(made: MadePackage, repository: string, version = 1): IndexedRow {
  const { file, payloadBytes } = made;
  const parts: PackageMetadata = {
    contents: Buffer.from(`${made.packingList.join('\n')}\n`),
    comment: Buffer.from(made.comment),
    description: Buffer.from(made.description),
    buildInfo: Buffer.from(made.buildInfo),
    sizePkg: Buffer.from(made.sizePkg),
    signature: undefined,
  };
  const size = payloadBytes + 4_000 + version;
  const date = new Date(Date.UTC(2026, 0, 1) + 1_000 * version);
  return {
    repository,
    file,
    etag: `${file}-${version}`,
    size,
    lastModified: date,
    indexedAt: date,
    rules: fingerprintOf(defaultRules),
    state: 'indexed',
    record: renderRecord(parts, file, size),
    warnings: [],
  };
}

/** The package's file, as pkg_create writes it. */
export function packageBytes(made: MadePackage): Buffer {
  const payload = { 'share/payload': noise(made.payloadBytes) };
  return makePackage({ metadata: metadataOf(made), payload, headers: 'pax' });
}

/** All metadata files of a package, by their names. */
export function metadataOf(made: MadePackage) {
  const random = new SeededRandom(made.seed ?? 0);
  const files = made.seed === undefined ? ['share/payload', `@comment MD5:${random.hex(32)}`] : madeFileList(random);
  const base = {
    '+CONTENTS': [...made.packingList, ...files, ''].join('\n'),
    '+COMMENT': made.comment,
    '+DESC': made.description,
  };
  const sizes = { '+SIZE_PKG': made.sizePkg, '+SIZE_ALL': made.sizePkg };
  if (made.seed === undefined) return { ...base, '+BUILD_INFO': made.buildInfo, ...sizes };
  const scripts = { '+INSTALL': madeScript(random, 'INSTALL'), '+DEINSTALL': madeScript(random, 'DEINSTALL') };
  return {
    ...base,
    ...(random.isTrue(0.7) ? scripts : {}),
    '+BUILD_VERSION': madeBuildVersion(random, made.name),
    '+BUILD_INFO': made.buildInfo.replace(/^(?=HOMEPAGE=)/m, madeBuildEnvironment(random, made.name)),
    ...sizes,
  };
}

/** Packages of one source: one for each Python, say. */
interface Project {
  readonly stem: string;
  readonly version: string;
  readonly names: readonly string[];
  readonly category: string;
  readonly comment: string;
  readonly description: string;
  readonly packingList: readonly string[];
  readonly license: string;
}

function madeProject(random: SeededRandom, known: Set<string>, patterns: readonly string[]): Project {
  const stem = madeStem(random, known);
  const version = madeVersion(random);
  const depends = Array.from({ length: Math.min(random.size(4, 2.2), 80) }, () => random.pickByRank(patterns));
  return {
    stem,
    version,
    names: random
      .pick(families)
      .map((family) => `${family.startsWith('-') ? stem + family : family + stem}-${version}`),
    category: random.pickByRank(categories),
    comment: `${capital(madeSentence(random, random.whole(3, 8)))}\n`,
    description: madeText(random, random.size(45, 2.2)),
    packingList: depends.flatMap((pattern) => [`@blddep ${pattern.replace('>=', '-')}`, `@pkgdep ${pattern}`]),
    license: random.pickByRank(licenses),
  };
}

function madeStem(random: SeededRandom, known: Set<string>): string {
  for (let tries = 0; ; tries += 1) {
    const length = random.whole(1, tries > 3 ? 4 : 2);
    const parts = Array.from({ length }, () =>
      random.isTrue(0.6) ? random.pick(words.slice(30)) : random.pick(rareWords),
    );
    const stem = parts.join(random.pick(['-', '-', '', '_'])) + (random.isTrue(0.1) ? random.whole(2, 9) : '');
    if (known.has(stem)) continue;
    known.add(stem);
    return stem;
  }
}

function madeVersion(random: SeededRandom): string {
  const version = `${random.whole(0, 9)}.${random.whole(0, 30)}${random.isTrue(0.6) ? `.${random.whole(0, 20)}` : ''}`;
  return random.isTrue(0.5) ? `${version}nb${random.whole(1, 20)}` : version;
}

function madePackage(
  random: SeededRandom,
  project: Project,
  name: string,
  payloadBytes = Math.min(random.size(100_000, 8), 20_000_000),
): MadePackage {
  const { stem, category, comment, description, license } = project;
  const buildInfo = [
    'ABI=64',
    `BUILD_DATE=${madeDate(random)} +0000`,
    `CATEGORIES=${category}`,
    `HOMEPAGE=https://www.${stem}.example/`,
    `LICENSE=${license}`,
    'MACHINE_ARCH=x86_64',
    'OPSYS=NetBSD',
    'OS_VERSION=10.1',
    `PKGPATH=${category}/${stem}`,
    'PKGTOOLS_VERSION=20091115',
    ...Array.from(
      { length: random.isTrue(0.2) ? random.size(2, 2.5) : 0 },
      () => `REQUIRES=/usr/pkg/lib/lib${random.pickByRank(words)}.so.0`,
    ),
  ];
  return {
    name,
    file: `${name}.tgz`,
    packingList: ['@cwd /usr/pkg', `@name ${name}`, ...project.packingList],
    comment,
    description,
    buildInfo: `${buildInfo.join('\n')}\n`,
    sizePkg: `${4 * payloadBytes + random.whole(0, 99_999)}\n`,
    payloadBytes,
    seed: random.whole(0, 2 ** 31),
  };
}

function madeFileList(random: SeededRandom): string[] {
  const lines: string[] = [];
  for (let files = Math.min(random.size(60, 4), 5_000); files > 0; files -= 1) {
    const file = `${random.pickByRank(directories)}/${random.pick(words)}/${random.pick(rareWords)}${random.pick(suffixes)}`;
    lines.push(file, `@comment MD5:${random.hex(32)}`);
  }
  lines.push('@cwd /usr/pkg');
  for (const file of ['+COMMENT', '+DESC', '+BUILD_VERSION', '+BUILD_INFO', '+SIZE_PKG', '+SIZE_ALL'])
    lines.push('@ignore', file);
  return lines;
}

/** As long as those of pkgsrc, which are all nearly the same. */
function madeScript(random: SeededRandom, kind: string): string {
  const lines = ['#!/bin/sh', '#', `# ${kind} script of a made package`, ''];
  for (let tool = 0; tool < 24; tool += 1) lines.push(`TOOL_${tool}="/usr/bin/${words[60 + tool]}"`);
  for (let part = 0; part < 40; part += 1) {
    lines.push('', `case "\${STAGE}" in`, `${words[100 + part]})`);
    lines.push(`\t\${TOOL_${part}} -f "\${PREFIX}/share/${random.pick(words)}" || exit 1`, '\t;;', 'esac');
  }
  return `${lines.join('\n')}\n`;
}

function madeBuildVersion(random: SeededRandom, path: string): string {
  const files = [
    'Makefile',
    'distinfo',
    'PLIST',
    ...Array.from({ length: random.size(1, 3) }, (_, n) => `patches/patch-${n}`),
  ];
  return files
    .map(
      (file) =>
        `${path}/${file}:\t$NetBSD: ${file},v 1.${random.whole(1, 90)} ${madeDate(random)} ${random.pick(words)} Exp $\n`,
    )
    .join('');
}

/** What is in +BUILD_INFO and not in the record. */
function madeBuildEnvironment(random: SeededRandom, name: string): string {
  const tools = Array.from({ length: random.whole(20, 60) }, (_, n) => {
    const tool = words[n + 40] ?? '';
    return `${tool.toUpperCase()}=/usr/pkgsrc/${name}/work/.tools/bin/${tool}\\ -I/usr/pkg/include`;
  });
  return [
    `BUILD_HOST=NetBSD builder${random.whole(1, 9)} 10.1 amd64`,
    'CFLAGS=-O2 -D_FORTIFY_SOURCE=2 -I/usr/pkg/include -I/usr/include',
    `CONFIGURE_ENV=${tools.join(' ')}`,
    'OBJECT_FMT=ELF',
    '',
  ].join('\n');
}

function madeDate(random: SeededRandom): string {
  return new Date(Date.UTC(2026, 0, 1) + 1_000 * random.whole(0, 17_000_000))
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ');
}

function madeSentence(random: SeededRandom, length: number): string {
  const word = () => (random.isTrue(0.55) ? random.pickByRank(words) : random.pick(rareWords));
  return Array.from({ length }, word).join(' ');
}

function madeWords(count: number): string[] {
  const random = new SeededRandom(7);
  const consonants = [
    'b',
    'c',
    'd',
    'f',
    'g',
    'h',
    'k',
    'l',
    'm',
    'n',
    'p',
    'r',
    's',
    't',
    'v',
    'w',
    'st',
    'tr',
    'ch',
    'pl',
  ];
  const syllable = () => random.pick(consonants) + random.pick([...'aeiou', 'ea', 'io', 'an', 'er', 'in', 'on', 'el']);
  return Array.from({ length: count }, () => Array.from({ length: random.whole(1, 4) }, syllable).join(''));
}

/** Lines of about 70 characters. */
function madeText(random: SeededRandom, length: number): string {
  return `${capital(madeSentence(random, length)).replace(/(.{60,75}) /g, '$1\n')}.\n`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
