/** What a deployment is to be, before anybody is asked: the built functions, the template, and what goes beside it. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { count } from '../../functions/wording.ts';
import { indexerApp } from '../../infra/app.ts';
import type { IndexerOptions } from '../../infra/options.ts';
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
  /** Perhaps with placeholders: `bucketNameFor`. */
  readonly codeBucket: string;
}

/**
 * Builds and synthesizes; asks nobody.
 * @param bundles where the functions have been built already.
 */
export async function makePlan(asked: IndexerOptions, bundles: string | undefined, outdir: string): Promise<Plan> {
  if (bundles === undefined) await buildBundles();
  const codeBucket = asked.assetBucket ?? defaultCodeBucket;
  const options = { ...asked, assetBucket: codeBucket };
  const assembly = indexerApp(options, resolve(outdir)).synth();
  const templateFile = assembly.getStackByName(options.stack).templateFullPath;
  return {
    options,
    templateFile,
    template: JSON.parse(await readFile(templateFile, 'utf8')),
    assets: await readAssets(assembly.directory, options.stack),
    codeBucket,
  };
}

/** What --dry-run prints. */
export function describePlan({ options, template, templateFile, assets, codeBucket }: Plan): string {
  const { stack, bucket, prefixes } = options;
  const resources = Object.values(template.Resources);
  const byType = Object.entries(Object.groupBy(resources, ({ Type: type }) => type)).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const isExisting = bucket.kind === 'existing';
  const codeBucketName = bucketNameFor(codeBucket, { account: 'ACCOUNT', region: 'REGION' });
  const zips = assets.filter(({ packaging }) => packaging === 'zip');
  return [
    'What would be done. AWS was not asked, and nothing was changed.',
    '',
    `1. The code of the functions, ${count(zips.length, 'zip')}, into the bucket ${codeBucketName}, which is made if it is missing`,
    `2. The stack ${stack}, ${count(resources.length, 'resource')}:`,
    ...byType.map(([type, same = []]) => `     ${String(same.length).padStart(3)}  ${type}`),
    isExisting
      ? `3. In the bucket ${bucket.name}, which is there already and stays as it is, these notification rules beside its own:`
      : `3. Nothing beside the stack: the new bucket ${bucket.name ?? `${stack}-ACCOUNT-REGION`} has its notification rules in the template`,
    ...(isExisting
      ? rulesOf({ QueueConfigurations: ourRules({ stack, queueArn: "the stack's queue" }, prefixes) }).map(
          (rule) => `     ${describeRule(rule)}`,
        )
      : []),
    ...('BucketPolicyStatement' in template.Outputs
      ? ['   and in its policy one statement more: CloudFront may read']
      : []),
    '4. A first reindex, which sends a hint for every package that is there',
    '',
    `Template: ${templateFile}`,
  ].join('\n');
}
