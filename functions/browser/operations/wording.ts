/** Times as people read them. */

/** `40 ms`, `1.4 s`, `12 min`, `3 h`, `5 days` */
export function spanText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** `14:03:22` of today, `2026-11-23 14:03` of another day; where the reader is. */
export function timeText(isoTime: string, now = new Date()): string {
  const time = new Date(isoTime);
  const two = (number: number) => String(number).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  const isToday = time.toDateString() === now.toDateString();
  return isToday ? `${clock}:${two(time.getSeconds())}` : `${date} ${clock}`;
}
