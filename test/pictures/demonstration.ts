/** A small repository to show: names, comments and dependencies as pkgsrc has them, and a few things that are wrong. */

import { makePackage } from '../package-maker.ts';

type Described = readonly [name: string, categories: string, comment: string, depends?: readonly string[]];

const packages: readonly Described[] = [
  ['apache-2.4.66', 'www', 'Apache HTTP (Web) server, version 2.4', ['apr>=1.7', 'openssl>=3.5', 'pcre2>=10.21']],
  ['apr-1.7.6', 'devel', 'Apache Portable Runtime', ['openssl>=3.0']],
  ['bash-5.3.3', 'shells', 'The GNU Bourne Again Shell', ['readline>=8.3']],
  ['curl-8.17.0', 'www', 'Client that groks URLs', ['nghttp2>=1.65', 'openssl>=3.5']],
  [
    'ffmpeg8-8.0.1',
    'multimedia',
    'Decoding, encoding and streaming software',
    ['libvpx>=1.15', 'x264-devel>=20250101'],
  ],
  [
    'git-base-2.52.0',
    'devel',
    'GIT Tree History Storage Tool (base package)',
    ['curl>=8.0', 'pcre2>=10.21', 'perl>=5.0'],
  ],
  [
    'git-base-2.51.2',
    'devel',
    'GIT Tree History Storage Tool (base package)',
    ['curl>=8.0', 'pcre2>=10.21', 'perl>=5.0'],
  ],
  ['go125-1.25.5', 'lang', 'The Go programming language'],
  ['gtk2+-2.24.33', 'x11', 'GIMP Toolkit v2 - libraries for building X11 user interfaces', ['libpng>=1.6']],
  ['libpng-1.6.53', 'graphics', 'Library for manipulating PNG images', ['zlib>=1.2']],
  ['libvpx-1.15.2', 'multimedia', 'VP8/VP9 codec library'],
  ['lua54-5.4.8', 'lang', 'Powerful, fast, lightweight, embeddable scripting language'],
  ['mosquitto-2.0.22', 'net', 'Open Source MQTT broker', ['openssl>=3.0']],
  ['neovim-0.11.5', 'editors', 'Literally the future of vim', ['lua54>=5.4', 'tree-sitter>=0.25']],
  ['nghttp2-1.68.0', 'www', 'Implementation of HTTP/2 in C'],
  ['nginx-1.28.1', 'www', 'Lightweight HTTP server and mail proxy server', ['openssl>=3.5', 'pcre2>=10.21']],
  ['nodejs-24.12.0', 'lang', 'V8 JavaScript for clients and servers', ['openssl>=3.5', 'zlib>=1.2', 'python313>=3.13']],
  ['openssl-3.5.4', 'security', 'Secure Socket Layer and cryptographic library'],
  ['pcre2-10.47', 'devel', 'Perl Compatible Regular Expressions library (major version 2)'],
  ['perl-5.42.0', 'lang', 'Practical Extraction and Report Language'],
  ['pkgin-26.4.0', 'pkgtools', 'Apt / yum like tool for managing pkgsrc binary packages', ['sqlite3>=3.40']],
  ['postgresql18-server-18.1', 'databases', 'PostgreSQL database server programs', ['openssl>=3.0', 'readline>=8.0']],
  [
    'python313-3.13.11',
    'lang',
    'Interpreted, interactive, object-oriented programming language',
    ['openssl>=3.0', 'sqlite3>=3.40'],
  ],
  ['readline-8.3', 'devel', 'GNU library that can recall and edit previous input'],
  ['redis-8.4.0', 'databases', 'Persistent key-value database with built-in net interface'],
  ['ripgrep-15.1.0', 'textproc', 'Recursively searches directories for a regex pattern', ['pcre2>=10.21']],
  ['rust-1.91.1', 'lang', 'Safe, concurrent, practical language', ['curl>=8.0', 'openssl>=3.0']],
  ['sqlite3-3.51.1', 'databases', 'SQL Database Engine in a C Library'],
  ['tmux-3.6', 'misc', 'BSD-licensed terminal multiplexer (GNU screen alternative)', ['libevent>=2.1']],
  ['tree-sitter-0.25.10', 'textproc', 'Parser generator tool and incremental parsing library'],
  ['vim-9.1.1900', 'editors', 'Vim editor (vi clone) without GUI'],
  ['zlib-1.3.1', 'devel', 'General purpose data compression library'],
  ['zsh-5.9', 'shells', 'The Z shell'],
];

/** By the file's name. @param some which of them */
export function demonstrationPackages(some: (index: number) => boolean = () => true): Map<string, Buffer> {
  return new Map(
    packages.flatMap(([name, category, comment, depends = []], index) =>
      some(index) ? [[`${name}.tgz`, packageOf(name, category, comment, depends, index)] as const] : [],
    ),
  );
}

/** One that was damaged (a truncated one would be read only after a minute), and one that is not a package. */
export function badPackages(): Map<string, Buffer> {
  const libevent = packageOf('libevent-2.1.12', 'devel', 'Asynchronous event notification library', [], 1);
  return new Map([
    ['libevent-2.1.12.tgz', libevent.fill(0, 60, 120)],
    ['x264-devel-20250910.tgz', Buffer.from('<!doctype html><title>503 Service Unavailable</title>')],
  ]);
}

function packageOf(name: string, category: string, comment: string, depends: readonly string[], index: number): Buffer {
  const base = name.replace(/-[^-]*$/, '');
  const day = String(1 + ((index * 7) % 27)).padStart(2, '0');
  return makePackage({
    name,
    comment: `${comment}\n`,
    description: `${comment}.\n\nMade up for this picture.\n`,
    packingList: depends.map((pattern) => `@pkgdep ${pattern}`),
    buildInfo: [
      `CATEGORIES=${category}`,
      `HOMEPAGE=https://www.example.org/${base}/`,
      'MACHINE_ARCH=x86_64',
      'OPSYS=NetBSD',
      'OS_VERSION=10.1',
      `PKGPATH=${category}/${base}`,
      `BUILD_DATE=2026-${index % 3 === 0 ? '10' : '11'}-${day} 02:36:42 +0000`,
      '',
    ].join('\n'),
    sizePkg: `${40_000 + 91_733 * index}\n`,
    payload: { [`bin/${base}`]: 2_000 + 1_741 * ((index * 13) % 29) },
  });
}
