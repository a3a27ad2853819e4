/** What a deployment will do: the built functions, the template, and what `deploy` does besides. Made without AWS. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { count } from '../../functions/wording.ts';
import { indexerApp } from '../../infra/app.ts';
import { notFoundKey } from '../../infra/not-found-page.ts';
import type { IndexerOptions } from '../../infra/options.ts';
import { expectRolesFit } from '../../infra/role-size.ts';
import { buildBundles } from '../build.ts';
import { describeRule } from './bucket-notifications.ts';
import { bucketNameFor, type CodeAsset, defaultCodeBucket, readAssets } from './code.ts';
import { ourRules, rulesOf } from './notification-rules.ts';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

export interface Plan {
  readonly options: IndexerOptions;
  readonly templateFile: string;
  readonly template: Template;
  readonly assets: readonly CodeAsset[];
  /** May contain placeholders (`bucketNameFor`). */
  readonly codeBucket: string;
}

export interface PlanPlaces {
  /** The directory of functions that are built already. */
  readonly bundles: string | undefined;
  /** Where to write the template. */
  readonly outdir: string;
  /** The region, if a flag names it. */
  readonly region: string | undefined;
}

/**
 * Builds the functions and the template.
 * @throws {BadOption} where a role would be too large.
 */
export async function makePlan(asked: IndexerOptions, { bundles, outdir, region }: PlanPlaces): Promise<Plan> {
  if (bundles === undefined) await buildBundles();
  const codeBucket = asked.assetBucket ?? defaultCodeBucket;
  const options = { ...asked, assetBucket: codeBucket };
  const assembly = indexerApp(options, resolve(outdir)).synth();
  const templateFile = assembly.getStackByName(options.stack).templateFullPath;
  const template: Template = JSON.parse(await readFile(templateFile, 'utf8'));
  expectRolesFit(template, { stack: options.stack, region });
  return {
    options,
    templateFile,
    template,
    assets: await readAssets(assembly.directory, options.stack),
    codeBucket,
  };
}

/** What --dry-run prints. */
export function describePlan({ options, template, templateFile, assets, codeBucket }: Plan): string {
  const { stack, bucket, prefixes, cdn } = options;
  const resources = Object.values(template.Resources);
  const byType = Object.entries(Object.groupBy(resources, ({ Type: type }) => type)).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const isExisting = bucket.kind === 'existing';
  const codeBucketName = bucketNameFor(codeBucket, { account: 'ACCOUNT', region: 'REGION' });
  const zips = assets.filter(({ packaging }) => packaging === 'zip');
  return [
    'Dry run: nothing was changed. The steps of this deployment:',
    '',
    `1. Upload the code of the functions (${count(zips.length, 'zip')}) to the bucket ${codeBucketName}; create the bucket if it is missing`,
    `2. Create or change the stack ${stack} (${count(resources.length, 'resource')}):`,
    ...byType.map(([type, same = []]) => `     ${String(same.length).padStart(3)}  ${type}`),
    isExisting
      ? `3. Add these notification rules to those of the existing bucket ${bucket.name}:`
      : `3. Nothing more: the stack contains the new bucket ${bucket.name ?? `${stack}-ACCOUNT-REGION`} with its notification rules`,
    ...(isExisting
      ? rulesOf({ QueueConfigurations: ourRules({ stack, queueArn: "the stack's queue" }, prefixes) }).map(
          (rule) => `     ${describeRule(rule)}`,
        )
      : []),
    ...('BucketPolicyStatement' in template.Outputs
      ? ['   and add a statement to its policy: CloudFront may read']
      : []),
    ...(cdn ? [`   Put the answer for missing keys, ${notFoundKey(prefixes)}`] : []),
    '4. Start the first reindex, which sends a hint for every package',
    '',
    `Template: ${templateFile}`,
  ].join('\n');
}
