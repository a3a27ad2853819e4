/** What a page of this version lists. Everything around the list has to be the page's. */

import { smallPage } from '../page/small-page.ts';

const page = Buffer.from(smallPage.render([]));
const listStart = page.lastIndexOf('</pre>');
const [before, after] = [page.subarray(0, listStart), page.subarray(listStart)];

/** @returns undefined where it is no such page. */
export function filesOnPage(body: Uint8Array): readonly string[] | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const list = bytes.subarray(before.length, bytes.length - after.length);
  if (!bytes.subarray(0, before.length).equals(before) || !bytes.subarray(before.length + list.length).equals(after))
    return undefined;
  return [...list.toString().matchAll(/^<a href="([^"]*)">/gm)].map(([, name = '']) => decodeURIComponent(name));
}
