/** The page's beginning. */
import { render } from "preact";
import { App } from "./app.tsx";
import { begin, openAddress } from "./deeds.ts";

render(<App />, document.body);
addEventListener("hashchange", () => void openAddress());
void begin();

// Where it is refused (an address that is not safe, a private window), the page merely needs the network again.
navigator.serviceWorker?.register("offline.js").catch(() => {});
