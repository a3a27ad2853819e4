/** dynalite has no types of its own. Options and what they do: its README. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  export default function dynalite(options?: { createTableMs?: number; deleteTableMs?: number }): Server;
}
