import { assertEquals, assertRejects } from "@std/assert";
import { CheckpointError } from "../../mod.ts";
import { replaceFile } from "../../src/bytes/replace_file.ts";

function streamOf(...chunks: readonly (string | Error)[]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) controller.close();
      else if (typeof chunk === "string") controller.enqueue(new TextEncoder().encode(chunk));
      else throw chunk;
    },
  }, { highWaterMark: 0 });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function filesOf(folder: string): [string, string][] {
  return [...Deno.readDirSync(folder)].map(({ name }): [string, string] => [
    name,
    Deno.readTextFileSync(`${folder}/${name}`),
  ]).sort();
}

Deno.test("replaceFile() writes a new file, by path and by URL", () =>
  inFolder(async (folder) => {
    await replaceFile(`${folder}/a b%.bin`, streamOf("one", "two"));
    await replaceFile(new URL(`file://${folder}/c`), streamOf());
    assertEquals(filesOf(folder), [["a b%.bin", "onetwo"], ["c", ""]]);
  }));

Deno.test("replaceFile() leaves the old file as long as the new one is not whole", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model`;
    Deno.writeTextFileSync(path, "old");
    let seen: unknown;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (seen === undefined) controller.enqueue(new Uint8Array(3));
        else controller.close();
        seen = filesOf(folder);
      },
    }, { highWaterMark: 0 });
    await replaceFile(path, stream, { overwrite: true });
    assertEquals(seen, [["model", "old"], ["model.part", "\0\0\0"]]);
    assertEquals(filesOf(folder), [["model", "\0\0\0"]]);
  }));

Deno.test("replaceFile() refuses to overwrite unless told to, before it reads the stream", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/model`, "old");
    const stream = streamOf(new Error("was read"));
    const error = await assertRejects(() => replaceFile(`${folder}/model`, stream), CheckpointError);
    assertEquals(error.message, `Cannot write "${folder}/model": it is there already`);
    assertEquals(filesOf(folder), [["model", "old"]]);
  }));

Deno.test("replaceFile() leaves nothing behind where the stream fails or the signal aborts", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model`;
    Deno.writeTextFileSync(path, "old");
    await assertRejects(
      () => replaceFile(path, streamOf("half", new Error("no more")), { overwrite: true }),
      Error,
      "no more",
    );
    const controller = new AbortController();
    const stream = new ReadableStream<Uint8Array>({
      pull(source) {
        source.enqueue(new Uint8Array(1));
        controller.abort(new Error("stop"));
      },
    }, { highWaterMark: 0 });
    await assertRejects(
      () => replaceFile(path, stream, { overwrite: true, signal: controller.signal }),
      Error,
      "stop",
    );
    assertEquals(filesOf(folder), [["model", "old"]]);
  }));

Deno.test("replaceFile() takes over what an interrupted run left beside the file", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/model.part`, "half of something longer");
    await replaceFile(`${folder}/model`, streamOf("new"));
    assertEquals(filesOf(folder), [["model", "new"]]);
  }));

Deno.test("replaceFile() refuses a folder, and a path in no folder", () =>
  inFolder(async (folder) => {
    await assertRejects(
      () => replaceFile(folder, streamOf("x"), { overwrite: true }),
      CheckpointError,
      "it is a folder",
    );
    await assertRejects(() => replaceFile(`${folder}/no/model`, streamOf("x")), CheckpointError, "ENOENT");
  }));

Deno.test({
  name: "replaceFile() without permission says what Deno says",
  permissions: "none",
  async fn() {
    const error = await assertRejects(() => replaceFile("model", streamOf("x")), CheckpointError);
    assertEquals(error.cause instanceof Deno.errors.NotCapable, true);
  },
});
