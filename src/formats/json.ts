/** JSON of files. */

/** What is nested deeper is no file of ours; a megabyte of brackets alone takes the engine seconds. */
const deepest = 100;

/** Values of a document: a hundred megabytes of objects, and what 100,000 tensors have. */
const mostValues = 2 ** 20;

/**
 * JSON.parse, but for text that nests more than 100 deep, holds more than a million values, or gives an object the same
 * key twice, where readers differ in which they take. Throws Error where it does, or is not JSON.
 */
export function parseJson(text: string): unknown {
  const open: (Set<string> | undefined)[] = []; // the keys of objects; nothing for lists
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) {
        const raw = text.slice(at + 1, end);
        const key = raw.includes("\\") ? unescaped(raw) : raw;
        if (keys.has(key)) throw new Error(`it gives ${JSON.stringify(key).slice(0, 100)} twice`);
        keys.add(key);
      }
      at = end;
    } else if (c === "[" || c === "{") {
      if (open.push(c === "{" ? new Set() : undefined) > deepest) throw new Error(`it nests more than ${deepest} deep`);
      values++;
    } else if (c === "]" || c === "}") open.pop();
    else if (c === ",") values++;
    if (values > mostValues) throw new Error(`it holds more than ${mostValues} values`);
  }
  return JSON.parse(text);
}

/** Where the string that begins at `start` ends: the place of its other quotation mark, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = start;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/** Whether the string that ends here is a key: a colon follows. */
function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (text[next] === " " || text[next] === "\n" || text[next] === "\t" || text[next] === "\r") next++;
  return text[next] === ":";
}

/** A key as it reads; JSON.parse says later what is wrong with one that is none. */
function unescaped(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`);
  } catch {
    return raw;
  }
}
