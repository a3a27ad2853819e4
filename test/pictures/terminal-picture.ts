/** What a terminal showed, as an SVG. */

/** A command and what it printed, with the escape sequences of styles. */
export interface TerminalCommand {
  readonly command: string;
  readonly output: string;
}

const lineHeight = 18;
const characterWidth = 8.4;
const margin = 16;
const titleHeight = 30;

/** Styles by the numbers of SGR (ECMA-48); 22 and 39 end them. */
const classes: Readonly<Record<string, string>> = { 1: 'bold', 2: 'dim', 31: 'red', 32: 'green', 33: 'yellow' };

export function terminalPicture(commands: readonly TerminalCommand[], columns: number): string {
  const lines = commands.flatMap(({ command, output }, index) => [
    ...(index === 0 ? [] : ['']),
    `\x1b[32m$\x1b[39m \x1b[1m${command}\x1b[22m`,
    ...shownLines(output, columns),
  ]);
  const width = Math.ceil(columns * characterWidth + 2 * margin);
  const height = titleHeight + lines.length * lineHeight + margin;
  const texts = lines.map((line, index) =>
    line === '' ? '' : `<text x="${margin}" y="${titleHeight + (index + 1) * lineHeight - 4}">${styled(line)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A terminal: ${escaped(commands.map(({ command }) => command).join('; '))}">
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e4e9e8; white-space: pre }
.bold { font-weight: 700 } .dim { fill: #8b999e } .red { fill: #ff9c96 } .green { fill: #7fd69b } .yellow { fill: #f3c46b }
</style>
<rect width="${width}" height="${height}" rx="10" fill="#14181a"/>
<circle cx="20" cy="16" r="5" fill="#ff9c96"/><circle cx="38" cy="16" r="5" fill="#f3c46b"/><circle cx="56" cy="16" r="5" fill="#7fd69b"/>
${texts.filter((text) => text !== '').join('\n')}
</svg>
`;
}

const erased = '\x1b[K';

/** A bar is drawn over and over in its line: what was there in the end. A long line without styles is broken as terminals do. */
function shownLines(output: string, columns: number): string[] {
  return output
    .trimEnd()
    .replaceAll('\r\n', '\n')
    .split('\n')
    .flatMap((line) => {
      const last = line.split(erased).at(-1)?.replaceAll('\r', '') ?? '';
      if (last.length <= columns || last.includes('\x1b')) return [last];
      const rows = Math.ceil(last.length / columns);
      return Array.from({ length: rows }, (_, row) => last.slice(row * columns, (row + 1) * columns));
    });
}

/** Every sequence begins with `ESC [`, and those that are here end with `m`. */
function styled(line: string): string {
  const [before = '', ...pieces] = line.split('\x1b[');
  const open = new Set<string>();
  const shown = pieces.map((piece) => {
    const end = piece.indexOf('m');
    change(open, piece.slice(0, end));
    const text = piece.slice(end + 1);
    if (text === '') return '';
    return open.size === 0 ? escaped(text) : `<tspan class="${[...open].join(' ')}">${escaped(text)}</tspan>`;
  });
  return escaped(before) + shown.join('');
}

function change(open: Set<string>, code: string): void {
  const name = classes[code];
  if (name !== undefined) open.add(name);
  else for (const each of code === '22' ? ['bold', 'dim'] : ['red', 'green', 'yellow']) open.delete(each);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
