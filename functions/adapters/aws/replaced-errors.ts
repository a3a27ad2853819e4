/** The part of a client of the SDK that takes middleware. */
export interface ClientWithMiddleware {
  readonly middlewareStack: { add(middleware: unknown, options: { readonly step: 'initialize' }): void };
}

type Handler = (args: unknown) => Promise<unknown>;

/**
 * Has the client throw what `replace` makes of each of its errors, after its own retries.
 * @returns the same client.
 */
export function replacingErrors<Client extends ClientWithMiddleware>(
  client: Client,
  replace: (error: unknown) => unknown,
): Client {
  const middleware =
    (next: Handler): Handler =>
    async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw await replace(error);
      }
    };
  client.middlewareStack.add(middleware, { step: 'initialize' });
  return client;
}
