import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { EDGE_BYTES } from "../../src/bytes/blocks.ts";
import { openSource } from "../../src/bytes/open_source.ts";
import { MAX_RETRIES } from "../../src/bytes/request.ts";
import { readExactly, readInto } from "../../src/bytes/source.ts";
import { CheckpointError, LimitError } from "../../src/errors.ts";
import { answer, bytesAsked, cut, rangeOf, withServer } from "./file_server.ts";

/** Three megabytes, every 4 bytes of which say where they are. */
const FILE = new Uint8Array(Uint32Array.from({ length: 3 << 18 }, (_, i) => i * 2654435761).buffer);

/** A file that is one block. */
const SMALL = FILE.slice(0, 1000);

Deno.test("an http source reads what the file has, from its beginning, its end and between", async () => {
  await withServer(FILE, async ({ url, asked }) => {
    for (const from of [url, new URL(url), `${url}?token=secret#part`]) {
      const source = await openSource(from);
      assertEquals([source.size, source.name], [FILE.length, url]);
      for (
        const [offset, length] of [[0, 16], [FILE.length - 98, 98], [1_000_001, 77], [250_000, 1 << 21], [
          FILE.length - 5,
          50,
        ]]
      ) {
        assertEquals(await source.read(offset, length), FILE.slice(offset, offset + length));
      }
      assertEquals(await source.read(FILE.length, 5), new Uint8Array(0));
      await source.close();
    }
    assert(asked.every(({ range }) => range !== null && range[1] <= FILE.length), JSON.stringify(asked));
  });
});

Deno.test("the beginning and the end are one request each, however small the reads", async () => {
  await withServer(FILE, async ({ url, asked }) => {
    const source = await openSource(url);
    for (let at = 0; at < EDGE_BYTES; at += 1000) await source.read(at, 8);
    for (let at = EDGE_BYTES; at > 0; at -= 1000) await source.read(FILE.length - at, 8);
    assertEquals(asked.map(({ range }) => range), [[0, EDGE_BYTES], [FILE.length - EDGE_BYTES, FILE.length]]);
    await source.close();
  });
});

Deno.test("reads that follow each other are fetched in blocks that double, and every byte once", async () => {
  await withServer(FILE, async ({ url, asked }) => {
    const source = await openSource(url);
    for (let at = 0; at < FILE.length; at += 3000) {
      assertEquals(await source.read(at, 3000), FILE.slice(at, at + 3000));
    }
    assert(asked.length <= 5, JSON.stringify(asked));
    assertEquals(bytesAsked(asked), FILE.length);
    await source.close();
  });
});

Deno.test("reads here and there fetch little more than they want", async () => {
  await withServer(FILE, async ({ url, asked }) => {
    const source = await openSource(url);
    for (const at of [2_500_000, 1_000_000, 2_000_000, 1_500_000]) await source.read(at, 100);
    assertEquals(asked.length, 5);
    assertEquals(bytesAsked(asked), EDGE_BYTES + 4 * 16384);
    await source.close();
  });
});

Deno.test("reads of one turn are fetched together, hundreds at once each with their own bytes", async () => {
  await withServer(FILE, async ({ url, asked }) => {
    const source = await openSource(url);
    const reads = Array.from({ length: 300 }, async (_, i) => {
      const offset = (i * 7919 * 131) % (FILE.length - 500);
      assertEquals(await readExactly(source, { offset, length: 500, what: "x" }), FILE.slice(offset, offset + 500));
    });
    await Promise.all(reads);
    assert(asked.length <= 3, JSON.stringify(asked));
    const whole = new Uint8Array(FILE.length);
    await readInto(source, whole, { offset: 0, what: "x" });
    assertEquals(whole, FILE);
    await source.close();
  });
});

Deno.test("at most six requests to one file run at once", async () => {
  await withServer(new Uint8Array(16 << 20), async (server) => {
    let running = 0;
    let most = 0;
    server.fault = async (request) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 50));
      running--;
      return answer(server, rangeOf(request));
    };
    const source = await openSource(server.url);
    await Promise.all(Array.from({ length: 15 }, (_, i) => source.read((i + 1) << 20, 10)));
    assertEquals([most, server.asked.length], [6, 16]);
    await source.close();
  });
});

Deno.test("an answer that breaks off is continued where it did", async () => {
  await withServer(FILE, async (server) => {
    server.fault = (request, n) => n === 1 ? cut(answer(server, rangeOf(request)), 300_000) : null;
    const source = await openSource(server.url);
    assertEquals(await source.read(1_000_000, 1_000_000), FILE.slice(1_000_000, 2_000_000));
    assertEquals(server.asked.length, 3);
    const [first, end] = server.asked[2].range ?? [0, 0];
    // What the connection had taken by then is not asked for again.
    assert(first > 1_000_000 && first <= 1_300_000, `${first}`);
    assertEquals(end, 2_000_000);
    await source.close();
  });
});

Deno.test("an answer with less than was asked for is continued too", async () => {
  await withServer(FILE, async (server) => {
    server.fault = (request, n) => {
      const [first, end] = rangeOf(request) ?? [0, 0];
      return n === 1 ? answer(server, [first, end - 1000]) : null;
    };
    const source = await openSource(server.url);
    assertEquals(await source.read(1_000_000, 500_000), FILE.slice(1_000_000, 1_500_000));
    assertEquals(server.asked[2].range, [1_499_000, 1_500_000]);
    await source.close();
  });
});

for (const status of [500, 503, 408]) {
  Deno.test(`a server that answers ${status} is asked again`, async () => {
    await withServer(SMALL, async (server) => {
      server.fault = (_, n) => n === 0 ? new Response("not now", { status }) : null;
      const source = await openSource(server.url);
      assertEquals(await source.read(0, 1000), SMALL);
      assertEquals(server.asked.length, 2);
      await source.close();
    });
  });
}

Deno.test("a server that answers 429 is given the time it asks for", async () => {
  await withServer(SMALL, async (server) => {
    const headers = { "retry-after": "1" };
    server.fault = (_, n) => n === 0 ? new Response(null, { status: 429, headers }) : null;
    const started = performance.now();
    await (await openSource(server.url)).close();
    assert(performance.now() - started >= 990);

    const later = new Date(Date.now() + 3_600_000).toUTCString();
    server.fault = () => new Response(null, { status: 429, headers: { "retry-after": later } });
    await assertRejects(() => openSource(server.url), CheckpointError, "asks to wait 3");
  });
});

Deno.test("a server that never answers otherwise is given up", async () => {
  await withServer(SMALL, async (server) => {
    server.fault = () => new Response(null, { status: 503, headers: { "retry-after": "0" } });
    const error = await assertRejects(() => openSource(server.url), CheckpointError);
    assertStringIncludes(
      error.message,
      `Cannot read "${server.url}": the server answered 503 Service Unavailable (after`,
    );
    assertEquals([error.format, server.asked.length], ["http", MAX_RETRIES + 1]);
  });
});

Deno.test("a refusal is final and says its status", async () => {
  await withServer(SMALL, async (server) => {
    for (
      const [status, text] of [[404, "404 Not Found"], [403, "403 Forbidden"], [401, "401"], [204, "204"]] as const
    ) {
      server.fault = () => new Response(null, { status });
      await assertRejects(() => openSource(server.url), CheckpointError, `the server answered ${text}`);
    }
    assertEquals(server.asked.length, 4);
  });
});

Deno.test("a server that knows no ranges is read as a whole, within the limit", async () => {
  await withServer(FILE, async (server) => {
    server.fault = () => answer(server, null);
    const source = await openSource(server.url);
    assertEquals([source.size, server.asked.length], [FILE.length, 1]);
    assertEquals(await source.read(1_000_000, 500), FILE.slice(1_000_000, 1_000_500));
    await source.close();

    const error = await assertRejects(() => openSource(server.url, { spoolBytes: 1 << 20 }), LimitError);
    assertEquals([error.limit, error.allowed, error.found], ["spoolBytes", 1 << 20, FILE.length]);

    // Without a length, what comes is counted.
    server.fault = () => new Response(new Blob([FILE]).stream());
    const counted = await assertRejects(() => openSource(server.url, { spoolBytes: 1 << 20 }), LimitError);
    assert(counted.found > 1 << 20 && counted.found < FILE.length);
  });
});

Deno.test("a whole that breaks off is fetched anew", async () => {
  await withServer(FILE, async (server) => {
    server.fault = (_, n) => n === 0 ? cut(answer(server, null), 100_000) : answer(server, null);
    const source = await openSource(server.url);
    assertEquals([source.size, server.asked.length], [FILE.length, 2]);
    assertEquals(await source.read(0, FILE.length), FILE);
    await source.close();
  });
});

Deno.test("a Content-Range that does not fit the request is refused", async () => {
  await withServer(FILE, async (server) => {
    const lies: readonly (readonly [string | null, string])[] = [
      [`bytes 0-99/${FILE.length}`, "it was asked for the bytes 1000000-1016383, and answered with 0-99"],
      [`bytes 1000000-1999999/${FILE.length}`, "and answered with 1000000-1999999"],
      [null, "and the answer does not say which it has"],
      ["bytes 1000000-1016383/9999999", "the file changed while it was open"],
      [`bytes 1000000-1000001/${FILE.length}`, "sent more bytes than its Content-Range says"],
    ];
    for (const [range, message] of lies) {
      server.fault = () => null;
      const source = await openSource(server.url);
      const headers: Record<string, string> = range === null ? {} : { "content-range": range };
      server.fault = () => new Response(FILE.subarray(0, 16384), { status: 206, headers });
      await assertRejects(() => source.read(1_000_000, 100), CheckpointError, message);
      await source.close();
    }
    server.fault = () => new Response(SMALL, { status: 206, headers: { "content-range": "bytes 5-1004/2000" } });
    await assertRejects(() => openSource(server.url), CheckpointError, "answered with 5-1004");
  });
});

Deno.test("a file that changed in between is noticed", async () => {
  await withServer(FILE, async (server) => {
    const changes: readonly (() => void)[] = [
      () => server.etag = '"2"',
      () => server.file = FILE.slice(0, 2_000_000),
      () => server.file = FILE.slice(0, 500_000),
      () => {
        server.etag = '"2"';
        server.fault = () => answer(server, null);
      },
    ];
    for (const change of changes) {
      Object.assign(server, { file: FILE, etag: 'W/"1"', fault: () => null });
      const source = await openSource(server.url);
      server.etag = '"1"';
      await source.read(1_500_000, 10);
      change();
      const message = `Cannot read "${server.url}": the file changed while it was open`;
      await assertRejects(() => source.read(1_000_000, 10), CheckpointError, message);
      await source.close();
    }
  });
});

Deno.test("a change is noticed by its date where there is no tag", async () => {
  await withServer(FILE, async (server) => {
    server.etag = "";
    let date = "Mon, 01 Jan 2024 00:00:00 GMT";
    server.fault = (request) => {
      const response = answer(server, rangeOf(request));
      response.headers.set("last-modified", date);
      return response;
    };
    const source = await openSource(server.url);
    date = "Tue, 02 Jan 2024 00:00:00 GMT";
    await assertRejects(() => source.read(1_000_000, 10), CheckpointError, "the file changed");
    await source.close();
  });
});

Deno.test("redirects are followed, and asked again where their aim expires", async () => {
  await withServer(FILE, async (server) => {
    let version = 1;
    server.fault = (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/model.safetensors") return Response.redirect(new URL(`/store/${version}`, request.url), 302);
      return pathname === `/store/${version}` ? null : new Response(null, { status: 403 });
    };
    const source = await openSource(server.url);
    await source.read(1_000_000, 10);
    assertEquals(server.asked.map(({ path }) => path), ["/model.safetensors", "/store/1", "/store/1"]);
    version = 2;
    assertEquals(await source.read(2_000_000, 10), FILE.slice(2_000_000, 2_000_010));
    assertEquals(server.asked.slice(3).map(({ path }) => path), ["/store/1", "/model.safetensors", "/store/2"]);
    assertEquals(source.name, server.url);
    await source.close();
  });
});

Deno.test("an empty file is empty, whether its server answers 416 or 200", async () => {
  await withServer(new Uint8Array(0), async (server) => {
    for (const fault of [() => null, () => answer(server, null)]) {
      server.fault = fault;
      const source = await openSource(server.url);
      assertEquals([source.size, await source.read(0, 10)], [0, new Uint8Array(0)]);
      await source.close();
    }
  });
});

Deno.test("a server that does not say the size is asked for the whole", async () => {
  await withServer(FILE, async (server) => {
    server.fault = (request) => {
      const range = rangeOf(request);
      const headers = { "content-range": `bytes 0-${EDGE_BYTES - 1}/*` };
      return range === null ? null : new Response(FILE.subarray(0, EDGE_BYTES), { status: 206, headers });
    };
    const source = await openSource(server.url);
    assertEquals(source.size, FILE.length);
    assertEquals(server.asked.map(({ range }) => range), [[0, EDGE_BYTES], null]);
    await source.close();
  });
});

Deno.test("compressed answers never shift a byte", async () => {
  const compressed = new Blob([FILE]).stream().pipeThrough(new CompressionStream("gzip"));
  const gzip = await new Response(compressed).bytes();
  await withServer(FILE, async (server) => {
    const encodings: (string | null)[] = [];
    const headers = { "content-encoding": "gzip" };
    server.fault = (request) => {
      encodings.push(request.headers.get("accept-encoding"));
      const range = rangeOf(request);
      if (range === null) return new Response(gzip, { headers });
      const end = Math.min(range[1], gzip.length);
      const about = { ...headers, "content-range": `bytes ${range[0]}-${end - 1}/${gzip.length}` };
      return new Response(gzip.subarray(range[0], end), { status: 206, headers: about });
    };
    const ranged = await openSource(server.url);
    assertEquals([ranged.size, encodings[0]], [FILE.length, "identity"]);
    assertEquals(await ranged.read(0, FILE.length), FILE);

    server.fault = () => new Response(gzip, { headers });
    const whole = await openSource(server.url);
    assertEquals(await whole.read(0, FILE.length), FILE);
    // The limit is about what is kept.
    await assertRejects(() => openSource(server.url, { spoolBytes: FILE.length - 1 }), LimitError);

    server.fault = () => null;
    const plain = await openSource(server.url);
    server.fault = (request) => {
      const response = answer(server, rangeOf(request));
      response.headers.set("content-encoding", "gzip");
      return response;
    };
    await assertRejects(() => plain.read(1_000_000, 10), CheckpointError, "compresses ranges");
    await plain.close();
  });
});

Deno.test("a Content-Length that promises more than comes is not believed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      connections++;
      await connection.read(new Uint8Array(4096));
      const head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n";
      await connection.write(new TextEncoder().encode(`${head}only this`));
      connection.close();
    }
  })();
  const { port } = listener.addr;
  const url = `http://127.0.0.1:${port}/model.pt`;
  const abort = new AbortController();
  const failing = openSource(url, { signal: abort.signal });
  while (connections < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  abort.abort(new Error("seen enough"));
  await assertRejects(() => failing, Error, "seen enough");
  // A length beyond the limit is refused before anything is kept.
  await assertRejects(() => openSource(url, { spoolBytes: 999_999 }), LimitError, "1000000 bytes or more");
  listener.close();
  await serving;
});

Deno.test("a server that is not there is tried again until the caller gives up", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const abort = AbortSignal.timeout(600);
  const error = await assertRejects(() => openSource(`http://127.0.0.1:${port}/x`, { signal: abort }), DOMException);
  assertEquals(error.name, "TimeoutError");
});

Deno.test("an abort ends what is under way, with the signal's own reason", async () => {
  await withServer(FILE, async (server) => {
    const reason = new Error("changed my mind");
    // Before it begins, while it waits for an answer, in the middle of one, and in the pause before the next.
    await assertRejects(() => openSource(server.url, { signal: AbortSignal.abort(reason) }), Error, reason.message);
    assertEquals(server.asked.length, 0);
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(100)) });
    let release = () => {};
    const faults: (() => Response | Promise<Response>)[] = [
      () => new Promise((resolve) => release = () => resolve(new Response(null))),
      () => new Response(endless.pipeThrough(slow())),
      () => new Response(null, { status: 503, headers: { "retry-after": "50" } }),
    ];
    for (const fault of faults) {
      server.fault = fault;
      const abort = new AbortController();
      const opening = openSource(server.url, { signal: abort.signal });
      setTimeout(() => abort.abort(reason), 50);
      assertStrictEquals(await assertRejects(() => opening), reason);
      release();
    }
    server.fault = () => null;
    const abort = new AbortController();
    const source = await openSource(server.url, { signal: abort.signal });
    server.fault = () => new Response(null, { status: 503, headers: { "retry-after": "50" } });
    const reading = readExactly(source, { offset: 1_000_000, length: 10, what: "x" });
    abort.abort();
    assertEquals((await assertRejects(() => reading, DOMException)).name, "AbortError");
    await source.close();
  });
});

Deno.test("closing ends what is under way, and reading afterwards fails", async () => {
  await withServer(FILE, async (server) => {
    const source = await openSource(server.url);
    server.fault = () => new Response(null, { status: 503, headers: { "retry-after": "50" } });
    const reading = source.read(1_000_000, 10);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await source.close();
    await assertRejects(() => reading, CheckpointError, "it is closed");
    await assertRejects(() => source.read(0, 10), CheckpointError, "it is closed");
    await source.close();
  });
});

Deno.test("a failed block is fetched anew by the next read", async () => {
  await withServer(FILE, async (server) => {
    const source = await openSource(server.url);
    server.fault = () => new Response(null, { status: 404 });
    await assertRejects(() => source.read(1_000_000, 10), CheckpointError, "404");
    server.fault = () => null;
    assertEquals(await source.read(1_000_000, 10), FILE.slice(1_000_000, 1_000_010));
    await source.close();
  });
});

Deno.test("passwords in a URL are refused, and in none of the messages", async () => {
  const error = await assertRejects(() => openSource("http://me:secret@127.0.0.1/x.pt?key=secret"), TypeError);
  assertEquals(error.message.includes("secret"), false);
  assertStringIncludes(error.message, "Authorization");
});

Deno.test("a host that may not be asked is named as the platform names it", async () => {
  const error = await assertRejects(() => openSource("http://192.0.2.1/x.pt"), CheckpointError);
  assertStringIncludes(error.message, 'Cannot read "http://192.0.2.1/x.pt": Requires net access to "192.0.2.1:80"');
});

Deno.test("a connection that brings nothing for a minute is made anew", async () => {
  const { setTimeout: original } = globalThis;
  const minute = (work: () => void, delay?: number) => original(work, delay === 60_000 ? 500 : delay);
  await withServer(FILE, async (server) => {
    const source = await openSource(server.url);
    let release = () => {};
    server.fault = (_, n) => n > 1 ? null : new Promise((resolve) => release = () => resolve(new Response(null)));
    Object.defineProperty(globalThis, "setTimeout", { value: minute, configurable: true, writable: true });
    try {
      assertEquals(await source.read(1_000_000, 10), FILE.slice(1_000_000, 1_000_010));
    } finally {
      Object.defineProperty(globalThis, "setTimeout", { value: original, configurable: true, writable: true });
      release();
    }
    assertEquals(server.asked.length, 3);
    await source.close();
  });
});

function slow(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    async transform(chunk, controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      controller.enqueue(chunk);
    },
  });
}
