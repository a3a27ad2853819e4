/**
 * The encoding that S3 gives to keys where it writes them as text, in notifications and in listings with `encoding-type=url`:
 * `application/x-www-form-urlencoded`, a blank as `+`, every other special byte of its UTF-8 as `%XX`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */

/** The text that was encoded; undefined where this is no encoding of anything (`%ZZ`, bytes that are not UTF-8). */
export function formDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
