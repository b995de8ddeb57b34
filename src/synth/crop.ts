/** The part of a classifier's picture that a target sees: the receptive fields of its units. */
import { fieldAt } from "../net/field.ts";
import { buildGraph, endingOf } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import { valueOf } from "../net/naming.ts";
import { chw, unitMap } from "../ops/op.ts";
import { objectives } from "./objectives/table.ts";
import { parseTarget, termsOf } from "./target.ts";

/** A part of a picture. */
export interface Box {
  /** Columns before it. */
  left: number;
  /** Rows before it. */
  top: number;
  /** Columns of it. */
  width: number;
  /** Rows of it. */
  height: number;
}

/**
 * The smallest box that holds what all units of a target see, in pixels of the classifier's input; all of the input where a term is
 * about a whole map. @throws UserError where a name means nothing.
 */
export function fieldBox(model: Model, target: string, inputName: string = model.network.inputs[0].name): Box {
  const graph = buildGraph(model);
  const input = graph.inputs.find(({ name }) => name === inputName)!;
  const [, height, width] = chw(input.shape);
  const whole = [{ first: 0, last: height - 1 }, { first: 0, last: width - 1 }];
  const suits = model.network.search?.layer;
  const spans = termsOf(parseTarget(target)).map(({ kind, layer = suits, at }) => {
    const value = layer === undefined ? endingOf(graph).logits : valueOf(graph, layer);
    const { takes } = objectives[kind];
    const [, h, w] = unitMap(value.shape);
    const alone = takes === "place" || takes === "direction" && at !== "all";
    if (!alone || h * w === 1 && unitMap(value.shape)[0] !== chw(value.shape)[0]) return whole;
    const place = Array.isArray(at) ? at as [number, number] : [Math.floor(w / 2), Math.floor(h / 2)] as const;
    return fieldAt(graph, value, input, place) ?? whole;
  });
  const [top, left] = [0, 1].map((axis) => Math.min(...spans.map((span) => span[axis].first)));
  const [bottom, right] = [0, 1].map((axis) => Math.max(...spans.map((span) => span[axis].last)));
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}
