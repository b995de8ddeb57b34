/** A server on this machine whose transfers go wrong as they do elsewhere. */

/** How it answers one request; what is left out is as it should be. */
export interface Behaviour {
  status?: number;
  /** With a status of 300 and more: where to go. */
  location?: string;
  /** Closes the connection after so many bytes of the answer. */
  cutAfter?: number;
  /** Sends so many bytes and then nothing more. */
  stallAfter?: number;
  /** Sends the bytes in so many pieces, a moment apart. */
  pieces?: number;
  /** The file as it is from this request on. */
  content?: Uint8Array;
  /** Nobody can tell whether the file has changed. */
  untagged?: boolean;
  /** Says neither how long it is nor what part it is. */
  unsized?: boolean;
  /** Answers a question for a part with everything. */
  wholly?: boolean;
  /** What it says of how the content is packed. */
  encoding?: string;
  /** Starts a part so many bytes too late. */
  shifted?: number;
}

/** A running server; `ranges` are the Range headers of the requests so far, empty where there was none. */
export interface Server extends AsyncDisposable {
  url: string;
  ranges: string[];
}

/** Serves one file under any name: the nth request as `behaviours[n]` says, all later ones well. */
export function serve(file: Uint8Array, behaviours: Behaviour[] = []): Server {
  const ranges: string[] = [];
  const stop = new AbortController();
  let content = file;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen() {} }, (request) => {
    const behaviour = behaviours[ranges.length] ?? {};
    const range = request.headers.get("range") ?? "";
    ranges.push(range);
    content = behaviour.content ?? content;
    const { status, location } = behaviour;
    if (status) return new Response("no", { status, headers: location ? { location } : {} });
    return answer(content, request, range, behaviour, stop.signal);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    ranges,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

function answer(
  content: Uint8Array,
  request: Request,
  range: string,
  { cutAfter, stallAfter, pieces = 1, untagged, unsized, wholly, encoding, shifted = 0 }: Behaviour,
  stop: AbortSignal,
): Response {
  const etag = `"${content.length}-${content.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7)}"`;
  const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
  const part = range !== "" && !wholly && request.headers.get("if-range") === etag;
  const headers: Record<string, string> = untagged ? {} : { etag };
  if (part && from >= content.length) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${content.length}` } });
  }
  const bytes = part ? content.subarray(from + shifted) : content;
  if (part) headers["content-range"] = `bytes ${from + shifted}-${content.length - 1}/${content.length}`;
  if (encoding) headers["content-encoding"] = encoding;
  if (!unsized) headers["content-length"] = `${bytes.length}`;
  const end = Math.min(cutAfter ?? Infinity, stallAfter ?? Infinity, bytes.length);
  const size = Math.ceil(end / pieces);
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (let at = 0; at < end; at += size) {
        controller.enqueue(bytes.slice(at, Math.min(end, at + size)));
        await new Promise((done) => setTimeout(done, 20));
      }
      if (stallAfter !== undefined) await new Promise((done) => stop.addEventListener("abort", done));
      controller.close(); // before the length that was promised: the connection breaks
    },
  });
  return new Response(body, { status: part ? 206 : 200, headers });
}
