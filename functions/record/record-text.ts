/** A record as people read it: UTF-8 where it is that, Latin-1 where it is not. A record declares no encoding. */

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('latin1');

export function recordText(record: Uint8Array): string {
  try {
    return utf8.decode(record);
  } catch {
    return latin1.decode(record);
  }
}
