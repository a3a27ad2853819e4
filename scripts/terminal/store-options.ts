/** Options of commands that take `s3://BUCKET[/PREFIX]` in the place of a directory. */

import { type Command, InvalidArgumentError, Option } from 'commander';

export function storeRegionOption(): Option {
  return new Option('--region <name>', 'region of the store (default: from the environment or the profile)');
}

/** Of every command that takes a store, besides --profile and --region, which some have for AWS. */
export function addStoreOptions(command: Command): Command {
  return command
    .addOption(endpointOption())
    .addOption(pathStyleOption())
    .addOption(accessKeyOption())
    .addOption(secretKeyOption());
}

function endpointOption(): Option {
  return new Option('--endpoint <url>', 'URL of an S3-compatible store (default: AWS)').argParser(parseEndpoint);
}

function pathStyleOption(): Option {
  return new Option(
    '--path-style',
    'name the bucket in the path, not in the host name (default with --endpoint; --no-path-style turns it off)',
  );
}

function accessKeyOption(): Option {
  return new Option('--access-key-id <id>', 'key of the store (default: from the environment or the profile)');
}

/** Other users can see the arguments of a process. */
function secretKeyOption(): Option {
  return new Option('--secret-access-key <secret>', 'its secret; better in the configuration file than here');
}

/** @returns it without a slash at its end. */
function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A user and a password in it would be printed with every message.
  const isPlain = url !== undefined && url.username + url.password + url.search + url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError('Expected http:// or https:// and a host: https://s3.example');
  return url.href.replace(/\/+$/, '');
}
