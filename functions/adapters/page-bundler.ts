/**
 * Bundles what runs in a browser (functions/browser/) into pages of one file each. It takes esbuild and a tenth of a second: see
 * pages.ts, which keeps the result.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';

/** The repository's root, which every path of a source is relative to. */
export const root = join(import.meta.dirname, '../..');

export interface BundledPage {
  readonly html: string;
  /** The Content-Security-Policy that belongs to it: to be sent as a header, unless the page has it in a `<meta>`. */
  readonly policy: string;
  /** Files that it was made of, relative to `root`. */
  readonly sources: readonly string[];
}

interface PageRecipe {
  readonly directory: string;
  /** Goes before the script: the licences of the libraries in it ask for that. */
  readonly notice: string;
  readonly directives: readonly string[];
  readonly trustedTypes: string;
}

const sameForAll = ["connect-src 'self'", 'img-src data:', "base-uri 'none'", "form-action 'none'"];

const recipes = {
  packages: {
    directory: 'functions/browser/packages',
    notice:
      '/*! With preact (c) Jason Miller, uFuzzy (c) Leon Sorokin, fflate and fzstd (c) Arjun Barrett; MIT licence */',
    // Its policy is a meta element, since S3 sends no headers of ours. HTML forbids frame-ancestors there: that is up to the server.
    directives: [...sameForAll, 'worker-src blob:'],
    trustedTypes: 'catalogue',
  },
  operations: {
    directory: 'functions/browser/operations',
    notice: '/*! With preact (c) Jason Miller; MIT licence */',
    directives: [...sameForAll, "frame-ancestors 'none'"],
    trustedTypes: "'none'",
  },
  // What is around the pages that the server renders: it has a form, and no data of its own.
  site: {
    directory: 'functions/browser/site',
    notice: '/*! With preact (c) Jason Miller; MIT licence */',
    directives: ["img-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
    trustedTypes: "'none'",
  },
} as const satisfies Record<string, PageRecipe>;

export type PageName = keyof typeof recipes;

/** The same bytes for the same sources and the same version of esbuild. @throws esbuild's BuildFailure, with file and line. */
export async function bundlePage(name: PageName): Promise<BundledPage> {
  const recipe: PageRecipe = recipes[name];
  const template = join(recipe.directory, 'page.html');
  const { buildSync } = await import('esbuild');
  const bundle = (entry: string): Bundle => {
    // Synchronous, because the asynchronous one leaves a process of esbuild behind, which serve would keep for good.
    const { outputFiles, metafile } = buildSync({ ...options, entryPoints: [join(recipe.directory, entry)] });
    const text = outputFiles[0]?.text.trim() ?? '';
    // It would end the element around it, or (`<!--`) change how the rest of it is parsed.
    if (/<\/(?:script|style)|<!--/i.test(text))
      throw new Error(`${recipe.directory}/${entry}: the bundle contains markup; write that text another way`);
    return { text, sources: Object.keys(metafile.inputs) };
  };
  const html = await readFile(join(root, template), 'utf8');
  const style = bundle('page.css');
  const main = bundle('main.tsx');
  const script = recipe.notice + main.text;
  const policy = policyFor(script, style.text, recipe);
  const parts: Readonly<Record<string, string>> = { style: style.text, script, policy };
  return {
    html: html.replace(/\{\{(\w+)\}\}/g, (mark, part: string) => parts[part] ?? mark),
    policy,
    sources: [...new Set([template, ...style.sources, ...main.sources])].sort(),
  };
}

interface Bundle {
  readonly text: string;
  readonly sources: readonly string[];
}

const options = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: 'iife',
  platform: 'browser',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  charset: 'utf8',
  legalComments: 'none',
} as const satisfies BuildOptions;

/**
 * Allows this script and this style and nothing from elsewhere. No text becomes code or markup (trusted types), except through the
 * policy that is named.
 */
function policyFor(script: string, style: string, { directives, trustedTypes }: PageRecipe): string {
  const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    ...directives,
    "require-trusted-types-for 'script'",
    `trusted-types ${trustedTypes}`,
  ].join('; ');
}
