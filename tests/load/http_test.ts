import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import {
  CheckpointError,
  compareCheckpoints,
  convertCheckpoint,
  encodeSafetensors,
  encodeTorch,
  inspectCheckpoint,
  LimitError,
  Linear,
  load,
  loadCheckpoint,
  PartialLoadError,
  planLoad,
  Sequential,
  type StateDict,
  type Tensor,
} from "../../mod.ts";
import { openCheckpoint } from "../../src/checkpoint/open.ts";
import { answer, bytesAsked, cut, rangeOf, withServer } from "../bytes/file_server.ts";
import { safetensors } from "./sources.ts";

/** A model of 2.5 MB, with large and small tensors in turn. */
function model(): Sequential {
  return new Sequential(...Array.from({ length: 10 }, () => new Linear(250, 250)));
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(stream).bytes();
}

function assertSame(loaded: Sequential, original: Sequential): void {
  const expected = original.stateDict();
  for (const [key, tensor] of loaded.stateDict()) {
    const other = expected.get(key);
    assert(other !== undefined && tensor.equal(other), key);
  }
}

Deno.test("openCheckpoint() knows a safetensors file after one request, however long it is", async () => {
  const original = model();
  await withServer(await bytesOf(encodeSafetensors(original.stateDict())), async ({ url, asked }) => {
    const checkpoint = await openCheckpoint(url);
    assertEquals([checkpoint.stateDict().size, asked.length], [20, 1]);
    await checkpoint.close();
    assertEquals((await inspectCheckpoint(url)).tensors.length, 20);
    assertEquals(asked.length, 2);
  });
});

Deno.test("openCheckpoint() needs a second request for a header beyond the first block", async () => {
  const tensors = Object.fromEntries(
    Array.from({ length: 6000 }, (_, i) => [`layer.${i}`, { shape: [1], values: [i] }]),
  );
  await withServer(safetensors(tensors), async ({ url, asked }) => {
    const checkpoint = await openCheckpoint(url);
    assertEquals([checkpoint.stateDict().size, asked.length], [6000, 2]);
    await checkpoint.close();
  });
});

Deno.test("openCheckpoint() knows a file by torch.save after two requests, however many and large its storages are", async () => {
  const small = new Sequential(...Array.from({ length: 15 }, () => new Linear(100, 150)));
  for (const original of [small, model()]) {
    const file = await bytesOf(encodeTorch(original.stateDict()));
    assert(file.length > 900_000); // more than the two ends
    await withServer(file, async ({ url, asked }) => {
      const checkpoint = await openCheckpoint(url);
      assertEquals([checkpoint.format, checkpoint.stateDict().size], ["torch-zip", original.stateDict().size]);
      assertEquals(asked.length, 2, JSON.stringify(asked));
      await checkpoint.close();
    });
  }
});

Deno.test("loadCheckpoint() over http reads neighbours together and every byte about once", async () => {
  const original = model();
  for (const file of [encodeSafetensors(original.stateDict()), encodeTorch(original.stateDict())]) {
    const bytes = await bytesOf(file);
    await withServer(bytes, async ({ url, asked }) => {
      const loaded = model();
      const report = await loadCheckpoint(loaded, new URL(url));
      assertEquals(report.loaded.length, 20);
      assertSame(loaded, original);
      assert(asked.length <= 20, `${asked.length} requests`);
      assert(bytesAsked(asked) < 1.5 * bytes.length, `${bytesAsked(asked)} of ${bytes.length}`);
    });
  }
});

Deno.test("loadCheckpoint() comes through a bad line with the right bytes", async () => {
  const original = model();
  await withServer(await bytesOf(encodeSafetensors(original.stateDict())), async (server) => {
    server.fault = (request, n) => {
      if (n % 3 === 0) return new Response(null, { status: 502, headers: { "retry-after": "0" } });
      return n % 3 === 1 ? cut(answer(server, rangeOf(request)), 100_000) : null;
    };
    const loaded = model();
    await loadCheckpoint(loaded, server.url);
    assertSame(loaded, original);
  });
});

Deno.test("load() reads a part of a remote file", async () => {
  const original = model();
  for (const encode of [encodeSafetensors, encodeTorch]) {
    await withServer(await bytesOf(encode(original.stateDict())), async ({ url, asked }) => {
      const part = await load(url, { filter: "5.*" });
      assertEquals([...part.keys()].sort(), ["5.bias", "5.weight"]);
      for (const [key, tensor] of part) assert(original.stateDict().get(key)?.equal(tensor), key);
      // The two ends, the layer, and as much again that was read ahead for its bias.
      assert(bytesAsked(asked) < 2 * (256 << 10) + 3 * 253_000, JSON.stringify(asked));
      assert(asked.length <= 4, JSON.stringify(asked));
    });
  }
});

Deno.test("a checkpoint in several files is read from beside its index", async () => {
  const folder = new URL("../fixtures/sharded/safetensors/", import.meta.url);
  const local = await load(new URL("model.safetensors.index.json", folder));
  await withServer(new Uint8Array(0), async (server) => {
    server.fault = async (request) => {
      const name = new URL(request.url).pathname.slice("/models/".length);
      return answer({ ...server, file: await Deno.readFile(new URL(name, folder)) }, rangeOf(request));
    };
    const remote = await load(new URL("/models/model.safetensors.index.json?download=true", server.url));
    assertEquals([...remote.keys()], [...local.keys()]);
    for (const [key, tensor] of remote) assertEquals(String(tensor), String(local.get(key)));
    const files = new Set(server.asked.map(({ path }) => path));
    assertEquals(server.asked.length, files.size);

    server.fault = (request) => request.url.endsWith(".json") ? null : new Response(null, { status: 404 });
    server.file = await Deno.readFile(new URL("model.safetensors.index.json", folder));
    const error = await assertRejects(
      () => load(new URL("/models/model.safetensors.index.json", server.url)),
      CheckpointError,
    );
    assert(error.message.includes(".safetensors"), error.message);
  });
});

Deno.test("a server that stops in the middle of a load leaves a PartialLoadError with its reason", async () => {
  // Tensors of 9 MB, each of which is a request or more.
  const original = new Sequential(...Array.from({ length: 3 }, () => new Linear(1500, 1500, { bias: false })));
  await withServer(await bytesOf(encodeSafetensors(original.stateDict())), async (server) => {
    const checkpoint = await openCheckpoint(server.url);
    const plan = planLoad(
      new Sequential(...[0, 1, 2].map(() => new Linear(1500, 1500, { bias: false }))),
      checkpoint.stateDict(),
    );
    // Nothing of the last tensor comes any more.
    server.fault = (request) => {
      const [offset] = rangeOf(request) ?? [0];
      return offset < 0.7 * server.file.length ? null : new Response(null, { status: 410 });
    };
    const error = await assertRejects(() => plan.apply(), PartialLoadError);
    assert(error.written.length > 0);
    assertInstanceOf(error.cause, CheckpointError);
    assertEquals(error.cause.message, `Cannot read "${server.url}": the server answered 410 Gone`);
    await checkpoint.close();
  });
});

Deno.test("an abort ends opening, load() and loadCheckpoint() with its reason", async () => {
  await withServer(await bytesOf(encodeSafetensors(model().stateDict())), async (server) => {
    server.fault = () => new Response(null, { status: 503, headers: { "retry-after": "50" } });
    const reason = new Error("changed my mind");
    const abortLater = () => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(reason), 30);
      return abort.signal;
    };
    const openings = [
      () => openCheckpoint(server.url, { signal: abortLater() }),
      () => load(server.url, { signal: abortLater() }),
      () => loadCheckpoint(model(), server.url, { signal: abortLater() }),
      () => compareCheckpoints(server.url, server.url, { signal: abortLater() }),
      () => convertCheckpoint(server.url, "never.safetensors", { signal: abortLater() }),
    ];
    for (const opening of openings) assertStrictEquals(await assertRejects(opening), reason);
    // Behind the first block the header goes on.
    server.file = safetensors({ ["x".repeat(300_000)]: { shape: [1], values: [1] } });
    server.fault = (_, n) => n === 5 ? null : new Response(null, { status: 503, headers: { "retry-after": "50" } });
    assertStrictEquals(await assertRejects(openings[0]), reason);
  });
});

Deno.test("streams and responses are opened like files, within the limit", async () => {
  const weights = new Linear(3, 2).stateDict();
  const loaded = await load(encodeTorch(weights));
  assertEquals(loaded.get("weight") instanceof Object && String(loaded.get("weight")), String(weights.get("weight")));
  await withServer(await bytesOf(encodeSafetensors(weights)), async ({ url }) => {
    const target = new Linear(3, 2);
    await loadCheckpoint(target, await fetch(url));
    assert(target.stateDict().get("weight")?.equal(tensorOf(weights)));
  });
  const limits = { spoolBytes: 10 };
  const error = await assertRejects(() => openCheckpoint(encodeTorch(weights), { limits }), LimitError);
  assertEquals([error.limit, error.allowed], ["spoolBytes", 10]);
});

Deno.test("what a server sends instead of a file is called by its name", async () => {
  await withServer(new TextEncoder().encode("<!DOCTYPE html><html>Sign in</html>"), async ({ url }) => {
    await assertRejects(() => load(url), CheckpointError, "it is not a checkpoint, it looks like");
  });
  await withServer(new Uint8Array(0), async ({ url }) => {
    await assertRejects(() => load(url), CheckpointError, "it looks like an empty file");
  });
});

Deno.test({
  name: "loadCheckpoint() without permission for the host says which permission is missing",
  permissions: "none",
  fn: async () => {
    const error = await assertRejects(() => loadCheckpoint(model(), "http://127.0.0.1:8009/x.pt"), CheckpointError);
    assert(error.message.includes('Requires net access to "127.0.0.1:8009"'), error.message);
  },
});

function tensorOf(weights: StateDict<Tensor>): Tensor {
  const tensor = weights.get("weight");
  assert(tensor !== undefined);
  return tensor;
}
