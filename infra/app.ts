/** The CDK app: options → template. It needs the bundles of the functions, but no credentials and no network. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer, Stack } from 'aws-cdk-lib';
import { BadOption } from './bad-option.ts';
import type { IndexerOptions } from './options.ts';
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
