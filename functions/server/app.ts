/** Which request is answered by what. */

import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { permitChange, permitView } from './access.ts';
import { movedTo, notFound, plainText, Refusal } from './answer.ts';
import { browse } from './browse.ts';
import { receiveEvents } from './events.ts';
import { sendIcon } from './favicon.ts';
import { answerNotFound } from './front-page.ts';
import { adopt, answerMetrics, answerStatus, retry, showOperations } from './operations.ts';
import type { ServerEnvironment, Site, ViewName } from './site.ts';
import { receivePackage, removePackage } from './uploads.ts';

/** Every path but `/-` and those below it. */
const anyFile = '/:path{(?!-(?:/|$))[^]*}';

/** Rejects where the client has left (ClientGone), and on an error of our own. */
export function createApp(site: Site): Hono<ServerEnvironment> {
  const app = new Hono<ServerEnvironment>();
  const permitted = createMiddleware<ServerEnvironment>(async (request, next) => {
    permitChange({ ...request.env, headers: request.req.header() }, site.changes);
    await next();
  });
  const visible = (view: ViewName) =>
    createMiddleware<ServerEnvironment>(async (request, next) => {
      permitView(request.req.header(), site.views[view]);
      await next();
    });

  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (_, methods) =>
        plainText(405, `Method not allowed here: use ${methods.join(', ')}.`, { Allow: methods.join(', ') }),
    }),
  );

  app.get('/favicon.ico', (request) => sendIcon(request, site));
  app.get(anyFile, (request) => browse(request, site));
  app.put(anyFile, permitted, (request) => receivePackage(request, site));
  app.delete(anyFile, permitted, (request) => removePackage(request, site));

  app.get('/-', () => movedTo('/-/'));
  app.get('/-/', visible('operations'), showOperations);
  app.get('/-/status', visible('operations'), (request) => answerStatus(request, site));
  app.get('/-/metrics', visible('metrics'), (request) => answerMetrics(request, site));
  app.get('/-/healthz', visible('health'), () => plainText(200, 'ok'));
  app.post('/-/events', (request) => receiveEvents(request, site));
  app.post('/-/retry', permitted, (request) => retry(request, site));
  app.post('/-/adopt', permitted, (request) => adopt(request, site));

  app.notFound((request) => answerNotFound(request, site, notFound()));
  app.onError(async (error, request) => {
    if (error instanceof Refusal && error.status === 404) return await answerNotFound(request, site, error);
    if (error instanceof Refusal) return error.getResponse();
    throw error;
  });
  return app;
}
