/** Text in which the words that were searched for are marked. @param words in lower case. */
export function Marked({ text, words }: { readonly text: string; readonly words: readonly string[] }) {
  const lowerCase = text.toLowerCase();
  // Where lower case has another length (İ), places in it are not places in the text.
  if (words.length === 0 || lowerCase.length !== text.length) return <>{text}</>;
  const parts = [];
  let from = 0;
  while (from < text.length) {
    const next = words
      .map((word) => ({ at: lowerCase.indexOf(word, from), length: word.length }))
      .filter(({ at }) => at !== -1)
      .sort((left, right) => left.at - right.at || right.length - left.length)[0];
    if (next === undefined) break;
    parts.push(text.slice(from, next.at), <mark>{text.slice(next.at, next.at + next.length)}</mark>);
    from = next.at + next.length;
  }
  return <>{[...parts, text.slice(from)]}</>;
}
