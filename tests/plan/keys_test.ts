import { assertEquals, assertThrows } from "@std/assert";
import { KeyJournal, ModuleKeys } from "../../src/plan/keys.ts";
import { rowsOf } from "./fixture_rows.ts";

function editorOf(...keys: string[]): { readonly editor: ModuleKeys; readonly journal: KeyJournal } {
  const { rows } = rowsOf(Object.fromEntries(keys.map((key) => [key, [1]])));
  const journal = new KeyJournal();
  const entries = rows.map((row) => ({ key: row.key, row }));
  return { editor: new ModuleKeys(entries, { prefix: "m.", rule: "upgrade", journal }), journal };
}

Deno.test("KeyEditor renames to the end, as Python's dictionaries do", () => {
  const { editor, journal } = editorOf("m.a", "m.b");
  editor.rename("m.a", "m.c");
  editor.rename("m.c", "m.d");
  editor.rename("m.b", "m.b");
  assertEquals([...editor], ["m.b", "m.d"]);
  assertEquals(editor.size, 2);
  assertEquals(journal.renamed(), [{ from: "m.a", to: "m.d", rule: "upgrade, then upgrade" }]);
});

Deno.test("KeyEditor drops and keeps keys", () => {
  const { editor, journal } = editorOf("m.a", "m.b");
  editor.drop("m.a");
  editor.keep("m.c");
  assertEquals([...editor], ["m.b", "m.c"]);
  assertEquals(editor.entries().map(({ row }) => row?.key ?? null), ["m.b", null]);
  assertEquals(journal.dropped(), [{ key: "m.a", rule: "upgrade" }]);
  editor.drop("m.c");
  assertEquals(journal.dropped().length, 1);
});

Deno.test("KeyEditor may be edited while it is iterated", () => {
  const { editor } = editorOf("m.a", "m.b");
  for (const key of editor) editor.rename(key, `${key}x`);
  assertEquals([...editor], ["m.ax", "m.bx"]);
});

Deno.test("KeyEditor records two keys of one name as a collision", () => {
  const { editor, journal } = editorOf("m.a", "m.b", "m.c");
  editor.rename("m.a", "m.c");
  editor.rename("m.b", "m.c");
  assertEquals(journal.collisions(), [{ to: "m.c", from: ["m.c", "m.a", "m.b"] }]);
});

Deno.test("KeyEditor refuses what cannot be meant", () => {
  const { editor } = editorOf("m.a");
  assertThrows(
    () => editor.rename("m.x", "m.y"),
    TypeError,
    `Cannot rename key "m.x": not in the checkpoint below "m."`,
  );
  assertThrows(() => editor.rename("m.a", "n.a"), TypeError, `Cannot rename "m.a" to key "n.a": must begin with "m."`);
  assertThrows(() => editor.drop("m.x"), TypeError, `Cannot drop key "m.x": not in the checkpoint below "m."`);
  assertThrows(() => editor.keep("m.a"), TypeError, `Cannot keep key "m.a": the checkpoint has it`);
  assertThrows(() => editor.keep("a"), TypeError, `Cannot keep key "a": must begin with "m."`);
});
