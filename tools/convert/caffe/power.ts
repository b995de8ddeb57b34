/** Powers by one exponent: products where it is whole, of the root where it is a half, else e^(exponent · ln x). */
import type { Trace, Traced } from "../onnx/trace.ts";
import { reciprocal, squared } from "../onnx/value_rules.ts";

/** Past it products round more than logarithms do. */
const mostFactors = 64;

/** x^exponent. Where the exponent is not whole, of an x below 0 it is taken of 0. */
export function power(trace: Trace, x: Traced, exponent: number): Traced {
  const whole = Number.isInteger(exponent), times = Math.abs(whole ? exponent : 2 * exponent);
  if (times === 0) return trace.affine(x, [0], [1]);
  if (!Number.isInteger(times) || times > mostFactors) {
    return trace.add("exp", {}, [trace.affine(trace.add("log", {}, [x]), [exponent])]);
  }
  const raised = (base: Traced, n: number): Traced => {
    if (n < 2) return base;
    const even = squared(trace, raised(base, Math.floor(n / 2)));
    return n % 2 ? trace.add("eltwise", { operation: "product" }, [even, base]) : even;
  };
  const y = raised(whole ? x : trace.add("sqrt", {}, [x]), times);
  return exponent < 0 ? reciprocal(trace, y) : y;
}
