/** Seeded numbers: the same on every machine (splitmix32 and the Box–Muller transform, in float64). */

/** Numbers between 0 and 1, neither of them included, one at each call. */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (((z ^ (z >>> 16)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** `count` numbers ~ N(0, 1). */
export function normals(seed: number, count: number): Float32Array<ArrayBuffer> {
  const uniform = uniforms(seed);
  const values = new Float32Array(count);
  for (let n = 0; n < count; n += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    values[n] = radius * Math.cos(angle);
    if (n + 1 < count) values[n + 1] = radius * Math.sin(angle);
  }
  return values;
}
