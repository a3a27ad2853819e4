/** The package browser of the sources that are here. */

import { packagesPage } from '../../functions/adapters/pages.ts';
import { RepositoryPage } from '../../functions/page/page.ts';

export const bundledPage = new RepositoryPage(await packagesPage());
