/** The template for a set of flags, with functions that do nothing: no build, no credentials, no network. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { indexerApp } from '../../infra/app.ts';
import { type IndexerFlags, indexerOptions } from '../../infra/options.ts';

/** JSON as CloudFormation takes it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Resource {
  readonly Type: string;
  readonly Properties: { readonly [name: string]: Json };
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

export interface Template {
  readonly Resources: { readonly [logicalId: string]: Resource };
  readonly Outputs: { readonly [name: string]: { readonly Value: Json } };
  readonly Parameters?: Json;
  readonly Conditions?: Json;
}

/** One of each kind that changes the template's shape. */
export const optionMatrix: Readonly<Record<string, IndexerFlags>> = {
  'new bucket': {},
  'new bucket with a name': { bucket: 'packages.example.org' },
  'existing bucket': { bucket: 'packages', existing: true },
  'existing bucket without a CDN': { bucket: 'packages', existing: true, cdn: false },
  'without a CDN': { cdn: false },
  'without a page': { page: false },
  'public bucket': { publicBucket: true, cdn: false },
  'public bucket behind a CDN': { publicBucket: true },
  'two prefixes': { prefix: ['packages/All', 'NetBSD'], cdn: false },
  'a KMS key': { bucket: 'packages', kmsKey: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab' },
  'existing bucket with a KMS key': {
    bucket: 'packages',
    existing: true,
    kmsKey: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab',
  },
  'a topic for publications': { publishTopic: true },
  'alarm e-mail': { alarmEmail: 'admin@example.org' },
  'another name, no debounce, kept tables': { stack: 'other', debounce: '0', formats: 'gz', keepTables: true },
};

const directory = mkdtempSync(join(tmpdir(), 'synthesized-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

/** Stands for what `npm run build` makes. */
export const stubBundles = join(directory, 'bundles');
for (const step of ['extract', 'summarize', 'reindex']) {
  mkdirSync(join(stubBundles, step), { recursive: true });
  writeFileSync(join(stubBundles, step, 'index.js'), `exports.handler = async () => ${JSON.stringify(step)};\n`);
}

/** A new app each time, not yet synthesized. */
export function appFor(flags: IndexerFlags): App {
  const outdir = mkdtempSync(join(directory, 'out-'));
  return indexerApp(indexerOptions({ bundles: stubBundles, ...flags }), outdir);
}

// CDK's own check of the template takes seconds; test/infra/schema.test.ts turns it on again, once.
process.env.CDK_VALIDATION = 'false';

const templates = new Map<string, Template>();

export function templateFor(flags: IndexerFlags): Template {
  const known = templates.get(JSON.stringify(flags));
  if (known !== undefined) return known;
  const [stack] = appFor(flags).synth().stacks;
  const template: Template = stack?.template;
  templates.set(JSON.stringify(flags), template);
  return template;
}

/** The resources of one type, by the name that infra/ gives them (`PipelineHints`), every reference resolved to a readable text. */
export function resourcesOf(template: Template, type: string): ReadonlyMap<string, Resource> {
  const found = Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
  return new Map(
    found.map(([id, resource]) => [
      plainName(id),
      { ...resource, Properties: resolve(resource.Properties) as Resource['Properties'] },
    ]),
  );
}

/** The one resource of that type and name. */
export function resource(template: Template, type: string, name: string): Resource {
  const found = resourcesOf(template, type);
  const one = found.get(name);
  if (one === undefined) throw new Error(`no ${type} called ${name}, only ${[...found.keys()].join(', ')}`);
  return one;
}

/** What a policy allows, or forbids. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Json;
}

/** Of all inline policies of a role. */
export function statementsOf(role: Resource): readonly Statement[] {
  const policies = role.Properties.Policies as unknown as readonly { PolicyDocument: { Statement: Statement[] } }[];
  return policies.flatMap((policy) => policy.PolicyDocument.Statement);
}

const pseudoParameters: Readonly<Record<string, string>> = {
  'AWS::AccountId': '123456789012',
  'AWS::Region': 'eu-central-1',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Ref → the name, Fn::GetAtt → `name.Attribute`, Fn::Join → the text; the account and region are always the same. */
export function resolve(value: Json): Json {
  if (Array.isArray(value)) return value.map(resolve);
  if (value === null || typeof value !== 'object') return value;
  const { Ref: reference, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value;
  if (typeof reference === 'string') return pseudoParameters[reference] ?? plainName(reference);
  if (Array.isArray(attribute)) return `${plainName(String(attribute[0]))}.${attribute[1]}`;
  if (Array.isArray(join)) return (resolve(join[1] ?? []) as string[]).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
}

/** Without the eight digits that CDK appends to a resource's path. */
export function plainName(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
