/** This GPU: whether its numbers are right, how fast it is, and a file of both to keep or send. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Findings, Word } from "../doctor/messages.ts";
import { keepFile } from "./files.ts";

/** What is known so far. */
const at = signal<Extract<Word, { kind: "at" }> | undefined>(undefined);
const findings = signal<Findings | undefined>(undefined);
const failure = signal("");

/** The doctor, while it looks. */
let worker: Worker | undefined;

/** Sends it away. */
function stop(): void {
  worker?.terminate();
  worker = undefined;
  at.value = undefined;
}

/** Has it look. */
function examine(): void {
  worker = new Worker(new URL("doctor.js", document.baseURI), { type: "module", name: "doctor" });
  at.value = { kind: "at", what: "asks for the GPU", done: 0, total: 0 };
  findings.value = undefined;
  failure.value = "";
  worker.onmessage = ({ data: word }: MessageEvent<Word>) => {
    if (word.kind === "at") at.value = word;
    else {
      if (word.kind === "found") findings.value = word.findings;
      else failure.value = word.sentence;
      stop();
    }
  };
  worker.onerror = ({ message }) => {
    failure.value = message ?? "the doctor could not be loaded";
    stop();
  };
}

/** All of it. */
export function GpuView() {
  const found = findings.value;
  return (
    <section class="gpu">
      <h2 class="title">This GPU</h2>
      <p>
        Every kernel is compared with a float64 reference on this very adapter, then every dispatch of a search’s
        iteration is timed beside the adapter’s peak. It takes a minute on a GPU, many where the CPU runs the kernels.
      </p>
      <div class="buttons">
        {at.value
          ? <button type="button" onClick={stop}>Stop</button>
          : <button type="button" class="main" onClick={examine}>Examine it</button>}
        {found && (
          <>
            <button type="button" onClick={() => keepFile("profile.json", "application/json", found.json)}>
              Figures (JSON)
            </button>
            <button type="button" onClick={() => keepFile("roofline.svg", "image/svg+xml", found.roofline)}>
              Roofline (SVG)
            </button>
          </>
        )}
      </div>
      <div aria-live="polite">
        {failure.value && <p class="failure">{failure.value}</p>}
        {at.value && (
          <p class="quiet">
            It {at.value.what}
            {at.value.total > 0 && `, ${at.value.done} of ${at.value.total}`}
          </p>
        )}
      </div>
      {at.value && (
        <progress aria-label="Examined" value={at.value.total ? at.value.done : undefined} max={at.value.total || 1} />
      )}
      {found && <Found found={found} />}
    </section>
  );
}

function Found(
  { found: { adapter, software, peak, checked, wrong, milliseconds, rows, roofline } }: { found: Findings },
) {
  const per = (value: number) => value.toPrecision(3);
  return (
    <>
      <dl class="sums">
        <div>
          <dt>Adapter</dt>
          <dd>{adapter}{software && ", by the CPU"}</dd>
        </div>
        <div>
          <dt>Right</dt>
          <dd>{checked - wrong.length} of {checked} checks</dd>
        </div>
        <div>
          <dt>Peak</dt>
          <dd>{peak.gflops.toFixed(0)} GFLOP/s, {peak.gigabytes.toFixed(0)} GB/s</dd>
        </div>
        <div>
          <dt>An iteration</dt>
          <dd>{per(milliseconds)} ms</dd>
        </div>
      </dl>
      {wrong.length > 0 && (
        <ul class="failure">
          {wrong.map(({ case: name, error }) => <li key={name}>{name}: {error}</li>)}
        </ul>
      )}
      <Roofline svg={roofline} />
      <div class="wide" tabIndex={0} role="region" aria-label="Dispatches">
        <table>
          <thead>
            <tr>
              {["Kernel", "ms", "GFLOP/s", "GB/s", "Bound by", "Of that", "Way"].map((name) => (
                <th scope="col" key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ kernel, way, ms, gflops, gigabytes, bound, share }) => (
              <tr key={kernel}>
                <th scope="row">{kernel}</th>
                <td>{per(ms)}</td>
                <td>{per(gflops)}</td>
                <td>{per(gigabytes)}</td>
                <td>{bound}</td>
                <td>{(100 * share).toFixed(0)} %</td>
                <td>{way}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Roofline({ svg }: { svg: string }) {
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    image.current!.src = address;
    return () => URL.revokeObjectURL(address);
  }, [svg]);
  return (
    <div class="wide roofline" tabIndex={0} role="region" aria-label="Roofline">
      <img ref={image} alt="The dispatches of an iteration under the adapter’s roof" />
    </div>
  );
}
