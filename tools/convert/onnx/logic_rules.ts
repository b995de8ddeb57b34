/** Comparisons, choices and changes of type. A condition is 1 or 0, computed as all else. */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Rule } from "./operator.ts";
import { type ElementType, elementType, integral } from "./tensor.ts";
import type { Operand, Trace, Traced } from "./trace.ts";
import { arithmetic, meeting, numberOf } from "./value_rules.ts";

/** 1 for 0, 0 for 1. */
const opposite = (trace: Trace, x: Traced): Traced => trace.affine(x, [-1], [1]);

/** Whether the input `less` is less than the input `more`: 1 or 0; `not` turns them about. */
const compare = (less: 0 | 1, more: 0 | 1, not = false): Rule => (o) => {
  const y = meeting(o.trace, "less", o.input(less), o.input(more));
  return [not ? opposite(o.trace, y) : y];
};

/** 1 where two values differ, else 0. */
const differ = (trace: Trace, a: Operand, b: Operand): Traced =>
  arithmetic(trace, "sum", meeting(trace, "less", a, b), meeting(trace, "less", b, a));

/** Not (not a and not b). */
const or: Rule = (o) => {
  const { trace } = o;
  const rank = Math.max(o.shape(0).length, o.shape(1).length);
  const [a, b] = [0, 1].map((n) => opposite(trace, trace.computed(o.input(n), rank)));
  return [opposite(trace, arithmetic(trace, "product", a, b))];
};

/** The one or the other, by a condition of 1 or 0. */
const where: Rule = (o) => {
  const { trace } = o;
  const rank = Math.max(...[0, 1, 2].map((n) => o.shape(n).length));
  const condition = trace.computed(o.input(0), rank);
  const a = arithmetic(trace, "product", condition, o.input(1));
  return [arithmetic(trace, "sum", a, arithmetic(trace, "product", opposite(trace, condition), o.input(2)))];
};

/** A value as another type has it: integers are what lies before the point, booleans whether it is other than 0. */
function converted(trace: Trace, x: Traced, from: ElementType | undefined, to: ElementType | undefined): Traced {
  if (!to) throw new UserError("it turns computed values into another type than real numbers and booleans");
  if (to === "bool" && from !== "bool") return differ(trace, x, numberOf(0));
  return integral(to) && !integral(from) && from !== "bool" ? trace.add("round", { to: "zero" }, [x]) : x;
}

/** Operators by their type. */
export const logicRules: Record<string, Rule> = {
  And: (o) => [arithmetic(o.trace, "product", o.input(0), o.input(1))],
  Cast: (o) => [converted(o.trace, o.computed(0), o.types[0], elementType(o.number("to", 1)))],
  CastLike: (o) => [converted(o.trace, o.computed(0), o.types[0], o.types[1])],
  Equal: (o) => [opposite(o.trace, differ(o.trace, o.input(0), o.input(1)))],
  Greater: compare(1, 0),
  GreaterOrEqual: compare(0, 1, true),
  Less: compare(0, 1),
  LessOrEqual: compare(1, 0, true),
  Not: (o) => [opposite(o.trace, o.computed(0))],
  Or: or,
  Where: where,
  Xor: (o) => [differ(o.trace, o.input(0), o.input(1))],
};
