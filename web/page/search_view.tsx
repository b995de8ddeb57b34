/** The search: find a unit, watch its picture grow, look back, change the numbers, keep what comes of it. */
import { Canvas } from "./canvas.tsx";
import { Curve } from "./curve.tsx";
import { Finder } from "./finder.tsx";
import { Numbers } from "./numbers.tsx";
import { OwnPhotographs } from "./own_photographs.tsx";
import { Results } from "./results.tsx";
import { step, toggle } from "./deeds.ts";
import { figure } from "../../src/formats/figure.ts";
import {
  history,
  length,
  lookedAt,
  opened,
  planned,
  running,
  seconds,
  selected,
  shown,
  started,
  topFive,
  version,
  wanted,
} from "./state.ts";

/** All of it. */
export function SearchView() {
  return (
    <div class="search">
      <section class="stage" aria-label="Pictures">
        <p class="quiet">
          What does a unit of {opened.value?.classifier.name}{" "}
          want to see? Every iteration changes the picture so that the unit answers more strongly.
        </p>
        <Finder />
        <Pictures />
        <Transport />
      </section>
      <section class="facts" aria-label="What the network sees">
        <Growth />
        <TopFive />
        <OwnPhotographs />
        <Results />
      </section>
      <section class="numbers" aria-label="Numbers of the search">
        <Numbers />
      </section>
    </div>
  );
}

const seedOf = (n: number) => {
  const { units = [], together, target, seeds = [0] } = wanted.value ?? {};
  const one = together || target !== undefined;
  return seeds[one ? n : Math.floor(n / Math.max(1, units.length))];
};

function Pictures() {
  const frame = shown.value;
  const titles = started.value?.titles ?? [];
  const several = titles.length > 1;
  if (!frame) {
    return (
      <div class="pictures waiting">
        <p class="quiet">{started.value ? "The first picture takes a moment." : "Find a unit above."}</p>
      </div>
    );
  }
  return (
    <ul class={several ? "pictures several" : "pictures"}>
      {frame.pictures.map((picture, n) => {
        const title = titles[n] ?? "";
        const seed = seedOf(n);
        const caption = several ? `${title}, seed ${seed}` : title;
        const canvas = <Canvas picture={picture} label={`What “${title}” wants to see, seed ${seed}`} />;
        return (
          <li key={n}>
            {several
              ? (
                <button type="button" aria-pressed={selected.value === n} onClick={() => selected.value = n}>
                  {canvas}
                  <span class="caption">{caption}</span>
                </button>
              )
              : (
                <figure>
                  {canvas}
                  <figcaption class="caption">{caption}</figcaption>
                </figure>
              )}
          </li>
        );
      })}
    </ul>
  );
}

const deed = { running: "Pause", paused: "Go on", done: "Again", idle: "Start" };

function Transport() {
  const frame = shown.value;
  const iteration = frame?.iteration ?? 0;
  const last = history.frames.at(-1)?.iteration ?? 0;
  const look = (to: number) => lookedAt.value = to >= last ? undefined : to;
  void version.value;
  return (
    <div class="transport">
      <button type="button" class="main" onClick={() => void toggle()}>{deed[running.value]}</button>
      <button
        type="button"
        disabled={running.value !== "running" && running.value !== "paused"}
        onClick={() => void step()}
      >
        Step
      </button>
      <label class="scrub">
        <span class="unseen">Iteration that is shown</span>
        <input
          type="range"
          min={1}
          max={Math.max(1, last)}
          value={iteration}
          disabled={last < 2}
          onInput={({ currentTarget }) => look(Number(currentTarget.value))}
        />
      </label>
      <output class="count">
        {iteration} of {length.value || "–"}
      </output>
    </div>
  );
}

function Growth() {
  void version.value;
  return (
    <Curve traces={history.traces} selected={selected.value} at={shown.value?.iteration ?? 0} length={length.value} />
  );
}

function TopFive() {
  const top = topFive.value;
  const most = Math.max(1e-6, ...top.map(({ activation }) => activation));
  const own = wanted.value?.units ?? [];
  return (
    <div class="top">
      <h2>The network sees</h2>
      {top.length === 0
        ? (
          <p class="quiet">
            {running.value === "done"
              ? "Nothing that has a name."
              : "It is asked at the end, for units inside the network."}
          </p>
        )
        : (
          <ol>
            {top.map(({ unit, name, activation }) => (
              <li key={unit} class={own.includes(unit) ? "own" : undefined}>
                <span>{name}</span>
                <meter aria-label={name} min={0} max={most} value={Math.max(0, activation)} />
                <output>{figure(activation, 1)}</output>
              </li>
            ))}
          </ol>
        )}
      <p class="quiet">
        {planned.value > 2 ** 20 && `${(planned.value / 2 ** 20).toFixed(0)} MiB of GPU memory. `}
        {seconds.value !== undefined && `${seconds.value.toFixed(1)} s.`}
      </p>
    </div>
  );
}
