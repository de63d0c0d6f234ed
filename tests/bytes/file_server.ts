/**
 * A real server of one file on this machine, which counts what is asked of it and fails where it is told to.
 *
 * @module
 */

/** One request, in the order in which they came. */
export interface Asked {
  readonly path: string;
  /** The first byte and the one behind the last; `null` without a `Range`. */
  readonly range: readonly [number, number] | null;
}

/** What is answered instead of the file; `null` for the file. `n` counts requests from 0. */
export type Fault = (request: Request, n: number) => Response | Promise<Response> | null;

/** A server while a test runs. */
export interface FileServer {
  readonly url: string;
  readonly asked: Asked[];
  /** What it serves, also to requests from now on. */
  file: Uint8Array<ArrayBuffer>;
  /** The entity tag; none if empty. */
  etag: string;
  fault: Fault;
}

/** Runs `test` with a server of `file`, and waits until the server has let go of everything. */
export async function withServer(
  file: Uint8Array<ArrayBuffer>,
  test: (server: FileServer) => Promise<void>,
): Promise<void> {
  const asked: Asked[] = [];
  const server: { -readonly [K in keyof FileServer]: FileServer[K] } = {
    url: "",
    asked,
    file,
    etag: '"1"',
    fault: () => null,
  };
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response(null) },
    (request) => {
      const range = rangeOf(request);
      asked.push({ path: new URL(request.url).pathname, range });
      return server.fault(request, asked.length - 1) ?? answer(server, range);
    },
  );
  server.url = `http://127.0.0.1:${http.addr.port}/model.safetensors`;
  try {
    await test(server);
  } finally {
    await http.shutdown();
  }
}

/** Bytes that were asked for. */
export function bytesAsked(asked: readonly Asked[]): number {
  return asked.reduce((sum, { range }) => sum + (range === null ? 0 : range[1] - range[0]), 0);
}

/** The honest answer: the range that is asked for, or the file. */
export function answer({ file, etag }: FileServer, range: readonly [number, number] | null): Response {
  const tag: Record<string, string> = etag === "" ? {} : { etag };
  if (range === null) return new Response(file, { headers: tag });
  const [first, end] = [range[0], Math.min(range[1], file.length)];
  if (first >= file.length) {
    return new Response(null, { status: 416, headers: { ...tag, "content-range": `bytes */${file.length}` } });
  }
  const headers = { ...tag, "content-range": `bytes ${first}-${end - 1}/${file.length}` };
  return new Response(file.subarray(first, end), { status: 206, headers });
}

/** The range of a request. */
export function rangeOf(request: Request): readonly [number, number] | null {
  const found = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
  return found === null ? null : [Number(found[1]), Number(found[2]) + 1];
}

/** The answer of `whole`, which breaks off after `length` bytes of its body. */
export async function cut(whole: Response, length: number): Promise<Response> {
  const body = await whole.bytes();
  let isSent = false;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isSent) controller.enqueue(body.subarray(0, length));
      else {
        // What was sent arrives first.
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.error(new Error("cut"));
      }
      isSent = true;
    },
  });
  const headers = new Headers(whole.headers);
  headers.set("content-length", String(body.length));
  return new Response(stream, { status: whole.status, headers });
}
