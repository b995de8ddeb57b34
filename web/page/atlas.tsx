/** A layer's units as small pictures, made as they come into sight. */
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { keep, kept } from "./kept.ts";
import { attempt, engine, opened, running, wanted } from "./state.ts";

/** Pictures that are made at a time, and shown before more are asked for. */
const TOGETHER = 8;
const PAGE = 48;

/** How far it is. */
type Progress = "waits" | "draws" | "stopped";

/** It; `open` shows a unit by itself. */
export function Atlas({ layer, open }: { layer: string; open: (unit: number) => void }) {
  const { classifier, generator } = opened.value!;
  const method = wanted.value?.method;
  const info = classifier.layers.find(({ target }) => target === layer)!;
  const pictures = useSignal<ReadonlyMap<number, string>>(new Map());
  const shown = useSignal(PAGE);
  const progress = useSignal<Progress>("draws");
  const drawn = useSignal<readonly number[]>([]);
  const heading = useRef<HTMLHeadingElement>(null);
  const count = Math.min(shown.value, info.units);
  useEffect(() => {
    heading.current?.scrollIntoView({ block: "start" });
    heading.current?.focus({ preventScroll: true });
  }, []);
  const stopped = progress.value === "stopped";
  useEffect(() => {
    let wanted = true;
    const key = (unit: number) => `${classifier.hash}/${method ?? generator.hash}/${encodeURIComponent(layer)}/${unit}`;
    const show = (unit: number, picture: Blob) => {
      pictures.value = new Map([...pictures.value, [unit, URL.createObjectURL(picture)]]);
    };
    const make = async () => {
      const missing: number[] = [];
      for (let unit = 0; unit < count && wanted; unit++) {
        if (pictures.value.has(unit)) continue;
        const found = await kept(key(unit));
        if (found) show(unit, found);
        else missing.push(unit);
      }
      while (missing.length > 0 && wanted) {
        // A search that somebody watches comes first.
        progress.value = running.value === "running" ? "waits" : "draws";
        if (progress.value === "waits") {
          await new Promise((resolve) => setTimeout(resolve, 300));
          continue;
        }
        const units = drawn.value = missing.splice(0, TOGETHER);
        const made = await attempt("", () => engine.atlas(layer, units, method));
        if (!wanted) return;
        drawn.value = [];
        if (!made) {
          progress.value = "stopped";
          return;
        }
        for (const [n, { bytes, type }] of made.entries()) {
          const picture = new Blob([bytes], { type });
          show(units[n], picture);
          await keep(key(units[n]), picture);
        }
      }
    };
    if (!stopped) void make();
    return () => {
      wanted = false;
      void engine.halt();
    };
  }, [count, stopped]);
  useEffect(() => () => pictures.value.forEach((address) => URL.revokeObjectURL(address)), []);
  const named = (unit: number) => layer === classifier.layer && classifier.labels[unit] || `unit ${unit}`;
  return (
    <section class="atlas" aria-label={`Units of ${layer}`}>
      <h2 ref={heading} tabIndex={-1}>{layer}: {info.units} units</h2>
      {pictures.value.size < count && (
        <p class="progress" role="status">
          {pictures.value.size} of {count} drawn{progress.value === "waits" && ", waiting for the search to end"}{" "}
          {stopped
            ? <button type="button" class="link" onClick={() => progress.value = "draws"}>Go on</button>
            : <button type="button" class="link" onClick={() => progress.value = "stopped"}>Stop</button>}
        </p>
      )}
      <ul>
        {Array.from({ length: count }, (_, unit) => (
          <li key={unit}>
            <button type="button" onClick={() => open(unit)}>
              {pictures.value.has(unit)
                ? <img src={pictures.value.get(unit)} alt="" />
                : <span class="blank">{drawn.value.includes(unit) && "drawing…"}</span>}
              <span class="caption">{named(unit)}</span>
            </button>
          </li>
        ))}
      </ul>
      {count < info.units && <button type="button" onClick={() => shown.value += PAGE}>More units</button>}
    </section>
  );
}
