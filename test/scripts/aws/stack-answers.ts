/** CloudFormation's answers, as XML, for clients with scripted answers. */

import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { type Answer, scriptedAnswers } from '../../adapters/aws/scripted-answers.ts';

/** A client, and the actions that were asked of it. */
export function cloudFormation(answer: (action: string, form: URLSearchParams) => Answer) {
  const actions: string[] = [];
  const { settings } = scriptedAnswers(({ body }) => {
    const form = new URLSearchParams(body);
    const action = form.get('Action') ?? '';
    actions.push(action);
    return answer(action, form);
  });
  return { client: new CloudFormationClient(settings), actions };
}

export function result(action: string, inner: string): Answer {
  return { body: `<${action}Response><${action}Result>${inner}</${action}Result></${action}Response>` };
}

export function validationError(message: string): Answer {
  return {
    status: 400,
    body: `<ErrorResponse><Error><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`,
  };
}

export function stack(status: string, outputs: Readonly<Record<string, string>> = {}): Answer {
  const members = Object.entries(outputs).map(
    ([name, value]) => `<member><OutputKey>${name}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return result(
    'DescribeStacks',
    `<Stacks><member><StackName>mine</StackName><StackId>id</StackId><StackStatus>${status}</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks>`,
  );
}

export interface ToldEvent {
  readonly id: number;
  readonly status: string;
  readonly name?: string;
  readonly reason?: string;
}

/** The latest first, as CloudFormation gives them. */
export function events(told: readonly ToldEvent[]): Answer {
  const members = told.map(
    ({ id, status, name = 'Thing', reason = '' }) =>
      `<member><EventId>${id}</EventId><Timestamp>2026-01-01T10:20:30Z</Timestamp><LogicalResourceId>${name}</LogicalResourceId>` +
      `<PhysicalResourceId>physical-${name}</PhysicalResourceId><ResourceType>AWS::Some::Thing</ResourceType>` +
      `<ResourceStatus>${status}</ResourceStatus><ResourceStatusReason>${reason}</ResourceStatusReason></member>`,
  );
  return result('DescribeStackEvents', `<StackEvents>${members.join('')}</StackEvents>`);
}
