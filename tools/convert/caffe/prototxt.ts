/**
 * protobuf's text format, as Caffe's .prototxt files use it, without a schema.
 *
 *     name: "conv1"   kernel_size: 3   shape { dim: 1 dim: [3, 4] }   pool: MAX   # a comment
 *
 * Which fields a message may have, and of which types, its reader decides (message.ts).
 */
import { refuseOthers } from "../../../src/formats/kinds.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { Message, type Value } from "./message.ts";

/** The largest networks have some hundred kilobytes. */
const mostCharacters = 1_000_000;

/** Messages within messages; networks need five. */
const deepest = 50;

interface Token {
  kind: "word" | "number" | "text" | "sign" | "end";
  text: string;
  line: number;
}

/** The text of a prototxt's bytes; what is no text is most often the caffemodel. @throws UserError */
export function textOf(bytes: Uint8Array, file: string): string {
  refuseOthers(bytes, file, "a prototxt");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} is not text; is it the caffemodel?`);
  }
}

/**
 * Reads a prototxt.
 * @param file Named in errors, with the line.
 * @throws UserError where the text is not sound text format.
 */
export function parsePrototxt(text: string, file: string): Message {
  if (text.length > mostCharacters) {
    throw new UserError(`${file}: ${text.length} characters are too many for a prototxt; is it the caffemodel?`);
  }
  const next = tokens(text, file);
  let token = next();

  const fail = (expected: string, { kind, text, line } = token): never => {
    const came = kind === "end" ? "the file ends" : `there is ${JSON.stringify(text.slice(0, 40))}`;
    throw new UserError(`${file}:${line}: expected ${expected}, but ${came}`);
  };
  const accept = (...signs: string[]): string | undefined => {
    if (token.kind !== "sign" || !signs.includes(token.text)) return undefined;
    const { text } = token;
    token = next();
    return text;
  };

  function fields(message: Message, closer: string, depth: number): Message {
    while (!accept(closer)) {
      if (token.kind === "end") {
        if (closer === "") return message;
        fail(`"${closer}" for the message that starts in line ${message.line}`);
      }
      if (token.kind !== "word") fail("the name of a field");
      const name = token.text;
      token = next();
      const colon = accept(":") !== undefined;
      if (accept("[")) {
        while (!accept("]")) {
          message.add(name, value(name, true, depth));
          if (!accept(",") && !(token.kind === "sign" && token.text === "]")) fail('"," or "]"');
        }
      } else message.add(name, value(name, colon, depth));
      accept(",", ";");
    }
    return message;
  }

  function value(name: string, colon: boolean, depth: number): Value {
    const { line, kind, text } = token;
    const opener = accept("{", "<");
    if (opener) {
      if (depth >= deepest) throw new UserError(`${file}:${line}: messages are nested more than ${deepest} deep`);
      return {
        line,
        value: fields(new Message(file, line), opener === "{" ? "}" : ">", depth + 1),
        quoted: false,
      };
    }
    if (!colon) fail(`":" or "{" after "${name.slice(0, 40)}"`);
    if (kind === "end" || kind === "sign") fail(`a value for "${name.slice(0, 40)}"`);
    token = next();
    if (kind === "number") return { line, value: number(text, file, line), quoted: false };
    if (kind === "word") return { line, value: infinities.get(text.toLowerCase()) ?? text, quoted: false };
    let whole = text;
    for (; token.kind === "text"; token = next()) whole += token.text;
    return { line, value: whole, quoted: true };
  }

  return fields(new Message(file, 1), "", 0);
}

const infinities = new Map([["inf", Infinity], ["infinity", Infinity], ["nan", NaN]]);

const wordPattern = /[A-Za-z_]\w*/y;
const numberPattern =
  /[+-]?(?:0[xX][\da-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[fF]?|[iI]nf(?:inity)?|nan)(?!\w)/y;
const textPattern = /"[^"\\\n]*(?:\\[^][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^][^'\\\n]*)*'/y;

/** Gives one token after another, "end" at the end. */
function tokens(text: string, file: string): () => Token {
  let at = 0;
  let line = 1;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  return () => {
    for (let comment = false; at < text.length; at++) {
      const c = text[at];
      if (c === "\n") {
        line++;
        comment = false;
      } else if (c === "#") comment = true;
      else if (!comment && c > " " && c !== "\ufeff") break;
    }
    if (at >= text.length) return { kind: "end", text: "", line };
    const c = text[at];
    if (c === '"' || c === "'") {
      const quoted = match(textPattern);
      if (quoted === undefined) throw new UserError(`${file}:${line}: the text that starts with ${c} does not end`);
      const started = line;
      line += quoted.split("\n").length - 1;
      return { kind: "text", text: unescape(quoted.slice(1, -1), file, started), line: started };
    }
    const word = match(wordPattern);
    if (word !== undefined) return { kind: "word", text: word, line };
    const number = match(numberPattern);
    if (number !== undefined) return { kind: "number", text: number, line };
    at++;
    return { kind: "sign", text: c, line };
  };
}

function number(text: string, file: string, line: number): number {
  const negative = text.startsWith("-");
  const digits = text.replace(/^[+-]/, "");
  const magnitude = infinities.get(digits.toLowerCase()) ??
    (/^0\d+$/.test(digits) ? Number(`0o${digits}`) : Number(/^0x/i.test(digits) ? digits : digits.replace(/f$/i, "")));
  if (Number.isNaN(magnitude) && digits !== "nan") {
    throw new UserError(`${file}:${line}: ${text.slice(0, 40)} is not a number`);
  }
  return negative ? -magnitude : magnitude;
}

const escapes: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "?": "?",
};

const escapePattern = /\\(?:([0-7]{1,3})|[xX]([\da-fA-F]{1,2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g;

/** Octal and hexadecimal escapes are bytes of UTF-8, so a text with escapes is put together as bytes. */
function unescape(text: string, file: string, line: number): string {
  if (!text.includes("\\")) return text;
  const bytes = new Uint8Array(3 * text.length);
  const encoder = new TextEncoder();
  let from = 0;
  let size = 0;
  const put = (piece: string) => size += encoder.encodeInto(piece, bytes.subarray(size)).written;
  for (const found of text.matchAll(escapePattern)) {
    const [whole, octal, hex, short, long, letter] = found;
    put(text.slice(from, found.index));
    from = found.index + whole.length;
    if (octal || hex) bytes[size++] = octal ? parseInt(octal, 8) : parseInt(hex, 16);
    else {
      const point = parseInt(short ?? long ?? "0", 16);
      const character = letter ? escapes[letter] : String.fromCodePoint(point <= 0x10ffff ? point : 0xfffd);
      if (character === undefined) {
        throw new UserError(`${file}:${line}: unknown escape ${JSON.stringify(whole)} in a text`);
      }
      put(character);
    }
  }
  put(text.slice(from));
  return new TextDecoder().decode(bytes.subarray(0, size));
}
