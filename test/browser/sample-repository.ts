/** A small repository in which everything occurs that the page shows, and one record that is up to no good. */

import { readFileSync } from 'node:fs';

/** A variable's value, or its values. */
export type RecordVariables = Readonly<Record<string, string | readonly string[]>>;

export function record(variables: RecordVariables): string {
  const lines = Object.entries(variables).flatMap(([variable, value]) =>
    [value].flat().map((each) => `${variable}=${each}\n`),
  );
  return `${lines.join('')}\n`;
}

export function packageRecord(name: string, more: RecordVariables = {}): string {
  return record({
    PKGNAME: name,
    COMMENT: `About ${name}`,
    SIZE_PKG: '4000',
    BUILD_DATE: '2026-07-24 02:36:42 +0000',
    CATEGORIES: 'misc',
    MACHINE_ARCH: 'x86_64',
    OPSYS: 'NetBSD',
    OS_VERSION: '10.1',
    PKGPATH: `misc/${name.replace(/-[^-]*$/, '')}`,
    FILE_NAME: `${name}.tgz`,
    FILE_SIZE: '1000',
    DESCRIPTION: [`What ${name} is.`, '', 'And more of it.'],
    ...more,
  });
}

/** What a hostile record has in every field: it would show itself by an element, by a dialog or by a request. */
export const markup = `<img src="/stolen" onerror="alert(1)"><script>alert(2)</script></script><b>"'&amp;{{7*7}}\${alert(3)}`;

export const hostileName = `<img src=x onerror=alert(1)>"'&lt;-1.0`;

const hostileRecord = record({
  PKGNAME: hostileName,
  DEPENDS: [`${markup}>=1`, 'libfoo>=1', '{'.repeat(30)],
  CONFLICTS: `${markup}-[0-9]*`,
  COMMENT: `hostile ${markup}`,
  SIZE_PKG: markup,
  BUILD_DATE: markup,
  CATEGORIES: `misc ${markup}`,
  PROVIDES: `/usr/pkg/lib/${markup}`,
  REQUIRES: `/usr/pkg/lib/${markup}.so`,
  PKG_OPTIONS: markup,
  OPSYS: markup,
  OS_VERSION: markup,
  MACHINE_ARCH: markup,
  LICENSE: markup,
  HOMEPAGE: 'javascript:alert(4)//http://example.org/',
  PKGPATH: markup,
  PREV_PKGPATH: markup,
  SUPERSEDES: markup,
  PKGTOOLS_VERSION: markup,
  FILE_NAME: `${hostileName}.tgz`,
  FILE_SIZE: '666',
  DESCRIPTION: [markup, '</noscript></style></textarea><!--', markup],
});

export const sampleRecords: readonly string[] = [
  hostileRecord,
  packageRecord('app-2.0', {
    DEPENDS: ['libfoo>=1.0', '{mysql,mariadb}-client-[0-9]*', 'nosuch>=3.1', 'libfoo-[0-9]*', 'gtk2+>=2.0'],
    CONFLICTS: ['app1-[0-9]*', 'none-[0-9]*'],
    COMMENT: 'Application that shows everything',
    CATEGORIES: 'www net',
    HOMEPAGE: 'https://example.org/app',
    LICENSE: 'apache-2.0 OR mit',
    PKG_OPTIONS: 'ssl inet6',
    REQUIRES: ['/usr/pkg/lib/libfoo.so.1', '/usr/pkg/lib/libgone.so.2', '/usr/lib/libc.so.12'],
    SUPERSEDES: 'oldapp-[0-9]*',
    BUILD_DATE: '2026-08-01 10:00:00 +0000',
    FILE_SIZE: '2500000',
    SIZE_PKG: '9000000',
  }),
  packageRecord('app1-1.0', { CATEGORIES: 'www' }),
  packageRecord('gtk2+-2.24.33', { CATEGORIES: 'x11', DEPENDS: 'libfoo>=1.1', FILE_SIZE: '7000000' }),
  packageRecord('libfoo-1.0', { CATEGORIES: 'devel' }),
  packageRecord('libfoo-1.10', {
    CATEGORIES: 'devel',
    PROVIDES: ['/usr/pkg/lib/libfoo.so.1', '/usr/pkg/lib/libfoo.so'],
    BUILD_DATE: '2026-05-02 00:00:00 +0200',
  }),
  packageRecord('libfoo-1.9', { CATEGORIES: 'devel' }),
  packageRecord('mariadb-client-10.6', { CATEGORIES: 'databases' }),
  packageRecord('mysql-client-8.0', { CATEGORIES: 'databases', COMMENT: 'Größe in Latin-1 and UTF-8' }),
  packageRecord('twice-1.0', { FILE_NAME: 'twice-1.0.tgz' }),
  packageRecord('twice-1.0', { FILE_NAME: 'twice-copy.tgz', FILE_SIZE: '1001' }),
  packageRecord('zlast-alpha', { COMMENT: 'The last of all', FILE_SIZE: '50' }),
];

export const sampleSummary: Buffer = Buffer.concat(
  // One of them in Latin-1, as records may be.
  sampleRecords.map((text) => Buffer.from(text, text.includes('mysql-client') ? 'latin1' : 'utf8')),
);

/** FILE_NAMEs, in the order of the records. */
export function filesOf(summary: Uint8Array): string[] {
  const text = Buffer.from(summary).toString();
  return [...text.matchAll(/^FILE_NAME=(.*)$/gm)].map(([, file = '']) => file);
}

/** A repository of the size of pkgsrc, made up; the same every time. */
export function largeSummary(packages: number): Buffer {
  const categories = ['devel', 'net', 'www', 'textproc', 'python', 'perl5', 'games', 'x11'];
  const records = Array.from({ length: packages }, (_, index) => {
    const name = `${['lib', 'py313-', 'p5-', 'app'][index % 4]}${((index * 7919) % packages).toString(36)}-${index % 20}.${index % 7}`;
    return packageRecord(name, {
      DEPENDS: [1, 2, 3, 4, 5].map((step) => `lib${((index * 7919 * step) % packages).toString(36)}>=0`),
      CATEGORIES: [categories[index % 8], categories[(index * 5) % 8]].join(' '),
      COMMENT: `Package number ${index} for JSON and other things`,
      FILE_SIZE: String(1 + ((index * 104_729) % 5_000_000)),
      BUILD_DATE: `2026-0${1 + (index % 9)}-1${index % 10} 12:00:00 +0000`,
      DESCRIPTION: Array.from({ length: 8 }, (_, line) => `Line ${line} of the description of package ${index}.`),
    });
  });
  return Buffer.from(records.join(''));
}

/** Of real names, 27,699 records, beside the project; undefined where it is absent. */
export function realisticIndex(): Buffer | undefined {
  try {
    return readFileSync(new URL('../../../shared/data/pkg_summary-27k.zst', import.meta.url));
  } catch {
    return undefined;
  }
}
