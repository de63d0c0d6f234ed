import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { openSource } from "../../src/bytes/open_source.ts";
import { readInto, readIntoSync } from "../../src/bytes/source.ts";
import { CheckpointError, LimitError } from "../../src/errors.ts";

/** More than two blocks, and not a whole number of them. */
const FILE = new Uint8Array(Uint32Array.from({ length: (9 << 18) + 1 }, (_, i) => i * 2654435761).buffer);

/** A stream of `bytes` in pieces, which notes whether it was cancelled. */
function streamOf(bytes: Uint8Array, pieceBytes: number): { stream: ReadableStream<Uint8Array>; cancelled: unknown[] } {
  let at = 0;
  const cancelled: unknown[] = [];
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += pieceBytes));
    },
    cancel: (reason) => void cancelled.push(reason),
  }, { highWaterMark: 0 });
  return { stream, cancelled };
}

Deno.test("a stream is kept and read by position, across its blocks", async () => {
  for (const pieceBytes of [70_001, 5 << 20, FILE.length]) {
    const source = await openSource(streamOf(FILE, pieceBytes).stream);
    assertEquals([source.size, source.name], [FILE.length, "stream"]);
    for (const [offset, length] of [[0, 10], [(4 << 20) - 5, 10], [(8 << 20) - 3, 99], [FILE.length - 4, 50]]) {
      assertEquals(await source.read(offset, length), FILE.slice(offset, offset + length));
    }
    assertEquals(await source.read(FILE.length + 5, 1), new Uint8Array(0));
    const whole = new Uint8Array(FILE.length);
    await readInto(source, whole, { offset: 0, what: "x" });
    assertEquals(whole, FILE);
    readIntoSync(source, whole.subarray(1), { offset: 0, what: "x" });
    assertEquals(whole.subarray(1), FILE.subarray(0, FILE.length - 1));
    await source.close();
  }
});

Deno.test("a response is kept like a stream", async () => {
  const source = await openSource(new Response(FILE));
  assertEquals([source.size, source.name], [FILE.length, "response"]);
  assertEquals(await source.read(5_000_000, 9), FILE.slice(5_000_000, 5_000_009));
  assertEquals((await openSource(new Response(null))).size, 0);
  for (const [status, text] of [[404, "404"], [500, "500"], [206, "206"]] as const) {
    const answered = `Cannot open "response": the server answered ${text}`;
    await assertRejects(() => openSource(new Response("no", { status })), CheckpointError, answered);
  }
});

Deno.test("a stream beyond the limit is stopped there", async () => {
  const { stream, cancelled } = streamOf(FILE, 1 << 20);
  const error = await assertRejects(() => openSource(stream, { spoolBytes: 3 << 20 }), LimitError);
  assertEquals([error.limit, error.allowed, error.found], ["spoolBytes", 3 << 20, 4 << 20]);
  assertStrictEquals(cancelled[0], error);
  const source = await openSource(streamOf(FILE, 1 << 20).stream, { spoolBytes: FILE.length });
  assertEquals(source.size, FILE.length);
});

Deno.test("a stream that fails is a CheckpointError, and one that was used or holds text a TypeError", async () => {
  const cause = new Error("the line is dead");
  const failing = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(cause) });
  const error = await assertRejects(
    () => openSource(failing),
    CheckpointError,
    'Cannot open "stream": the line is dead',
  );
  assertStrictEquals(error.cause, cause);

  const { stream } = streamOf(FILE, 1000);
  stream.getReader();
  await assertRejects(() => openSource(stream), TypeError, "it is being read already");
  const response = new Response("x");
  await response.text();
  await assertRejects(() => openSource(response), TypeError, "was read already");
  const text: ReadableStream = ReadableStream.from(["text"]);
  await assertRejects(() => openSource(text), TypeError, "it holds string, not bytes");
});

Deno.test("an abort ends a stream that never does, with the signal's own reason", async () => {
  const cancelled: unknown[] = [];
  const silent = new ReadableStream<Uint8Array>({ cancel: (reason) => void cancelled.push(reason) });
  const abort = new AbortController();
  const opening = openSource(silent, { signal: abort.signal });
  const reason = new Error("changed my mind");
  setTimeout(() => abort.abort(reason), 10);
  assertStrictEquals(await assertRejects(() => opening), reason);
  assertStrictEquals(cancelled[0], reason);
  assertEquals(silent.locked, false);
});
