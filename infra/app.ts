/**
 * The CDK app. `node infra/app.ts --bucket NAME …` writes the template to cdk.out (or $CDK_OUTDIR). It needs the bundles of
 * `npm run build`, but no credentials and no network. `cdk deploy --app cdk.out` can deploy it.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer, Stack } from 'aws-cdk-lib';
import { BadOption } from './bad-option.ts';
import { type IndexerFlags, type IndexerOptions, indexerOptions } from './options.ts';
import { Pipeline } from './pipeline.ts';
import { Serving } from './serving.ts';
import { Storage } from './storage.ts';
import { Watch } from './watch.ts';

/**
 * The app with its only stack; `.synth()` writes it.
 * @throws {BadOption} if the bundles have not been built.
 */
export function indexerApp(options: IndexerOptions, outdir: string): App {
  if (!existsSync(join(options.bundles, 'extract', 'index.js'))) {
    throw new BadOption(`${options.bundles} has no extract/index.js: build the functions first, npm run build.`);
  }
  const app = new App({
    outdir,
    analyticsReporting: false,
    treeMetadata: false,
    // Makes the CDK's own findings errors instead of warnings.
    context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
  });
  const stack = new Stack(app, options.stack, {
    description: 'Keeps the pkg_summary of pkgsrc package repositories up to date',
    synthesizer: deployersCredentials(options.assetBucket),
  });
  const storage = new Storage(stack, 'Storage', options);
  const pipeline = new Pipeline(stack, 'Pipeline', storage, options);
  new Serving(stack, 'Serving', storage, options);
  new Watch(stack, 'Watch', pipeline, options);
  return app;
}

/** Uses the deployer's own credentials for everything: of `cdk bootstrap`, this needs only the bucket for assets. */
function deployersCredentials(assetBucket: string | undefined): IStackSynthesizer {
  const synthesizer: unknown = new CliCredentialsStackSynthesizer(
    assetBucket === undefined ? {} : { fileAssetsBucketName: assetBucket },
  );
  // The library declares one optional property in two ways, which exactOptionalPropertyTypes does not accept.
  return synthesizer as IStackSynthesizer;
}

/** @throws {BadOption} for an unknown flag. */
export function flagsFrom(commandLine: readonly string[]): IndexerFlags {
  const values = parsed(commandLine);
  return {
    ...values,
    publicBucket: values['public-bucket'],
    alarmEmail: values['alarm-email'],
    kmsKey: values['kms-key'],
    requireSignature: values['require-signature'],
    allowSha1: values['allow-sha1'],
    keepTables: values['keep-tables'],
    assetBucket: values['asset-bucket'],
  };
}

function parsed(commandLine: readonly string[]) {
  try {
    return parseArgs({
      args: [...commandLine],
      allowNegative: true,
      options: {
        stack: { type: 'string' },
        bucket: { type: 'string' },
        existing: { type: 'boolean' },
        prefix: { type: 'string', multiple: true },
        arch: { type: 'string', multiple: true },
        trust: { type: 'string', multiple: true },
        'require-signature': { type: 'boolean' },
        'allow-sha1': { type: 'boolean' },
        deep: { type: 'boolean' },
        debounce: { type: 'string' },
        formats: { type: 'string' },
        page: { type: 'boolean' },
        cdn: { type: 'boolean' },
        'public-bucket': { type: 'boolean' },
        'alarm-email': { type: 'string' },
        'kms-key': { type: 'string' },
        'keep-tables': { type: 'boolean' },
        bundles: { type: 'string' },
        'asset-bucket': { type: 'string' },
      },
    }).values;
  } catch (error) {
    const isBadFlag = error instanceof TypeError && 'code' in error && /^ERR_PARSE_ARGS_/.test(String(error.code));
    throw isBadFlag ? new BadOption(error.message) : error;
  }
}

if (import.meta.main) {
  try {
    indexerApp(indexerOptions(flagsFrom(process.argv.slice(2))), process.env.CDK_OUTDIR ?? 'cdk.out').synth();
  } catch (error) {
    if (!(error instanceof BadOption)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
