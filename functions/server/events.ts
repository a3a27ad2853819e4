/** `POST /-/events`: what a store, or anything else that knows of a change, has to say. */

import { permitView } from './access.ts';
import { notFound, Refusal } from './answer.ts';
import { textOf } from './request-text.ts';
import type { ServedRequest, Site } from './site.ts';

const kibibyte = 1024;

export const eventsLimits = {
  /** One request. EventBridge sends 256 KiB at most, B2 fifty events, the others one. */
  eventsBytesMax: 512 * kibibyte,
} as const;

/**
 * Whatever the events are, the answer is 200 once they are queued, so that the source does not send them again.
 * @throws {Refusal} 404 where nobody may send events, 401, 400, 413
 */
export async function receiveEvents(request: ServedRequest, site: Site): Promise<Response> {
  const { events } = site;
  if (events === undefined) throw notFound();
  permitView(request.req.header(), { who: 'token', token: events.token });
  const expected = 'Expected events as JSON.';
  const text = await textOf(request, site, eventsLimits.eventsBytesMax, expected);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, expected);
  }
  const received = await events.receive(value);
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return request.body(`${JSON.stringify(received)}\n`, 200, headers);
}
