/** Which request is answered by what. */

import { type Answer, notFound, plainText, Refusal } from './answer.ts';
import { browse } from './browsing.ts';
import { leadToOperations, retry, showOperations, tellStatus } from './operations.ts';
import type { ServedRequest, Site } from './served-request.ts';
import { receivePackage, removePackage } from './uploads.ts';

type Handler = (request: ServedRequest, site: Site) => Promise<Answer>;

interface Route {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'POST';
  /** A path below `/-/`; without one, every path that is not. */
  readonly path?: string;
  /** `change` is for those whom access.ts lets in. */
  readonly access: 'read' | 'change';
  readonly handle: Handler;
}

/** HEAD goes where GET goes: whoever sends the answer leaves its body out. */
const routes: readonly Route[] = [
  { method: 'GET', access: 'read', handle: browse },
  { method: 'PUT', access: 'change', handle: receivePackage },
  { method: 'DELETE', access: 'change', handle: removePackage },
  { method: 'GET', path: '/-/healthz', access: 'read', handle: tellHealth },
  { method: 'GET', path: '/-/status', access: 'read', handle: tellStatus },
  { method: 'GET', path: '/-', access: 'read', handle: leadToOperations },
  { method: 'GET', path: '/-/', access: 'read', handle: showOperations },
  { method: 'POST', path: '/-/retry', access: 'change', handle: retry },
];

/**
 * @throws {Refusal} 404 without such a path, 405 without such a method
 */
export function routeOf({ method, target }: Pick<ServedRequest, 'method' | 'target'>): Route {
  const ownPath = target.parts[0] === '-' ? `/${target.parts.join('/')}${target.trailingSlash ? '/' : ''}` : undefined;
  const ofPath = routes.filter((route) => route.path === ownPath);
  if (ofPath.length === 0) throw notFound();

  const route = ofPath.find((candidate) => candidate.method === (method === 'HEAD' ? 'GET' : method));
  if (route !== undefined) return route;
  const allowed = ofPath.flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method]));
  throw new Refusal(405, `Here a request may be ${allowed.join(', ')}.`, { Allow: allowed.join(', ') });
}

async function tellHealth(): Promise<Answer> {
  return plainText(200, 'ok');
}
