/** What comes of a search, to keep. */
import { useSignal } from "@preact/signals";
import { save } from "./deeds.ts";
import { command, shown, started } from "./state.ts";

/** Files, and the command line that makes the same. */
export function Results() {
  const copied = useSignal(false);
  const several = (started.value?.titles.length ?? 0) > 1;
  const copy = async () => {
    await navigator.clipboard?.writeText(command.value).catch(() => {});
    copied.value = true;
    setTimeout(() => copied.value = false, 2000);
  };
  return (
    <div class="results">
      <h2>Keep</h2>
      <div class="buttons">
        <button type="button" disabled={!shown.value} onClick={() => void save("png")}>Picture (PNG)</button>
        <button type="button" disabled={!shown.value} onClick={() => void save("gif")}>Growth (GIF)</button>
        {several && <button type="button" onClick={() => void save("sheet")}>Sheet (PNG)</button>}
        <button type="button" disabled={!shown.value} onClick={() => void save("code")}>Code (.npy)</button>
      </div>
      <p class="quiet">
        A saved picture says how it was made: drop it here, or give it to{" "}
        <code>synth --from</code>, and it is drawn again.
      </p>
      <div class="command">
        <code tabIndex={0}>{command.value}</code>
        <button type="button" onClick={() => void copy()}>{copied.value ? "Copied" : "Copy the command"}</button>
      </div>
    </div>
  );
}
