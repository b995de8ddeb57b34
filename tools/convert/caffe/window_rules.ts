/** The rules for the layers that look through windows, or resize: pooling, LRN, interpolation. */
import { UserError } from "../../../src/formats/user_error.ts";
import { termsOf } from "../onnx/interpolation.ts";
import { positioned } from "../onnx/positions.ts";
import type { Message } from "./message.ts";
import { type Conversion, pair, type Rule, unless } from "./rule.ts";
import { repeated } from "./shape_rules.ts";

/** The kind of pooling. */
function poolingType(s: Message): "maxpool" | "avgpool" {
  const method = s.choice("pool", ["MAX", "AVE", "STOCHASTIC"], "MAX");
  if (method === "STOCHASTIC") throw new UserError('"pool" is STOCHASTIC; only MAX and AVE are supported');
  return method === "MAX" ? "maxpool" : "avgpool";
}

/** Pooling; where the maxima were, which a second top of it tells, is not to be had. */
const pooling: Rule = {
  settings: "pooling_param",
  convert(layer) {
    const { s, place: { tops, isRead } } = layer;
    const type = poolingType(s);
    const [, mask] = tops;
    s.ignore("engine");
    if (mask !== undefined && isRead(mask)) {
      throw new UserError(
        `its second top ${JSON.stringify(mask.slice(0, 60))}, where the maxima were, is read by another layer; ` +
          "that is not supported",
      );
    }
    const rest = tops.slice(1, 2).map(() => undefined);
    const floor = s.choice("round_mode", ["CEIL", "FLOOR"], "CEIL") === "FLOOR" || !s.boolean("ceil_mode", true);
    if (s.boolean("global_pooling", false)) {
      pair(s, "stride", "stride", 1);
      pair(s, "pad", "pad", 0);
      return [layer.add(type, { global: true }), ...rest];
    }
    const pooled = layer.add(type, {
      kernel: pair(s, "kernel", "kernel_size"),
      stride: pair(s, "stride", "stride", 1),
      padding: pair(s, "pad", "pad", 0),
      rounding: floor ? "floor" : undefined,
    });
    return [pooled, ...rest];
  },
};

/** Past it a pyramid has more bins than any map has pixels. */
const mostLevels = 16;

/** SPP: a pyramid of poolings into 1, 2 × 2, 4 × 4, … bins, one after the other; a single one stays a map. */
const spp: Rule = {
  settings: "spp_param",
  convert(layer) {
    const { s } = layer;
    const type = poolingType(s);
    const levels = s.integer("pyramid_height", 1);
    const [, ...size] = layer.map();
    s.ignore("engine");
    if (levels === undefined || levels > mostLevels) {
      throw new UserError(`"pyramid_height" is ${levels ?? "missing"}, expected 1 to ${mostLevels}`);
    }
    const pools = Array.from({ length: levels }, (_, level) => {
      const bins = 2 ** level;
      const kernel = size.map((n) => Math.ceil(n / bins));
      const padding = size.map((n, a) => Math.ceil((kernel[a] * bins - n) / 2));
      return layer.add(type, { kernel, stride: kernel, padding });
    });
    return levels === 1 ? pools[0] : layer.add("concat", {}, pools.map((pool) => layer.add("flatten", {}, [pool])));
  },
};

const lrn: Rule = {
  settings: "lrn_param",
  convert(layer) {
    const { s } = layer;
    s.ignore("engine");
    const within =
      s.choice("norm_region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"], "ACROSS_CHANNELS") === "WITHIN_CHANNEL";
    const size = s.integer("local_size", 1) ?? 5;
    if (size % 2 === 0) throw new UserError(`"local_size" is ${size}, expected an odd number`);
    const k = s.number("k", 1); // which Caffe reads across channels only
    return layer.add("lrn", {
      region: within ? "within" : undefined,
      size,
      alpha: s.number("alpha", 1),
      beta: s.number("beta", 0.75),
      k: unless(within ? 1 : k, 1),
    });
  },
};

/** Upsample of one bottom, of YOLO's forks: every pixel becomes a square of them. */
const upsample: Rule = {
  settings: "upsample_param",
  bottoms: [1, 2],
  convert(layer) {
    layer.map();
    const scale = pair(layer.s, "scale", "scale");
    if (layer.xs.length > 1) {
      throw new UserError(
        "its second bottom tells where maxima were, which is not supported; only one bottom, whose pixels it repeats, is",
      );
    }
    const times = Array.isArray(scale) ? scale : [scale!, scale!];
    if (times.some((n) => n < 1)) throw new UserError(`"scale" is ${scale}, expected whole numbers ≥ 1`);
    return times.reduce((y, n, a) => repeated(layer, y, a + 1, n, (at) => Math.floor(at / n)), layer.x);
  },
};

/** The size that Interp makes of its bottom's, cropped as it may be. */
function interpolatedSize(layer: Conversion, from: number[]): number[] {
  const { s } = layer;
  const other = layer.xs[1]?.item;
  const [height, width] = ["height", "width"].map((name) => s.integer(name, 0));
  const shrink = s.integer("shrink_factor", 1);
  const zoom = s.integer("zoom_factor", 1);
  // A single factor goes before the size, the size before both.
  if (height && width && (shrink === undefined) === (zoom === undefined)) return [height, width];
  if ((shrink ?? zoom) !== undefined) {
    return from.map((n) => {
      const shrunk = Math.floor((n - 1) / (shrink ?? 1)) + 1;
      return shrunk + (shrunk - 1) * ((zoom ?? 1) - 1);
    });
  }
  if (other?.length === 3) return other.slice(1);
  throw new UserError(
    'it says no size: expected "zoom_factor", "shrink_factor", "height" and "width", or a second bottom of a size',
  );
}

/** The longest side of a map: network.json has no longer ones. */
const mostPixels = 2 ** 16;

/** What Interp does along an axis. */
const bilinear = {
  mode: "linear",
  coordinates: "align_corners",
  whole: true,
  nearest: "",
  cubic: 0,
  antialias: false,
  excludeOutside: false,
  region: [0, 1],
} as const;

/** Interp, of DeepLab: bilinear between the pixels, the corners' on each other; padding below zero crops first. */
const interp: Rule = {
  settings: "interp_param",
  bottoms: [1, 2],
  convert(layer) {
    const { s } = layer;
    const [, ...whole] = layer.map();
    const before = s.integer("pad_beg", -Infinity) ?? 0;
    const after = s.integer("pad_end", -Infinity) ?? 0;
    const from = whole.map((n) => n + before + after);
    if (before > 0 || after > 0) {
      throw new UserError(`"pad_beg" is ${before} and "pad_end" ${after}, expected numbers ≤ 0, which crop`);
    }
    if (from.some((n) => n < 1)) throw new UserError(`its padding [${before}, ${after}] leaves nothing of [${whole}]`);
    const to = interpolatedSize(layer, from);
    if (to.some((n) => n > mostPixels)) {
      throw new UserError(`it makes maps of ${to.join("×")}, expected sides up to ${mostPixels}`);
    }
    const x = before + after === 0 ? layer.x : layer.add("crop", { size: from, offset: [-before, -before] }, [layer.x]);
    return to.reduce((y, n, a) => {
      return positioned(layer.trace, y, a + 1, termsOf({ ...bilinear, from: from[a], to: n, scale: n / from[a] }));
    }, x);
  },
};

/** Layers by their type. */
export const windowRules: Readonly<Record<string, Rule>> = {
  Interp: interp,
  LRN: lrn,
  Pooling: pooling,
  SPP: spp,
  Upsample: upsample,
};
