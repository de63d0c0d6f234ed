import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CheckpointError } from "../../mod.ts";
import { replaceFiles, requireAllReplaceable } from "../../src/bytes/replace_files.ts";

const OPTIONS = { index: "index", isEarlier: (name: string) => /^(shard\d|index|whole)$/.test(name), overwrite: true };

function streamOf(...chunks: readonly (string | (() => void))[]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) controller.close();
      else if (typeof chunk === "string") controller.enqueue(new TextEncoder().encode(chunk));
      else {
        chunk();
        controller.enqueue(new Uint8Array());
      }
    },
  }, { highWaterMark: 0 });
}

function files(entries: Readonly<Record<string, string | ReadableStream<Uint8Array>>>) {
  return new Map(
    Object.entries(entries).map(([name, text]) => [name, typeof text === "string" ? streamOf(text) : text]),
  );
}

async function inFolder(before: Readonly<Record<string, string>>, use: (folder: string) => Promise<void>) {
  const folder = Deno.makeTempDirSync();
  try {
    for (const [name, text] of Object.entries(before)) Deno.writeTextFileSync(`${folder}/${name}`, text);
    await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function contentOf(folder: string): Record<string, string> {
  const names = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readTextFileSync(`${folder}/${name}`)]));
}

Deno.test("replaceFiles() replaces what was there and takes away what is not written anew, and nothing else", () =>
  inFolder(
    {
      shard1: "o",
      shard2: "o",
      shard3: "o",
      index: "o",
      whole: "o",
      "shard4.part": "o",
      other: "o",
      "other.part": "o",
    },
    async (folder) => {
      const length = await replaceFiles(folder, files({ shard1: "n1", shard2: "n", index: "n" }), OPTIONS);
      assertEquals(length, 4);
      assertEquals(contentOf(folder), { index: "n", other: "o", "other.part": "o", shard1: "n1", shard2: "n" });
      await replaceFiles(new URL(`file://${folder}/`), files({ whole: "n" }), OPTIONS);
      assertEquals(contentOf(folder), { other: "o", "other.part": "o", whole: "n" });
    },
  ));

Deno.test("replaceFiles() touches nothing that was there before all is written", () =>
  inFolder({ shard1: "o", index: "o" }, async (folder) => {
    const seen: unknown[] = [];
    const index = streamOf("n", () => seen.push(contentOf(folder)));
    await replaceFiles(folder, files({ shard1: "n", shard2: "n", index }), OPTIONS);
    assertEquals(seen, [{ index: "o", "index.part": "n", shard1: "o", "shard1.part": "n", "shard2.part": "n" }]);
    assertEquals(contentOf(folder), { index: "n", shard1: "n", shard2: "n" });
  }));

Deno.test("replaceFiles() without overwrite refuses whatever belongs to it, before it reads a stream", () =>
  inFolder({ shard9: "o" }, async (folder) => {
    const options = { ...OPTIONS, overwrite: false };
    const index = streamOf(() => assert(false));
    const error = await assertRejects(
      () => replaceFiles(folder, new Map([["index", index]]), options),
      CheckpointError,
    );
    assertEquals(error.message, `Cannot write "${folder}/shard9": it is there already`);
    await assertRejects(() => requireAllReplaceable(folder, options), CheckpointError, "it is there already");
    await requireAllReplaceable(folder, OPTIONS);
    Deno.removeSync(`${folder}/shard9`);
    Deno.mkdirSync(`${folder}/shard9`);
    await assertRejects(() => requireAllReplaceable(folder, OPTIONS), CheckpointError, "it is a folder");
    await assertRejects(() => requireAllReplaceable(`${folder}/no`, OPTIONS), CheckpointError, "ENOENT");
  }));

Deno.test("replaceFiles() leaves nothing where a stream fails or the signal aborts, and lets go of the other streams", () =>
  inFolder({ shard1: "o", index: "o" }, async (folder) => {
    let cancelled: unknown;
    const fails = streamOf("n", () => {
      throw new Error("no more");
    });
    const later = new ReadableStream<Uint8Array>({ cancel: (reason) => void (cancelled = reason) });
    const error = await assertRejects(
      () => replaceFiles(folder, files({ shard1: "n", shard2: fails, index: later }), OPTIONS),
      Error,
      "no more",
    );
    assertEquals(cancelled, error);
    const controller = new AbortController();
    const aborts = streamOf("n", () => controller.abort(new Error("stop")));
    await assertRejects(
      () => replaceFiles(folder, files({ shard1: "n", index: aborts }), { ...OPTIONS, signal: controller.signal }),
      Error,
      "stop",
    );
    assertEquals(contentOf(folder), { index: "o", shard1: "o" });
  }));

Deno.test("replaceFiles() that cannot rename puts back what was, where the old files are still there", () =>
  inFolder({ shard1: "o", index: "o" }, async (folder) => {
    const index = streamOf("n", () => Deno.mkdirSync(`${folder}/shard3`));
    await assertRejects(
      () => replaceFiles(folder, files({ shard2: "n", shard3: "n", index }), OPTIONS),
      CheckpointError,
      `Cannot write "${folder}/shard3"`,
    );
    assertEquals(contentOf(folder), { index: "o", shard1: "o" });
  }));

Deno.test("replaceFiles() that cannot rename keeps every new byte, where some old files are gone, and says so", () =>
  inFolder({ shard1: "o", shard2: "o", index: "o" }, async (folder) => {
    const index = streamOf("n", () => {
      Deno.removeSync(`${folder}/shard2`);
      Deno.mkdirSync(`${folder}/shard2`);
    });
    const error = await assertRejects(
      () => replaceFiles(folder, files({ shard1: "n", shard2: "n", index }), OPTIONS),
      CheckpointError,
    );
    assertStringIncludes(error.message, "all new files are whole, but those not in their places yet end in .part");
    assertEquals(contentOf(folder), { "index.part": "n", shard1: "n", "shard2.part": "n" });
  }));
