/** JSON of files. */

/** What is nested deeper is no file of ours; a megabyte of brackets alone takes the engine seconds. */
const deepest = 100;

/** JSON.parse, but for text that nests more than 100 deep. Throws Error where it does, or is not JSON. */
export function parseJson(text: string): unknown {
  let depth = 0, quoted = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '"') quoted = !quoted;
    else if (quoted) at += c === "\\" ? 1 : 0;
    else if (c === "[" || c === "{") {
      if (++depth > deepest) throw new Error(`it nests more than ${deepest} deep`);
    } else if (c === "]" || c === "}") depth--;
  }
  return JSON.parse(text);
}
