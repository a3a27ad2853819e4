/** A template's resources against the resource schemas that AWS publishes (as @aws-cdk/aws-service-spec holds them). */

import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Json, Template } from './synthesized.ts';

const database = loadAwsServiceSpecSync();

type Properties = Readonly<Record<string, { readonly required?: boolean; readonly type: PropertyType }>>;

/** As much of the schemas' language as tells a right value from a wrong one. */
type PropertyType =
  | { readonly type: 'string' | 'integer'; readonly allowedValues?: readonly (string | number)[] }
  | { readonly type: 'number' | 'boolean' | 'json' | 'date-time' | 'null' | 'tag' }
  | { readonly type: 'array' | 'map'; readonly element: PropertyType }
  | { readonly type: 'union'; readonly types: readonly PropertyType[] }
  | { readonly type: 'ref'; readonly reference: { readonly $ref: string } };

/** `Resource.Path: what is wrong`, for everything that is; empty where the template keeps to the schemas. */
export function schemaViolations(template: Template): readonly string[] {
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => {
    const [resource] = database.lookup('resource', 'cloudFormationType', 'equals', Type);
    if (resource === undefined) return [`${id}: ${Type} is no type of AWS`];
    return objectViolations(`${id} (${Type})`, Properties ?? {}, resource.properties as Properties);
  });
}

function objectViolations(path: string, value: { readonly [name: string]: Json }, properties: Properties): string[] {
  const missing = Object.entries(properties)
    .filter(([name, { required }]) => required && !(name in value))
    .map(([name]) => `${path}.${name}: required`);
  const wrong = Object.entries(value).flatMap(([name, inner]) => {
    const property = properties[name];
    return property === undefined ? [`${path}.${name}: unknown`] : violations(`${path}.${name}`, inner, property.type);
  });
  return [...missing, ...wrong];
}

function violations(path: string, value: Json, type: PropertyType): string[] {
  if (isIntrinsic(value)) return [];
  const expected = (right: boolean) =>
    right ? [] : [`${path}: expected ${type.type}, found ${JSON.stringify(value)}`];
  switch (type.type) {
    case 'string':
    case 'integer': {
      const isKind = type.type === 'string' ? typeof value === 'string' : Number.isInteger(value);
      return expected(isKind && (type.allowedValues?.includes(value as string | number) ?? true));
    }
    case 'date-time':
      return expected(typeof value === 'string');
    case 'number':
    case 'boolean':
      return expected(typeof value === type.type);
    case 'null':
      return expected(value === null);
    case 'json':
      return [];
    case 'array':
      if (!Array.isArray(value)) return expected(false);
      return value.flatMap((one, index) => violations(`${path}.${index}`, one, type.element));
    case 'map':
      if (!isObject(value)) return expected(false);
      return Object.entries(value).flatMap(([key, one]) => violations(`${path}.${key}`, one, type.element));
    case 'union':
      return expected(type.types.some((one) => violations(path, value, one).length === 0));
    case 'tag':
      return expected(isObject(value) && typeof value.Key === 'string');
    case 'ref':
      if (!isObject(value)) return expected(false);
      return objectViolations(path, value, database.get('typeDefinition', type.reference).properties as Properties);
  }
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Resolved by CloudFormation: what will be there is not known here. */
function isIntrinsic(value: Json): boolean {
  const [name, ...others] = isObject(value) ? Object.keys(value) : [];
  return name !== undefined && others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'));
}
