/** What Node cannot parse never becomes a request: its answer is written by hand, and the connection closed. */

import type { Duplex } from 'node:stream';
import { securityHeaders } from './send-response.ts';

/** By the error code that Node reports; CONNECT is ours, for the method that Node gives no response to write to. */
const answers: Readonly<Record<string, readonly [status: string, sentence: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'Request header too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'Request timeout: the header took too long to arrive.'],
  CONNECT: ['405 Method Not Allowed', 'This server is not a proxy.'],
};

export function refuseUnparsed(code: string | undefined, socket: Duplex): void {
  const [status, sentence] = answers[code ?? ''] ?? ['400 Bad Request', 'Malformed HTTP request.'];
  const headers = Object.entries({
    ...securityHeaders,
    ...(code === 'CONNECT' ? { Allow: 'GET, HEAD, PUT, DELETE' } : {}),
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(sentence.length + 1),
  });
  const lines = [`HTTP/1.1 ${status}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', `${sentence}\n`];
  socket.end(lines.join('\r\n'), () => socket.destroy());
}
