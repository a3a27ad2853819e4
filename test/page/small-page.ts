/** Stands for the package browser where only the list in it is of interest: nothing has to be bundled. */

import { PageTemplate } from '../../functions/page/page.ts';

export const smallPage = new PageTemplate(`<!doctype html>
<meta name="generator" content="pkgsrc-indexer">
<title>Packages</title>
<script>show()</script>
<noscript><pre>
{{links}}</pre></noscript>
`);
