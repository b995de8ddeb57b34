/** Networks that are kept in this browser, and those at hand that could be. */
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import type { KeptModel } from "../engine/messages.ts";
import { openKept } from "./deeds.ts";
import { forgetPictures } from "./kept.ts";
import { attempt, embeddedPair, engine, opened } from "./state.ts";

/** What is kept. */
const kept = signal<readonly KeptModel[]>([]);

/** Does something to them, then lists them anew. */
async function change(work: string, run: () => Promise<void>): Promise<void> {
  await attempt(work, async () => {
    try {
      await run();
    } finally {
      kept.value = await engine.kept();
    }
  });
}

/** Forgets one, and the small pictures of its units. */
async function forget(hash: string): Promise<void> {
  await engine.forgetKept(hash);
  await forgetPictures(hash);
}

const roles = ["classifier", "generator"] as const;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** All of it. */
export function KeptModels() {
  const pair = opened.value!;
  useEffect(() => void attempt("", async () => kept.value = await engine.kept()), []);
  const known = (hash: string) => kept.value.some((one) => one.hash === hash);
  const others = roles.filter((role) => pair[role].hash !== embeddedPair.value?.[role].hash && !known(pair[role].hash));
  if (others.length + kept.value.length === 0) return null;
  return (
    <section class="kept" aria-labelledby="kept">
      <h2 id="kept">Kept in this browser</h2>
      <ul>
        {kept.value.map((model) => (
          <li key={model.hash}>
            <span>{model.name}</span>
            <span class="quiet">{model.role}, {megabytes(model.bytes)}</span>
            <button type="button" onClick={() => void openKept(model)}>Open {model.name}</button>
            <button type="button" onClick={() => void change("", () => forget(model.hash))}>
              Delete {model.name}
            </button>
          </li>
        ))}
        {others.map((role) => (
          <li key={role}>
            <button type="button" onClick={() => void change(`Keeping ${pair[role].name}`, () => engine.keep(role))}>
              Keep {pair[role].name}, {megabytes(pair[role].bytes)}
            </button>
          </li>
        ))}
      </ul>
      <p class="quiet">They stay on this machine, and are there when you come back.</p>
    </section>
  );
}
