/** Options of commands that use AWS: the account, the region and the stack. */

import { Option } from 'commander';

export interface AccountOptions {
  readonly profile?: string;
  readonly region?: string;
}

export function profileOption(): Option {
  return new Option('--profile <name>', 'profile of ~/.aws to use');
}

export function regionOption(): Option {
  return new Option('--region <name>', 'region of the stack (default: from the environment or the profile)');
}

export function stackOption(): Option {
  return new Option('--stack <name>', 'read this stack on AWS instead of a directory');
}
