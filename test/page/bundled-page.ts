/** The package browser of the sources that are here. */

import { packagesPage } from '../../functions/adapters/pages.ts';
import { PageTemplate } from '../../functions/page/page.ts';

export const bundledPage = new PageTemplate(await packagesPage());
