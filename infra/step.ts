/** One step as a Lambda function: its bundle, its log group, and a role with exactly the given permissions. */

import { join } from 'node:path';
import { Aws, CfnOutput, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type Conditions, Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { deploymentLimits } from './limits.ts';

export type StepName = 'extract' | 'summarize' | 'reindex';

/** A statement of a role's policy; `name` is its Sid (letters and digits). */
export interface Permission {
  readonly name: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Why the resources need a `*`. Actions never have one. */
  readonly wildcard?: string;
  readonly conditions?: Conditions;
}

export interface StepProperties {
  readonly stack: string;
  readonly name: StepName;
  readonly description: string;
  /** The directory with NAME/index.js, which exports `handler`. */
  readonly bundles: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly permissions: readonly Permission[];
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
}

/** A fixed name, so that a role can name its own function without a circular reference. */
export function functionName(stack: string, step: StepName): string {
  return `${stack}-${step}`;
}

export class Step extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, properties: StepProperties) {
    super(scope, id);
    const name = functionName(properties.stack, properties.name);
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${name}`,
      retention: deploymentLimits.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const writeLogs = {
      name: 'WriteLogs',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    };
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Calls: new PolicyDocument({ statements: [...properties.permissions, writeLogs].map(allow) }),
      },
    });
    for (const { resources, wildcard } of properties.permissions) {
      for (const arn of resources) {
        if (wildcard === undefined || !arn.includes('*')) continue;
        // As Validations.acknowledge does, except that it replaces the blanks in some ARNs, and cdk-nag then does not find them.
        role.node.addMetadata(Validations.ACKNOWLEDGED_RULES_METADATA_KEY, { [finding(arn)]: wildcard });
      }
    }
    this.function = new LambdaFunction(this, 'Function', {
      functionName: name,
      description: properties.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(join(properties.bundles, properties.name)),
      handler: 'index.handler',
      role,
      logGroup,
      environment: properties.environment,
      timeout: Duration.seconds(properties.timeoutSeconds),
      memorySize: properties.memoryMegabytes,
    });
    new CfnOutput(this, 'Name', { value: name }).overrideLogicalId(`${id}Function`);
  }
}

function allow({ name, actions, resources, conditions = {} }: Permission): PolicyStatement {
  return new PolicyStatement({
    sid: name,
    effect: Effect.ALLOW,
    actions: [...actions],
    resources: [...resources],
    conditions,
  });
}

/** cdk-nag's name for a wildcard: the ARN with its references in angle brackets. */
function finding(arn: string): string {
  const written = arn
    .replaceAll(Aws.PARTITION, '<AWS::Partition>')
    .replaceAll(Aws.ACCOUNT_ID, '<AWS::AccountId>')
    .replaceAll(Aws.REGION, '<AWS::Region>');
  return `AwsSolutions-IAM5[Resource::${written}]`;
}
