import { assertEquals } from "@std/assert";
import { alignColumns, printable, shorten, wrapText } from "../../src/plan/table.ts";

Deno.test("alignColumns() pads all but the last column", () => {
  assertEquals(alignColumns([["a", "1"], ["long", "22"]], 80), ["a     1", "long  22"]);
  assertEquals(alignColumns([["a", "", "x"], ["b", "", "y"]], 80), ["a  x", "b  y"]);
  assertEquals(alignColumns([["a", "", "x"], ["b", "mid", "y"]], 80), ["a       x", "b  mid  y"]);
  assertEquals(alignColumns([], 80), []);
});

Deno.test("alignColumns() shortens the widest column in the middle until the rows fit", () => {
  const rows = [["encoder.layers.{0..11}.attention.weight", "[768, 768]"], ["a", "[1]"]];
  assertEquals(alignColumns(rows, 40), [
    "encoder.l…}.attention.weight  [768, 768]",
    "a                             [1]",
  ]);
  const narrow = [["k".repeat(50), "s".repeat(50), "end"]];
  assertEquals(alignColumns(narrow, 45).map((line) => line.length), [45]);
});

Deno.test("shorten() keeps more of the end than of the beginning", () => {
  assertEquals(shorten("abcdefghij", 10), "abcdefghij");
  assertEquals(shorten("abcdefghij", 7), "ab…ghij");
  assertEquals(shorten("😀😀😀😀😀😀", 4), "😀…😀😀");
});

Deno.test("wrapText() breaks at spaces only", () => {
  assertEquals(wrapText("aa bb cc", 5), ["aa bb", "cc"]);
  assertEquals(wrapText("a verylongword b", 6), ["a", "verylongword", "b"]);
  assertEquals(wrapText("", 5), [""]);
});

Deno.test("printable() escapes what would steer a terminal", () => {
  assertEquals(printable("a\x1b[31m\n\u202eb\ud800"), "a\\u001b[31m\\u000a\\u202eb\\ud800");
  assertEquals(printable("größe.重み.😀"), "größe.重み.😀");
});
