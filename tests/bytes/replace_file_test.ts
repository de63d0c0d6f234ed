import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
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

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

function isWritable(folder: string): boolean {
  try {
    Deno.writeTextFileSync(`${folder}/probe`, "");
    return true;
  } catch {
    return false;
  }
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
  name: "replaceFile() refuses what is no file, and a folder in which nothing can be written",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      await assertRejects(
        () => replaceFile("/dev/null", streamOf("x"), { overwrite: true }),
        CheckpointError,
        'Cannot write "/dev/null": it is a device or a pipe, not a file that can be replaced',
      );
      Deno.writeTextFileSync(`${folder}/file`, "");
      await assertRejects(() => replaceFile(`${folder}/file/model`, streamOf("x")), CheckpointError, "ENOTDIR");
      Deno.mkdirSync(`${folder}/closed`, { mode: 0o555 });
      if (isWritable(`${folder}/closed`)) return; // by the administrator
      await assertRejects(
        () => replaceFile(`${folder}/closed/model`, streamOf("x")),
        CheckpointError,
        `Cannot write "${folder}/closed/model.part": EACCES`,
      );
    }),
});

Deno.test("replaceFile() refuses where the part cannot be written, and leaves the file", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/model`, "old");
    Deno.mkdirSync(`${folder}/model.part`);
    const error = await assertRejects(
      () => replaceFile(`${folder}/model`, streamOf("x"), { overwrite: true }),
      CheckpointError,
    );
    assertStringIncludes(error.message, `Cannot write "${folder}/model.part": `);
    assertEquals(Deno.readTextFileSync(`${folder}/model`), "old");
  }));

Deno.test({
  name: "replaceFile() keeps a symbolic link and replaces what it leads to, and refuses one that leads nowhere",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      Deno.mkdirSync(`${folder}/disk`);
      Deno.writeTextFileSync(`${folder}/disk/model-7`, "old");
      Deno.symlinkSync("disk/model-7", `${folder}/model`);
      const error = await assertRejects(() => replaceFile(`${folder}/model`, streamOf("x")), CheckpointError);
      assertEquals(error.message, `Cannot write "${folder}/model": it is there already`);
      await replaceFile(`${folder}/model`, streamOf("new"), { overwrite: true });
      assertEquals(Deno.readLinkSync(`${folder}/model`), "disk/model-7");
      assertEquals(filesOf(`${folder}/disk`), [["model-7", "new"]]);
      Deno.symlinkSync("nothing", `${folder}/astray`);
      await assertRejects(
        () => replaceFile(`${folder}/astray`, streamOf("x"), { overwrite: true }),
        CheckpointError,
        "it is a symbolic link that leads nowhere",
      );
    }),
});

Deno.test({
  name: "replaceFile() writes a part of its own where a link has the name of the part",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      Deno.writeTextFileSync(`${folder}/other`, "other");
      Deno.symlinkSync("other", `${folder}/model.part`);
      await replaceFile(`${folder}/model`, streamOf("new"));
      assertEquals(filesOf(folder), [["model", "new"], ["other", "other"]]);
    }),
});

Deno.test({
  name: "replaceFile() keeps who may use the file, from the first byte",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/model`;
      for (const mode of [0o600, 0o666, 0o440]) {
        Deno.writeTextFileSync(path, "old");
        Deno.chmodSync(path, mode);
        let others = 0;
        const stream = new ReadableStream<Uint8Array>({
          pull(controller) {
            others = modeOf(`${path}.part`) & 0o7 & ~mode;
            controller.close();
          },
        }, { highWaterMark: 0 });
        await replaceFile(path, stream, { overwrite: true });
        assertEquals([modeOf(path), others], [mode, 0]);
        Deno.removeSync(path);
      }
    }),
});

Deno.test("replaceFile() twice at once gives the file that one of them wrote, and the other throws", () =>
  inFolder(async (folder) => {
    const path = `${folder}/model`;
    const written = ["one".repeat(1000), "another".repeat(1000)];
    const results = await Promise.allSettled(
      written.map((text) => replaceFile(path, streamOf(...text.match(/.{100}/g) ?? []), { overwrite: true })),
    );
    const failures = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
    assertEquals(failures.map((error) => error instanceof CheckpointError), [true]);
    const winner = results.findIndex(({ status }) => status === "fulfilled");
    assertEquals(filesOf(folder), [["model", written[winner]]]);
  }));

Deno.test({
  name: "replaceFile() without permission says what Deno says",
  permissions: "none",
  async fn() {
    const error = await assertRejects(() => replaceFile("model", streamOf("x")), CheckpointError);
    assertEquals(error.cause instanceof Deno.errors.NotCapable, true);
    const flags = "--allow-read=model,model.part --allow-write=model,model.part";
    assertStringIncludes(error.message, `; all that it needs is ${flags}`);
  },
});
