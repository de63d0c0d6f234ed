import { assert, assertEquals, assertRejects } from "@std/assert";
import { asFolder, folderOf, nameFault, namesIn } from "../../src/bytes/folder.ts";
import { CheckpointError } from "../../src/errors.ts";

const REFUSED: readonly (readonly [string, string])[] = [
  ["", "empty"],
  ["..", "another folder"],
  ["../model.bin", "another folder"],
  ["a/../../model.bin", "another folder"],
  ["a/./b", "another folder"],
  ["a//b", "another folder"],
  ["a/", "another folder"],
  ["a/.. /b", "another folder"],
  ["a/.../b", "another folder"],
  ["/etc/passwd", "absolute"],
  ["//server/share", "absolute"],
  ["..\\model.bin", "backslash"],
  ["C:model.bin", "colon"],
  ["c:/model.bin", "colon"],
  ["https://example.com/model.bin", "colon"],
  ["file:///etc/passwd", "colon"],
  ["model.bin\0.safetensors", "character"],
  ["model\n.bin", "character"],
  ["\ud800", "character"],
  ["a".repeat(1025), "more than 1024"],
];

Deno.test("nameFault() refuses every name that may lead out of a folder", () => {
  for (const [name, fault] of REFUSED) assert(nameFault(name)?.includes(fault), `${name}: ${nameFault(name)}`);
});

Deno.test("nameFault() has nothing against names of files", () => {
  for (
    const name of ["model-00001-of-00002.safetensors", "__0_0.distcp", ".metadata", "a/b..c", "%2e%2e", "ä #?.bin"]
  ) {
    assertEquals(nameFault(name), null);
  }
});

Deno.test("a folder is found beside a path and beside a URL, and opens the names in it", async () => {
  const temporary = await Deno.makeTempDir();
  const names = ["index.json", "a #%41?.bin"];
  await Deno.mkdir(`${temporary}/below`);
  for (const name of names) await Deno.writeTextFile(`${temporary}/${name}`, name);
  await Deno.writeTextFile(`${temporary}/below/c.bin`, "c");
  const url = new URL(`file://${temporary}/index.json`);
  const folders = [
    folderOf(`${temporary}/index.json`),
    folderOf(url),
    folderOf(url.href),
    asFolder(temporary),
    asFolder(`${temporary}/`),
    asFolder(new URL(`file://${temporary}`)),
    asFolder(`file://${temporary}/`),
  ];
  for (const folder of folders) {
    assert(folder !== null);
    for (const [name, size] of [[names[1], 11], ["below/c.bin", 1]] as const) {
      const opened = await folder.open(name);
      assertEquals(opened.size, size);
      await opened.close();
    }
    await assertRejects(() => folder.open("../index.json"), CheckpointError, "another folder");
    await assertRejects(() => folder.open("missing"), CheckpointError, "missing");
  }
  assertEquals(await namesIn(temporary), ["a #%41?.bin", "below", "index.json"]);
  assertEquals(await namesIn(new URL(`file://${temporary}/below`)), ["c.bin"]);
  await Deno.remove(temporary, { recursive: true });
});

Deno.test("bytes are in no folder", () => {
  assertEquals([folderOf(new Uint8Array(1)), folderOf(new Blob([]))], [null, null]);
});
