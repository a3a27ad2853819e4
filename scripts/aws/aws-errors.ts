/** The SDK's errors, as sentences for the user. */

const withoutCredentials = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);
const badCredentials = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const forbidden = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'Forbidden']);
const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
]);

/** What happened, and what to do. Undefined if the error is not from AWS. */
export function awsErrorSentence(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  const code = 'code' in error ? String(error.code) : '';
  if (withoutCredentials.has(name)) {
    return `no AWS credentials: ${sentence(message)} Use --profile, log in (aws login, aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
  }
  if (badCredentials.has(name))
    return `AWS refused these credentials: ${sentence(message)} Get new ones, or use another --profile.`;
  if (forbidden.has(name)) {
    return `AWS denied access: ${sentence(message)} docs/deploying.md, "Permissions", lists what is needed.`;
  }
  if (unreachable.has(code) || name === 'TimeoutError') {
    return `cannot reach AWS: ${sentence(message || code)} Check the network and --region.`;
  }
  return isOfAws(error) ? `${name}: ${sentence(message)}` : undefined;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Every error that a service returns has one of these. */
function isOfAws(error: Error): boolean {
  return '$fault' in error || '$metadata' in error;
}
