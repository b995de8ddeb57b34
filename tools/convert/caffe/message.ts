/**
 * A message of a prototxt: fields by name, each with its values in order, read strictly.
 *
 * Every accessor takes its field out; `done` complains about what nobody took. So a misspelt or unknown parameter is an
 * error at its line, never a layer that silently does something else.
 */
import { UserError } from "../../../src/formats/user_error.ts";

/** One value: a number, a quoted text, an unquoted word (an enum's name, true, inf …) or a message. */
export interface Value {
  line: number;
  value: number | string | Message;
  quoted: boolean;
}

/** A message and where it stands. */
export class Message {
  readonly #fields = new Map<string, Value[]>();
  constructor(readonly file: string, readonly line: number) {}

  /** The place, as errors name it. */
  get where(): string {
    return `${this.file}:${this.line}`;
  }

  /** Appends a value to a field. */
  add(name: string, value: Value): void {
    const values = this.#fields.get(name);
    if (values) values.push(value);
    else this.#fields.set(name, [value]);
  }

  /** How many values a field has; 0 where it is not there. */
  count(name: string): number {
    return this.#fields.get(name)?.length ?? 0;
  }

  /** The names of all fields that are left. */
  names(): string[] {
    return [...this.#fields.keys()];
  }

  /** Puts a field of another message in the place of this one's. */
  copy(name: string, from: Message): void {
    const values = from.#fields.get(name);
    if (values) this.#fields.set(name, values);
  }

  /** Gives a field another name, where it is there. */
  rename(from: string, to: string): void {
    const values = this.#fields.get(from);
    if (!values) return;
    this.#fields.delete(from);
    this.#fields.set(to, values);
  }

  /** Takes fields out whose values change nothing here. */
  ignore(...names: string[]): void {
    for (const name of names) this.#fields.delete(name);
  }

  #all<T>(name: string, read: (value: Value) => T | undefined, expected: string): T[] {
    const values = this.#fields.get(name) ?? [];
    this.#fields.delete(name);
    return values.map((value) => {
      const result = read(value);
      if (result === undefined) {
        throw new UserError(`${this.file}:${value.line}: "${name}" is ${show(value)}, expected ${expected}`);
      }
      return result;
    });
  }

  #one<T>(name: string, fallback: T, read: (value: Value) => T | undefined, expected: string): T {
    const second = this.#fields.get(name)?.[1];
    if (second) throw new UserError(`${this.file}:${second.line}: "${name}" is given a second time`);
    const [value] = this.#all(name, read, expected);
    return value ?? fallback;
  }

  /** A quoted text. */
  text(name: string, fallback = ""): string {
    return this.#one(name, fallback, asText, "a text in quotes, on one line");
  }

  /** All texts of a repeated field. */
  texts(name: string): string[] {
    return this.#all(name, asText, "a text in quotes, on one line");
  }

  /** A number that is finite in float32. */
  number(name: string, fallback: number): number {
    return this.#one(name, fallback, asNumber, "a number");
  }

  /** All numbers of a repeated field. */
  numbers(name: string): number[] {
    return this.#all(name, asNumber, "a number");
  }

  /** A whole number ≥ `least`; undefined where the field is not there. */
  integer(name: string, least: number): number | undefined {
    return this.#one<number | undefined>(name, undefined, asInteger(least), wholeNumber(least));
  }

  /** All whole numbers ≥ `least` of a repeated field. */
  integers(name: string, least: number): number[] {
    return this.#all(name, asInteger(least), wholeNumber(least));
  }

  /** true or false, in any of the text format's spellings. */
  boolean(name: string, fallback: boolean): boolean {
    return this.#one(name, fallback, asBoolean, "true or false");
  }

  /** An enum's value by its name or number; `choices` in the order of their numbers, which begin at `first`. */
  choice<T extends string>(name: string, choices: readonly T[], fallback: T, first = 0): T {
    return this.#one(
      name,
      fallback,
      ({ value, quoted }) =>
        typeof value === "number" ? choices[value - first] : choices.find((c) => !quoted && c === value),
      choices.join(" or "),
    );
  }

  /** A word or a quoted text: the type of a layer in any generation. */
  word(name: string): string {
    return this.#one(name, "", ({ value }) => typeof value === "string" ? onOneLine(value) : undefined, "a name");
  }

  /** A message; an empty one where the field is not there. */
  message(name: string): Message {
    return this.#one(name, new Message(this.file, this.line), asMessage, "a message in braces");
  }

  /** All messages of a repeated field. */
  messages(name: string): Message[] {
    return this.#all(name, asMessage, "a message in braces");
  }

  /** @throws UserError when a field is left; `what` names the message. */
  done(what: string): void {
    for (const [name, [{ line }]] of this.#fields) {
      throw new UserError(`${this.file}:${line}: ${what} has no parameter "${name.slice(0, 60)}" that is known here`);
    }
  }
}

const onOneLine = (text: string) => /\p{Cc}/u.test(text) ? undefined : text;
const asText = ({ value, quoted }: Value) => quoted ? onOneLine(value as string) : undefined;
const asNumber = ({ value }: Value) =>
  typeof value === "number" && Number.isFinite(Math.fround(value)) ? value : undefined;
const asInteger = (least: number) => ({ value }: Value) =>
  Number.isSafeInteger(value) && (value as number) >= least ? value as number : undefined;
const asMessage = ({ value }: Value) => value instanceof Message ? value : undefined;
const asBoolean = ({ value, quoted }: Value) =>
  quoted
    ? undefined
    : value === 1 || value === "true" || value === "True" || value === "t"
    ? true
    : value === 0 || value === "false" || value === "False" || value === "f"
    ? false
    : undefined;

const wholeNumber = (least: number) => `a whole number${Number.isSafeInteger(least) ? ` ≥ ${least}` : ""}`;

const show = ({ value, quoted }: Value) =>
  value instanceof Message ? "a message" : quoted ? JSON.stringify(value).slice(0, 60) : String(value).slice(0, 60);
