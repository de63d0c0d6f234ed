import { assertEquals } from "@std/assert";
import { decimal, NumberedMap, numberIn, numberStart } from "../../src/checkpoint/numbered_map.ts";

/** What ends with a number as JavaScript writes it, and what only looks as if. */
const NAMES = [
  "x/data/0",
  "x/data/10",
  "x/data/010",
  "x/data/1234567890",
  "x/data/123456789",
  "x/version",
  "",
  "7",
  "07",
];

Deno.test("NumberedMap finds every name that was set, and no other", () => {
  const map = new NumberedMap<number>();
  for (const [i, name] of NAMES.entries()) map.set(name, i);
  assertEquals(NAMES.map((name) => map.get(name)), [...NAMES.keys()]);
  for (const name of ["x/data/1", "x/data/", "x/data/00", "x/version1", "x/data/0.0", "0", "8", "007"]) {
    assertEquals(map.get(name), undefined, name);
  }
  assertEquals([...map.stems()], ["x/data/", ""]);
  assertEquals([...map.others()], ["x/data/010", "x/data/1234567890", "x/version", "", "07"]);
});

Deno.test("NumberedMap keeps numbers that are far apart", () => {
  const map = new NumberedMap<string>();
  map.set("a999999999", "last");
  map.set("a0", "first");
  assertEquals(map.get("a999999999"), "last");
  assertEquals(map.get("a0"), "first");
  assertEquals(map.get("a1"), undefined);
});

Deno.test("decimal() takes a number as JavaScript writes it", () => {
  for (const number of [0, 1, 9, 10, 123456789, 999999999]) assertEquals(decimal(String(number)), number);
  for (const text of ["", "00", "01", "1.0", "-1", "+1", " 1", "1e3", "x", "1x", "1000000000", "\u0661"]) {
    assertEquals(decimal(text), -1, text);
  }
});

Deno.test("numberStart() and numberIn() find in bytes what decimal() finds in text", () => {
  for (const name of NAMES) {
    const bytes = new TextEncoder().encode(`1${name}1`); // a digit before and behind belongs to others
    const [start, end] = [1, 1 + name.length];
    const at = numberStart(bytes, start, end);
    const found = /(?<![0-9])(0|[1-9]\d{0,8})$/.exec(name);
    assertEquals(at, found === null ? end : start + found.index, name);
    if (found !== null) assertEquals(numberIn(bytes, at, end), Number(found[0]));
  }
});
