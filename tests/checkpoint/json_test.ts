import { assertEquals, assertThrows } from "@std/assert";
import { type Json, parseEntries, parseJson } from "../../src/checkpoint/json.ts";

Deno.test("parseJson() keeps the order of names, and tells integers from other numbers", () => {
  const value = parseJson(' {"10":1,"9":-2,"__proto__":1.0,"e":1e2,"big":18446744073709551615} ');
  const expected = new Map<string, Json>([["10", 1n], ["9", -2n], ["__proto__", 1], ["e", 100], [
    "big",
    2n ** 64n - 1n,
  ]]);
  assertEquals(value, expected);
  assertEquals(value instanceof Map && [...value.keys()], ["10", "9", "__proto__", "e", "big"]);
});

Deno.test("parseJson() reads what JSON.parse reads", () => {
  const texts = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[1.5,[null]]",
    '"a\\"\\\\\\u00e9\\n/\\/"',
    '{"a":{"b":[{}]}}',
    "-0.5E+3",
  ];
  for (const text of texts) assertEquals(plain(parseJson(text)), JSON.parse(text), text);
});

Deno.test("parseJson() refuses what JSON.parse refuses", () => {
  const texts = [
    "",
    " ",
    "{",
    "[1,]",
    "[1 2]",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    "'a'",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "nul",
  ];
  texts.push("NaN", "Infinity", '"a', '"\t"', '"\\x"', '"\\u12"', "tru e", "[1]]", "1 1", "\u00a01", "/**/1", '"\\');
  for (const text of texts) {
    assertThrows(() => JSON.parse(text), SyntaxError);
    assertThrows(() => parseJson(text), SyntaxError, "", text);
  }
});

Deno.test("parseJson() refuses names given twice, half characters and deep nesting", () => {
  assertThrows(() => parseJson('{"a":1,"\\u0061":2}'), SyntaxError, 'the name "a" for the second time at character');
  assertThrows(() => parseJson('"\\udc00"'), SyntaxError, "half a character");
  parseJson("[".repeat(127) + "1" + "]".repeat(127));
  assertThrows(() => parseJson("[".repeat(128) + "]".repeat(128)), SyntaxError, "nesting");
  assertThrows(() => parseJson('{"a":'.repeat(1_000_000)), SyntaxError, "nesting");
});

Deno.test("parseJson() is not slowed down by long digits", () => {
  assertEquals(parseJson("9".repeat(1_000_000)), Infinity);
});

Deno.test("parseEntries() hands over what parseJson() has, in its order, one after the other", () => {
  const text = ' { "b" : [1, 2.5], "a\\n":{"c":null} , "9007199254740993":9007199254740993,"0":0 } ';
  const entries: [string, Json][] = [];
  assertEquals(parseEntries(text, (name, value) => entries.push([name, value])), true);
  const expected = parseJson(text);
  assertEquals(entries, expected instanceof Map ? [...expected] : []);
  assertEquals(parseEntries("{}", () => {}), true);
});

Deno.test("parseEntries() refuses what parseJson() refuses, and is told from an object that there is none", () => {
  for (const text of ['{"a":1,"a":2}', '{"a":1', '{"a":1}]', '{"a":01}', "[1", ""]) {
    const { message } = assertThrows(() => parseJson(text), SyntaxError);
    assertThrows(() => parseEntries(text, () => {}), SyntaxError, message);
  }
  for (const text of ["[]", "1", "null", '"{}"']) assertEquals(parseEntries(text, () => {}), false);
});

Deno.test("parseJson() reads integers of every length", () => {
  for (let digits = 1; digits <= 19; digits++) {
    for (const text of ["1".padEnd(digits, "0"), "9".repeat(digits), "0"]) {
      assertEquals(parseJson(text), BigInt(text));
      assertEquals(parseJson(`[${text},-${text}.0,${text}e0]`), [BigInt(text), -Number(text), Number(text)]);
    }
  }
});

function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "bigint" ? Number(value) : value;
}
