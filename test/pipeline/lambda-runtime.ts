/**
 * Plays Lambda's runtime in a process of its own: `lambda-runtime.ts BUNDLE` loads the bundle as Lambda does, then answers each
 * message {event, remainingMilliseconds} of its parent with {answer} or {error}.
 */

import { createRequire } from 'node:module';

type Handler = (event: unknown, context: object) => Promise<unknown>;

const [, , bundle = ''] = process.argv;
const { handler } = createRequire(import.meta.url)(bundle) as { readonly handler: Handler };

process.on('message', async ({ event, remainingMilliseconds }: { event: unknown; remainingMilliseconds: number }) => {
  const deadline = Date.now() + remainingMilliseconds;
  const context = {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    process.send?.({ answer: await handler(event, context) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on('disconnect', () => process.exit());
