/** Which account and region are meant: options of every command that asks AWS. */

import { Option } from 'commander';

export interface AccountOptions {
  readonly profile?: string;
  readonly region?: string;
}

export function accountOptions() {
  return {
    profileOption: new Option('--profile <name>', 'the profile of ~/.aws to use'),
    regionOption: new Option(
      '--region <name>',
      'the region of the stack (default: as the environment or the profile says)',
    ),
  };
}
