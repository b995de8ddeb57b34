/**
 * The 4×4 blocks that a convolution's weights lie in, and how a kernel loads one in each format.
 *
 *   block (o/4, tap, r)          texel ((o/4 · taps + tap) · WEIGHT_SPAN + r) · texels of a block
 *
 *                outputs 4·o/4 … +3
 *   input 4r     vec4f              a column of the mat4x4f is one input: column j times lane j of a texel of the source,
 *   input 4r+1   vec4f              summed, gives four outputs
 *   input 4r+2   vec4f
 *   input 4r+3   vec4f
 *
 * r counts the blocks of inputs that the outputs of block o/4 see, `firstInput(o/4)` being the first. Channels that
 * groups keep apart meet in zeros.
 */

/** How a weight is stored. */
export type WeightFormat = "f32" | "f16" | "i8";

/** Texels of one block: sixteen weights. */
export const blockTexels: Record<WeightFormat, number> = { f32: 4, f16: 2, i8: 1 };

const f32 = `
fn weightBlock(block: u32) -> mat4x4f {
  let at = block * 4u;
  return mat4x4f(load_w(at), load_w(at + 1u), load_w(at + 2u), load_w(at + 3u));
}`;

const f16 = `
fn unpacked(halves: vec2u) -> vec4f {
  return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
}

fn weightBlock(block: u32) -> mat4x4f {
  let first = load_w(block * 2u);
  let last = load_w(block * 2u + 1u);
  return mat4x4f(unpacked(first.xy), unpacked(first.zw), unpacked(last.xy), unpacked(last.zw));
}`;

const i8 = `
fn unpacked(bytes: u32) -> vec4f {
  return vec4f(vec4i(vec4u(bytes) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn weightBlock(block: u32) -> mat4x4f {
  let packed = load_w(block);
  return mat4x4f(unpacked(packed.x), unpacked(packed.y), unpacked(packed.z), unpacked(packed.w));
}`;

/** WGSL of `weightBlock(block)`, which loads one. */
export const weightBlock: Record<WeightFormat, string> = { f32, f16, i8 };
