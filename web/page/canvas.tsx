/** A picture of a search, enlarged pixel by pixel or smoothly. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Picture } from "../../src/mod.ts";
import { smooth } from "./state.ts";

/** It; `label` is what it shows, in words. */
export function Canvas({ picture, label }: { picture: Picture; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, rgb } = picture;
  useLayoutEffect(() => {
    const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) rgba[4 * i + c] = rgb[3 * i + c];
    }
    canvas.current!.getContext("2d")!.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [picture]);
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      class={smooth.value ? "smooth" : "pixels"}
    />
  );
}
