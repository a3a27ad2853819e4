/** The body of a request that is no upload. */

import { Refusal } from './answer.ts';
import type { ServedRequest, Site } from './site.ts';
import { UploadBody } from './upload-body.ts';

/**
 * @param expected what the body should be, in a sentence
 * @throws {Refusal} 400 where it is empty, 413 where it has more bytes
 */
export async function textOf(request: ServedRequest, site: Site, bytesMax: number, expected: string): Promise<string> {
  const { message, continueBody } = request.env;
  const body = new UploadBody(message, continueBody, { ...site.limits, uploadBytesMax: bytesMax });
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of body) pieces.push(Buffer.from(piece));
  } catch (error) {
    // Its own messages are about uploads.
    if (error instanceof Refusal && error.status === 400) throw new Refusal(400, expected);
    if (error instanceof Refusal && error.status === 413)
      throw new Refusal(413, `${expected} The limit is ${bytesMax} bytes.`);
    throw error;
  }
  return Buffer.concat(pieces).toString();
}
