/** `GET /favicon.ico`: browsers ask for it whatever a page says. */

import { Refusal } from './answer.ts';
import { browse } from './browse.ts';
import type { ServedRequest, Site } from './site.ts';

/** The icon of functions/browser/packages/page.html, 32 pixels wide. */
const icon = Buffer.from(
  'AAABAAEAICAAAAEAIAANBAAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAAgAAAAIAgGAAAAc3p69AAAA8JJREFUeJzsV2lIVFEU/p5OlktaVkQ70Z+K' +
    'pDJzSbHCwFErWygo2vsRZli2Q9uYCqXmoAlSUIig0ZTl7hgYIrmvJUZ/xEytwDIbTdxmpntvOr0Z38y8GSwI+n7MvHffWb57zr3nniuBlZh+7tRy' +
    'zsZGTp+1Gk1k352Ud7ACHCyEc2SkKyRqGdEMI8oSRgAYJT+pGLWVqeTyHkvsiScgk0mcf/SE0SeOg6uQiFYL6lymcnRNJfKjYsyKIuB8IUJKzMs5' +
    'jlsuRl6r1ZJ0cJGq+GSlOVmTBMbzTGYsFfq+duFi9t/Y+QHCRKA0tz4ECQjlmY+ZDg64EbQNh9b7sPf02kpEFeXh28DARBJm1oc+ARF5Purti+uB' +
    'WxkJPqjzKGUe0qorhNSMrg8dAXN5dl+0GIk792LNgkUwhaauDpx9rkBDh7G06K8PHQGXixFaIQU605vBoTjg4QVCDmJAnJC0VEFWlCuYForvccnM' +
    'mMSYEersuLcfrgaGYIa9PSwB1T3s6YNQt9W4qczHw6pyo7I2pgyNqtUYUYvazoIYIfoajdZk5IxGgIYxraYCT1/X40JAIML8NsHO1hZiMEwcp74q' +
    'RXxJMfqHhkzKCkbAc8lS3TM1cKMwF54JschveQNzoDJUlurwnXvxbPIhGIG40N0sApdzn6G6vY2Nve/5igPpD+C7dBkSdu7Birnz9HSaP3Xhck4W' +
    'ytta9cap41vbd5HVzmHT3QRxBCholSs+eQaFb5txrSAHrV+62Th1sEF+Gwc9vHFVGsLGYpQFrBjxsWz2HMSE7EDQylXsvamzA6IjAN6GDF7pBumK' +
    'VUivqUTsi0J09/eNbbNKZDc3koWqwcDIsE5+jtN0tnMOrveGjYhtK0zAQI8aOuK1AXvWeiCl7CWSSkuYU9XgoE7GaepUnN4YgHD/zXCYYgexMBsB' +
    'Phzt7HBpixTHSDm+kp8NRWMdG9+3zhPRIaGY7egESyFcB8xEjob5JNmW4zjh62+Vc+ME/iL+ExAkEK7IRH1HOyYL1Fb4k0yIJtDy+SMCUhKZEt33' +
    '1oLqhikymC1q0yQBUluCfjULv5FRVw33uGjcryiDWqOBWFDZe+VlTPdRfY3eN+qD+ppAgHYoKsdZbuRjxFj7xNBHDpSLpMb7J8WLSgs9O6jspdws' +
    'psubYA+1TX3wu2WLm9L9pOhEBW9HV2+v7nApjTiP+S4z2JnxuKFWf8YWNaUGMNaWu0yzx+417rpO57iPHxTEcZ/B2W91W26IP3kxEVUHjK2PiY6F' +
    '82wK/9Dl1ACTdT3/CQAA//8aS0FrAAAABklEQVQDAEqZ0XxxmZkBAAAAAElFTkSuQmCC',
  'base64',
);

/** The file of that name in the directory, or else ours. */
export async function sendIcon(request: ServedRequest, site: Site): Promise<Response> {
  try {
    return await browse(request, site);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    return request.body(new Uint8Array(icon), 200, {
      'Content-Type': 'image/vnd.microsoft.icon',
      'Cache-Control': 'max-age=86400',
    });
  }
}
