/**
 * Keeps credentials out of the errors of the SDK's clients, and with that out of every log.
 *
 * Where a signature is wrong (a clock that is off, a key that was replaced), AWS answers with the text that should have been signed, and
 * the session token is in it: SignatureDoesNotMatch of S3, InvalidSignatureException of the others.
 */

interface Credentials {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What all clients of the SDK have. */
export interface AwsClient {
  readonly config: { credentials(): Promise<Credentials> };
  readonly middlewareStack: { add(middleware: unknown, options: { readonly step: 'initialize' }): void };
}

type Handler = (args: unknown) => Promise<unknown>;

/** @returns the same client. */
export function withholdingCredentials<Client extends AwsClient>(client: Client): Client {
  const middleware =
    (next: Handler): Handler =>
    async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error) withhold(error, await secretsOf(client));
        throw error;
      }
    };
  client.middlewareStack.add(middleware, { step: 'initialize' });
  return client;
}

async function secretsOf({ config }: AwsClient): Promise<readonly string[]> {
  try {
    const { secretAccessKey, sessionToken } = await config.credentials();
    return [secretAccessKey, sessionToken].filter((secret) => secret !== undefined && secret !== '') as string[];
  } catch {
    // There are none: that is what the error is about.
    return [];
  }
}

/** In its message, its stack, and whatever the service said besides. */
function withhold(error: Error, secrets: readonly string[]): void {
  for (const name of Object.getOwnPropertyNames(error)) {
    const value: unknown = Reflect.get(error, name);
    if (typeof value !== 'string') continue;
    const cleaned = secrets.reduce((text, secret) => text.replaceAll(secret, '[withheld]'), value);
    if (cleaned !== value) Object.defineProperty(error, name, { value: cleaned });
  }
}
