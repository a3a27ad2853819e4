/**
 * Puts finished pages into a bundle, in place of functions/adapters/pages.ts: where the bundle runs there is neither esbuild nor a
 * source. What a bundle does not use of them is left out of it. For every bundle of ours: Lambda's, and that of an installed package.
 */

import type { Plugin } from 'esbuild';
import { loadPage } from '../functions/adapters/pages.ts';

export const embeddedPages: Plugin = {
  name: 'embedded pages',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]functions[/\\]adapters[/\\]pages\.ts$/ }, async () => {
      const [packages, operations, site] = await Promise.all(
        (['packages', 'operations', 'site'] as const).map((name) => loadPage(name)),
      );
      const served = (page: typeof site) => JSON.stringify({ html: page?.html, policy: page?.policy });
      return {
        contents: `
          export const packagesPage = async () => ${JSON.stringify(packages?.html)};
          export const operationsPage = async () => (${served(operations)});
          export const sitePage = async () => (${served(site)});
        `,
      };
    });
  },
};
