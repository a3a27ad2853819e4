/** Whether IAM accepts the roles of a template. CloudFormation would only find out while it creates them. */

import { BadOption } from './bad-option.ts';
import { deploymentLimits } from './limits.ts';

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
}

/** Where the template will be deployed; the region decides about the length of every ARN. */
export interface RolePlace {
  readonly stack: string;
  /** Undefined: assume the longest name of a region. */
  readonly region: string | undefined;
}

/** @throws {BadOption} for a role whose inline policies are too large. */
export function expectRolesFit({ Resources: resources }: Template, place: RolePlace): void {
  const { rolePolicyCharactersMax: max } = deploymentLimits;
  for (const [id, { Type: type, Properties: properties }] of Object.entries(resources)) {
    if (type !== 'AWS::IAM::Role') continue;
    const policies = properties?.Policies as readonly { readonly PolicyDocument: unknown }[] | undefined;
    const documents = (policies ?? []).map(({ PolicyDocument: document }) => JSON.stringify(resolved(document, place)));
    const characters = documents.join('').replaceAll(/\s/g, '').length;
    if (characters <= max) continue;
    throw new BadOption(
      `the policy of the role ${id} would have ${characters} characters; IAM allows ${max}. ` +
        'Give fewer or shorter prefixes (--prefix), or one that covers several.',
    );
  }
}

/** CloudFormation's intrinsic functions, replaced by text as long as what they become. */
function resolved(value: unknown, place: RolePlace): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, place));
  if (value === null || typeof value !== 'object') return value;
  const { Ref: reference, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Readonly<Record<string, unknown>>;
  if (typeof reference === 'string') return referenced(reference, place);
  if (Array.isArray(attribute)) return arnOf(String(attribute[0]), String(attribute[1]), place);
  if (Array.isArray(join)) return (resolved(join[1], place) as readonly string[]).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolved(inner, place)]));
}

function referenced(name: string, { region = 'ap-southeast-1' }: RolePlace): string {
  const [partition, suffix] = region.startsWith('cn-')
    ? ['aws-cn', 'amazonaws.com.cn']
    : [region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws', 'amazonaws.com'];
  const pseudoParameters: Readonly<Record<string, string>> = {
    'AWS::AccountId': '123456789012',
    'AWS::Partition': partition,
    'AWS::Region': region,
    'AWS::URLSuffix': suffix,
  };
  return pseudoParameters[name] ?? name;
}

/** CloudFormation names a resource STACK-LOGICALID-SUFFIX; the suffix has 13 characters. */
function arnOf(id: string, attribute: string, place: RolePlace): string {
  const account = ['AWS::Partition', 'AWS::Region', 'AWS::AccountId'].map((name) => referenced(name, place)).join(':');
  const stream = attribute === 'StreamArn' ? '/stream/2026-01-01T00:00:00.000' : '';
  return `arn:dynamodb:${account}:table/${place.stack}-${id}-0123456789ABC${stream}`;
}
