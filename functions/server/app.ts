/** Which request is answered by what. */

import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { permitChange } from './access.ts';
import { movedTo, notFound, plainText, Refusal } from './answer.ts';
import { browse } from './browse.ts';
import { answerStatus, retry, showOperations } from './operations.ts';
import type { ServerEnvironment, Site } from './site.ts';
import { receivePackage, removePackage } from './uploads.ts';

/** Every path but `/-` and those below it. */
const anyFile = '/:path{(?!-(?:/|$))[^]*}';

/** Rejects where the client has left (ClientGone), and on an error that is nobody's fault but ours. */
export function createApp(site: Site): Hono<ServerEnvironment> {
  const app = new Hono<ServerEnvironment>();
  const permitted = createMiddleware<ServerEnvironment>(async (request, next) => {
    permitChange({ ...request.env, headers: request.req.header() }, site.changes);
    await next();
  });

  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (_, methods) =>
        plainText(405, `Method not allowed here: use ${methods.join(', ')}.`, { Allow: methods.join(', ') }),
    }),
  );

  app.get(anyFile, (request) => browse(request, site));
  app.put(anyFile, permitted, (request) => receivePackage(request, site));
  app.delete(anyFile, permitted, (request) => removePackage(request, site));

  app.get('/-', () => movedTo('/-/'));
  app.get('/-/', showOperations);
  app.get('/-/healthz', () => plainText(200, 'ok'));
  app.get('/-/status', (request) => answerStatus(request, site));
  app.post('/-/retry', permitted, (request) => retry(request, site));

  app.notFound(() => notFound().getResponse());
  app.onError((error) => {
    if (error instanceof Refusal) return error.getResponse();
    throw error;
  });
  return app;
}
