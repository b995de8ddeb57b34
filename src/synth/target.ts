/**
 * The language of targets: what a search climbs, as a sum of terms.
 *
 *   target = ["-"] part { (" + " | " - ") part }
 *   part   = [number "*"] term | [number "*"] "pair(" term "," term { "," term } ")"
 *   term   = [layer ":"] unit ["@" x "," y] | kind "(" … ")"
 *
 * A layer is what `net/naming.ts` calls a value, in double quotes where it holds any of ( ) , : @ * or a space. A pair is
 * Σ_{k<l} (t_k − t_l)² of its terms; `- 0.1*pair(…)` keeps one of them from going ahead of the others.
 */
import { UserError } from "../formats/user_error.ts";
import type { Arguments } from "./objectives/objective.ts";
import { type Kind, kinds, objectives } from "./objectives/table.ts";

/** A term: its kind and what stands in it. */
export interface Term extends Arguments {
  /** Which of the kinds of terms it is. */
  kind: Kind;
}

/** A sum of terms and pairs. */
export interface TargetSum {
  /** What is climbed: Σ weight · term. */
  terms: { weight: number; term: Term }[];
  /** What keeps terms together: −Σ weight · (a − b)² over those of each. */
  pairs: { weight: number; terms: Term[] }[];
}

/** Exponents of a term: of larger ones float32 holds little. */
const MOST_POWER = 16;

/** Terms of a target's sum, and of all its pairs: more is a slip. */
const MOST_TERMS = 4096;

/** Reads a target. @throws UserError that says where it stops making sense, and what was expected there. */
export function parseTarget(text: string): TargetSum {
  const reader = new Reader(text);
  const target: TargetSum = { terms: [], pairs: [] };
  let paired = 0;
  let sign = reader.takes(/^\s*-\s*/) ? -1 : 1;
  for (;;) {
    const factor = reader.takes(/^(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)\s*\*\s*/i);
    const weight = sign * (factor ? Number(factor[1]) : 1);
    if (!Number.isFinite(Math.fround(weight))) throw reader.fault("a factor that float32 can hold");
    if (reader.takes(/^pair\s*\(\s*/)) {
      const terms = [reader.term()];
      while (reader.takes(/^\s*,\s*/)) terms.push(reader.term());
      if (!reader.takes(/^\s*\)/) || terms.length < 2) throw reader.fault("pair(TERM, TERM, …), of two terms or more");
      target.pairs.push({ weight, terms });
      paired += terms.length;
    } else target.terms.push({ weight, term: reader.term() });
    if (Math.max(target.terms.length, paired) > MOST_TERMS) {
      throw new UserError(`a target has more than ${MOST_TERMS} terms`);
    }
    if (reader.takes(/^\s*$/)) break;
    const next = reader.takes(/^\s+([+-])\s+/);
    if (!next) throw reader.fault('" + ", " - " or the end');
    sign = next[1] === "-" ? -1 : 1;
  }
  return target;
}

/** A text that is taken from the front. */
class Reader {
  #at = 0;
  constructor(private readonly text: string) {}

  /** Takes what a pattern finds at the front. */
  takes(pattern: RegExp): RegExpExecArray | undefined {
    const found = pattern.exec(this.text.slice(this.#at)) ?? undefined;
    if (found) this.#at += found[0].length;
    return found;
  }

  fault(expected: string): UserError {
    const rest = this.text.slice(this.#at, this.#at + 40);
    const where = rest === "" ? "at its end" : `at "${rest}"`;
    return new UserError(`target "${this.text.slice(0, 200)}" makes no sense ${where}: expected ${expected}`);
  }

  term(): Term {
    const called = this.takes(/^([a-z]+)\s*\(\s*/);
    if (!called) return { kind: "unit", ...this.place() };
    const kind = kinds.find((name) => name === called[1] && name !== "unit");
    if (!kind) {
      if (called[1] === "pair") throw this.fault("a term: a pair is no part of another one");
      const known = [...kinds.filter((name) => name !== "unit"), "pair"].join(", ");
      throw new UserError(`target "${this.text.slice(0, 200)}": there is no ${called[1]}(…), expected one of ${known}`);
    }
    const { takes, syntax } = objectives[kind];
    const own = this.inside(takes);
    if (!this.takes(/^\s*\)/)) throw this.fault(syntax);
    return { kind, ...own };
  }

  inside(takes: typeof objectives[Kind]["takes"]): Arguments {
    if (takes === "place") return this.place();
    if (takes === "layer") return { layer: this.layer() };
    if (takes === "channel") return this.unit();
    if (takes === "channel or layer") {
      const layer = this.layer();
      const unit = this.takes(/^:(\d+)/);
      return unit ? { layer, unit: this.number(unit[1]) } : { layer };
    }
    if (takes === "power") {
      const layer = this.layer();
      const power = this.takes(/^\s*,\s*(\d+(?:\.\d+)?)/);
      if (!power || Number(power[1]) < 1 || Number(power[1]) > MOST_POWER) {
        throw this.fault(`a comma, then an exponent from 1 to ${MOST_POWER}`);
      }
      return { layer, power: Number(power[1]) };
    }
    const layer = this.layer();
    const all = this.takes(/^@(all|centre)/);
    const at = all ? undefined : this.at();
    if (!this.takes(/^\s*,\s*/)) throw this.fault("a comma, then a direction's file (.npy)");
    const file = this.takes(/^"([^"]+)"/) ?? this.takes(/^([^\s,()"]+)/);
    if (!file) throw this.fault("a direction's file (.npy)");
    return { layer, at: all?.[1] === "all" ? "all" : at, file: file[1] };
  }

  place(): Arguments {
    const unit = this.unit();
    return { ...unit, at: this.takes(/^@centre/) ? undefined : this.at() };
  }

  unit(): Arguments {
    const alone = this.takes(/^(\d+)(?=[\s,)@]|$)/);
    if (alone) return { unit: this.number(alone[1]) };
    const layer = this.layer();
    const unit = this.takes(/^:(\d+)/);
    if (!unit) throw this.fault("LAYER:UNIT, such as fc8:945 (with spaces around + and -)");
    return { layer, unit: this.number(unit[1]) };
  }

  layer(): string {
    const name = this.takes(/^"([^"]+)"/) ?? this.takes(/^([^\s():,@*"]+)/);
    if (!name) throw this.fault("the name of a layer");
    return name[1];
  }

  at(): readonly [number, number] | undefined {
    if (!this.takes(/^@/)) return undefined;
    const at = this.takes(/^(\d+),(\d+)/);
    if (!at) throw this.fault("a position such as @3,5 (x, then y)");
    return [this.number(at[1]), this.number(at[2])];
  }

  number(digits: string): number {
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) throw new UserError(`target: ${digits} is no unit or position`);
    return value;
  }
}

/** A target as text that `parseTarget` reads back. */
export function showTarget({ terms, pairs }: TargetSum): string {
  const parts = [
    ...terms.map(({ weight, term }) => [weight, showTerm(term)] as const),
    ...pairs.map(({ weight, terms }) => [weight, `pair(${terms.map(showTerm).join(", ")})`] as const),
  ];
  return parts.map(([weight, text], n) => {
    const size = Math.abs(weight);
    const sign = weight < 0 ? "-" : "+";
    const part = size === 1 ? text : `${size}*${text}`;
    return n === 0 ? (weight < 0 ? `- ${part}` : part) : ` ${sign} ${part}`;
  }).join("");
}

const quoted = (text: string, bare: RegExp) => bare.test(text) ? text : `"${text}"`;

function showTerm({ kind, layer, unit, at, file, power }: Term): string {
  const name = layer === undefined ? "" : quoted(layer, /^[^\s():,@*"]+$/);
  const place = at === "all" ? "@all" : at ? `@${at.join()}` : "";
  const where = unit === undefined ? name : `${name}${name && ":"}${unit}`;
  const inside = [
    where + place,
    ...file === undefined ? [] : [quoted(file, /^[^\s,()"]+$/)],
    ...power === undefined ? [] : [power],
  ].join(", ");
  return kind === "unit" ? inside : `${kind}(${inside})`;
}

/** Units of a layer, climbed together: the target that --unit and --together --gamma say. */
export function unitsTarget(
  { layer, units, at, gamma = 0 }: {
    layer?: string;
    units: readonly number[];
    at?: readonly [number, number];
    gamma?: number;
  },
): TargetSum {
  const terms = units.map((unit): Term => ({ kind: "unit", layer, unit, at }));
  return {
    terms: terms.map((term) => ({ weight: 1, term })),
    pairs: gamma !== 0 && terms.length > 1 ? [{ weight: -gamma, terms }] : [],
  };
}

/** All terms of a target, those in pairs too. */
export const termsOf = ({ terms, pairs }: TargetSum): Term[] => [
  ...terms.map(({ term }) => term),
  ...pairs.flatMap(({ terms }) => terms),
];
