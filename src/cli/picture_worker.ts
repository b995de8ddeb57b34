/** A worker that reads pictures for `reading.ts`. */
import { fill, type Order } from "./reading.ts";

self.onmessage = async ({ data }: MessageEvent<Order>) => {
  const answer = await fill(data);
  self.postMessage(answer, { transfer: answer.image ? [answer.image.rgb.buffer] : [] });
};
