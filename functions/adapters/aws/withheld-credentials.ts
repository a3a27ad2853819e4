/**
 * Keeps credentials out of the errors of the SDK's clients, and so out of every log.
 *
 * For a wrong signature (the clock is off, the key was replaced), AWS answers with the text that should have been signed, and that
 * contains the session token: SignatureDoesNotMatch from S3, InvalidSignatureException from other services.
 */

import { type ClientWithMiddleware, replacingErrors } from './replaced-errors.ts';

interface Credentials {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** The part that all clients of the SDK have in common. */
export interface AwsClient extends ClientWithMiddleware {
  readonly config: { credentials(): Promise<Credentials> };
}

/** @returns the same client. */
export function withholdingCredentials<Client extends AwsClient>(client: Client): Client {
  return replacingErrors(client, async (error) => {
    if (error instanceof Error) withhold(error, await secretsOf(client));
    return error;
  });
}

async function secretsOf({ config }: AwsClient): Promise<readonly string[]> {
  try {
    const { secretAccessKey, sessionToken } = await config.credentials();
    return [secretAccessKey, sessionToken].filter((secret) => secret !== undefined && secret !== '') as string[];
  } catch {
    // There are no credentials; the error says so.
    return [];
  }
}

/** Replaces the secrets in all of the error's own text properties. */
function withhold(error: Error, secrets: readonly string[]): void {
  for (const name of Object.getOwnPropertyNames(error)) {
    const value: unknown = Reflect.get(error, name);
    if (typeof value !== 'string') continue;
    const cleaned = secrets.reduce((text, secret) => text.replaceAll(secret, '[withheld]'), value);
    if (cleaned !== value) Object.defineProperty(error, name, { value: cleaned });
  }
}
