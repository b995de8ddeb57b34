/** The page: its head, its views, what it has to say, and the place where files are dropped. */
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import type { Opened } from "../engine/messages.ts";
import { droppedFiles, listedFiles } from "./files.ts";
import { GpuView } from "./gpu_view.tsx";
import { Missing } from "./missing.tsx";
import { NetworkView } from "./network_view.tsx";
import { PhotographView } from "./photograph_view.tsx";
import { SearchView } from "./search_view.tsx";
import { drop, restore, take } from "./deeds.ts";
import { views } from "./address.ts";
import { names } from "./places.ts";
import { asked, at, attempt, busy, embeddedPair, engine, failure, loaded, notice, opened } from "./state.ts";
import { phase, view, wanted } from "./state.ts";

/** All of it. */
export function App() {
  return (
    <DropPlace>
      <Head />
      <Words />
      <main>
        {phase.value === "missing" && <Missing />}
        {phase.value === "loading" && <Loading />}
        {phase.value === "failed" && <Failed />}
        {phase.value === "ready" && <View />}
      </main>
      <Foot />
    </DropPlace>
  );
}

function Head() {
  return (
    <header class="head">
      <a class="brand" href="./" aria-label="Phosphene, the page's beginning">
        <img src="icon.svg" alt="" width="28" height="28" />
        <h1>Phosphene</h1>
      </a>
      {phase.value === "ready" && (
        <nav aria-label="Views">
          {views.map((name) => (
            <button
              type="button"
              key={name}
              aria-current={view.value === name ? "page" : undefined}
              onClick={() => view.value = name}
            >
              {names[name]}
            </button>
          ))}
        </nav>
      )}
      {phase.value === "ready" && <OpenFiles />}
    </header>
  );
}

/** Files by the system's own dialog, for who does not drop. */
function OpenFiles() {
  const take = async (input: HTMLInputElement) => {
    const files = listedFiles([...input.files ?? []]);
    input.value = "";
    if (files.length > 0) await drop(files);
  };
  return (
    <label class="button open">
      Open files…
      <input type="file" multiple class="unseen" onChange={({ currentTarget }) => void take(currentTarget)} />
    </label>
  );
}

function View() {
  if (view.value === "network") return <NetworkView key={opened.value?.classifier.hash} />;
  if (view.value === "photograph") return <PhotographView />;
  if (view.value === "gpu") return <GpuView />;
  return <SearchView />;
}

function Loading() {
  const { done, total } = loaded.value;
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return (
    <section class="alone" aria-label="Loading">
      <p>What does a neuron want to see? In a moment, on this machine’s own GPU.</p>
      <progress aria-label="The networks are loaded" max={total || 1} value={done} />
      <p class="quiet">{total > 0 ? `${megabytes(done)} of ${megabytes(total)} MB` : "Asking for the GPU"}</p>
    </section>
  );
}

/** The engine has ended: what it was opened with is gone, and the page can begin anew. */
function Failed() {
  return (
    <section class="alone">
      <h2 class="title">The engine has stopped</h2>
      <p>
        It ran out of memory, or the browser took its GPU away. Networks that you keep in this browser and pictures that
        you saved are still there.
      </p>
      <button type="button" class="main" onClick={() => location.reload()}>Begin again</button>
    </section>
  );
}

/** What there is to say. */
function Words() {
  return (
    <div class="words" aria-live="polite">
      {failure.value && <p class="failure" role="alert">{failure.value}</p>}
      {notice.value && <p class="notice">{notice.value}</p>}
      {asked.value && (
        <div class="notice" role="alert">
          <p>{asked.value.sentence}</p>
          <div class="buttons">
            <button type="button" class="main" onClick={() => void take(asked.value!.files)}>Read them</button>
            <button type="button" onClick={() => asked.value = undefined}>Leave them</button>
          </div>
        </div>
      )}
      {busy.value && (
        <p class="notice">
          {busy.value}… {at.value && at.value.total > 1 && (
            <>
              {at.value.done} of {at.value.total}{" "}
              <button type="button" class="link" onClick={() => void engine.halt()}>Leave it</button>
            </>
          )}
        </p>
      )}
    </div>
  );
}

function isEmbedded({ classifier, generator }: Opened): boolean {
  const own = embeddedPair.value;
  return classifier.hash === own?.classifier.hash && generator.hash === own.generator.hash;
}

function Foot() {
  const pair = opened.value;
  const { prior = "learned", method } = { ...wanted.value?.wishes, method: wanted.value?.method };
  return (
    <footer class="foot">
      {pair && (
        <p>
          {pair.classifier.name}, drawn by {prior === "learned" ? pair.generator.name : method ?? prior}, on{" "}
          {pair.adapter}
          {pair.software && " (the CPU runs the kernels)"}.{" "}
          {!isEmbedded(pair) && (
            <button type="button" class="link" onClick={() => void restore()}>Back to the embedded pair</button>
          )}
        </p>
      )}
      <p>Nothing that you open here leaves this machine: there is no server behind the page.</p>
    </footer>
  );
}

/** The whole window takes what is dropped. */
function DropPlace({ children }: { children: ComponentChildren }) {
  const over = useSignal(false);
  return (
    <div
      class={over.value ? "page over" : "page"}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={(event) => {
        if (event.currentTarget === event.target || !event.relatedTarget) over.value = false;
      }}
      onDrop={async (event) => {
        event.preventDefault();
        over.value = false;
        const { dataTransfer } = event;
        const files = dataTransfer && await attempt("", () => droppedFiles(dataTransfer));
        if (files) await drop(files);
      }}
    >
      {children}
      <p class="drop" aria-hidden="true">
        Pictures, or a network: .prototxt with .caffemodel, .onnx, .safetensors, a model folder or its .zip
      </p>
    </div>
  );
}
