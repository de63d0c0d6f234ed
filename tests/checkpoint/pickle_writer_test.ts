import { assertEquals, assertThrows } from "@std/assert";
import { Call, Float, Global, PickleWriter, Text, Tuple } from "../../src/checkpoint/pickle_writer.ts";
import pickles from "../fixtures/pickles/pickles.json" with { type: "json" };

function pickle(value: unknown): Uint8Array<ArrayBuffer> {
  return new PickleWriter(() => undefined).write(value);
}

/** A value of the fixture, as the writer takes it. */
function valueOf(tagged: unknown): unknown {
  if (Array.isArray(tagged)) return tagged.map(valueOf);
  if (typeof tagged !== "object" || tagged === null) return tagged;
  const [[kind, content]] = Object.entries(tagged);
  switch (kind) {
    case "float":
      return new Float(content === "inf" ? Infinity : Number(content));
    case "int":
      return BigInt(content);
    case "bytes":
      return Uint8Array.fromHex(content);
    default:
      return new Map(Array.isArray(content) ? content.map(([key, item]) => [valueOf(key), valueOf(item)]) : []);
  }
}

for (const [tagged, hex] of pickles.cases) {
  Deno.test(`PickleWriter writes what CPython writes: ${JSON.stringify(tagged).slice(0, 60)}`, () => {
    assertEquals(pickle(valueOf(tagged)).toHex(), hex);
  });
}

for (const [kind, count, sha256] of pickles.batches) {
  Deno.test(`PickleWriter cuts a ${kind} of ${count} as CPython does`, async () => {
    const numbers = Array.from({ length: Number(count) }, (_, i) => i);
    const dict = new Map(numbers.map((i) => [`k${i}.x`, i]));
    const ordered = new Call(new Global("collections", "OrderedDict"), new Tuple([]), { items: dict });
    const value = kind === "list" ? numbers : kind === "dict" ? dict : ordered;
    assertEquals(new Uint8Array(await crypto.subtle.digest("SHA-256", pickle(value))).toHex(), sha256);
  });
}

Deno.test("PickleWriter writes whole numbers as ints, and others as floats", () => {
  assertEquals(pickle(3), pickle(3n));
  assertEquals(pickle(2 ** 53), pickle(new Float(2 ** 53)));
  assertEquals(pickle(-0), pickle(new Float(-0)));
});

Deno.test("PickleWriter refers to what it has met, and ends at a cycle", () => {
  const list: unknown[] = [];
  list.push(list, list);
  assertEquals(pickle(list).toHex(), "80025d710028680068" + "00652e");
});

Deno.test("PickleWriter writes frozen arrays as tuples, and records as dicts", () => {
  assertEquals(pickle(Object.freeze([1, 2])), pickle(new Tuple([1, 2])));
  assertEquals(pickle({ a: 1, b: null }), pickle(new Map([["a", 1], ["b", null]])));
});

Deno.test("PickleWriter writes a Text once for every time it was made", () => {
  const text = new Text("0");
  assertEquals(
    pickle([text, text, new Text("0")]).toHex(),
    "80025d71002858010000003071016801" + "58010000003071" + "02652e",
  );
});

Deno.test("PickleWriter refuses what Python has no form for", () => {
  assertThrows(() => pickle([() => 1]), TypeError, "Cannot write a function into a pickle");
  assertThrows(() => pickle(new Date(0)), TypeError, "Cannot write a Date into a pickle");
});
