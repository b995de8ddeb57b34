/** Texels of feature maps, each of which holds four neighbouring channels of a place. */

/** Texels that so many channels take at each place. */
export const channelBlocks = (channels: number): number => Math.ceil(channels / 4);

/** One lane of a vector by a dynamic number, without a dynamic index. */
export const LANE = `
fn lane(v: vec4f, n: u32) -> f32 {
  return select(select(v.x, v.y, n == 1u), select(v.z, v.w, n == 3u), n >= 2u);
}`;
