/** `npm run sbom`: the bill of materials of this project, all packages of package-lock.json, as CycloneDX into build/sbom.cdx.json. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runNpm } from './npm-process.ts';

export interface BillOfMaterials {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: { name: string; readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses?: readonly unknown[];
    readonly hashes?: readonly unknown[];
  }[];
}

/** From the lock file alone: so packages for other machines than this one are in it, too. */
export async function billOfMaterials(): Promise<BillOfMaterials> {
  const format = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const output = await runNpm(['sbom', ...format, '--package-lock-only']);
  const bill = JSON.parse(output) as BillOfMaterials;
  const { name } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { name: string };
  // npm takes the name of the directory for that of the project.
  bill.metadata.component.name = name;
  return bill;
}

if (import.meta.main) {
  const bill = await billOfMaterials();
  const file = fileURLToPath(new URL('../build/sbom.cdx.json', import.meta.url));
  await mkdir(fileURLToPath(new URL('../build', import.meta.url)), { recursive: true });
  await writeFile(file, `${JSON.stringify(bill, undefined, 2)}\n`);
  console.log(`${file}: ${bill.components.length} packages, CycloneDX ${bill.specVersion}`);
}
