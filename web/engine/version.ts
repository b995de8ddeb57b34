/** Phosphene's version. */
import config from "../../deno.json" with { type: "json" };

export default config.version;
