import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { CheckpointError, DEFAULT_LIMITS, LimitError, TruncatedError } from "../../src/checkpoint/mod.ts";
import { UnsupportedError } from "../../src/checkpoint/mod.ts";
import { Budget, type Limits } from "../../src/checkpoint/limits.ts";
import { unpickle } from "../../src/checkpoint/pickle.ts";
import type { PickleHost } from "../../src/checkpoint/pickle_machine.ts";
import type { Inert } from "../../src/state_dict.ts";
import { global, pickle, text, u16, u32 } from "./archive.ts";

/** A host that answers every question with a record of it. */
const RECORDER: PickleHost = {
  global: (module, name) => ({ module, name }),
  call: (callable, args, keywords) => ["call", callable, args, keywords ?? null],
  build(target, state) {
    if (Array.isArray(target)) target.push(state);
  },
  persistent: (id) => ["persistent", id],
  extend() {
    throw new CheckpointError("extend", { format: "test" });
  },
  assign() {
    throw new CheckpointError("assign", { format: "test" });
  },
};

function run(bytes: Uint8Array, limits: Partial<Limits> = {}): Inert {
  const all = { ...DEFAULT_LIMITS, ...limits };
  return unpickle(bytes, RECORDER, { what: "p", format: "test", limits: all, budget: new Budget(all, "p") }).value;
}

const f64 = (value: number) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
};
const u64 = (value: number) => [...u32(value), ...u32(0)];

/** A program without its STOP, and what it leaves on the stack. */
const PROGRAMS: readonly (readonly [string, Uint8Array, Inert])[] = [
  ["PROTO, FRAME, NONE", pickle(0x80, 5, 0x95, u64(2), "N"), null],
  ["NEWTRUE", pickle(0x88), true],
  ["NEWFALSE", pickle(0x89), false],
  ["INT", pickle("I-12\n"), -12],
  ["INT as bool", pickle("(I00\nI01\nt"), [false, true]],
  ["BININT", pickle("J", u32(-2)), -2],
  ["BININT1, BININT2", pickle("K", 255, "M", u16(65535), 0x86), [255, 65535]],
  ["LONG", pickle("L9007199254740993L\n"), 9007199254740993n],
  ["LONG1 of no bytes", pickle(0x8a, 0), 0],
  ["LONG1 negative", pickle(0x8a, 2, 0, 0xff), -256],
  ["LONG1 at 2^53 - 1", pickle(0x8a, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f), 2 ** 53 - 1],
  ["LONG1 at 2^53", pickle(0x8a, 7, 0, 0, 0, 0, 0, 0, 0x20), 2n ** 53n],
  ["LONG1 at -2^63", pickle(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x80), -(2n ** 63n)],
  ["LONG4", pickle(0x8b, u32(9), 0, 0, 0, 0, 0, 0, 0, 0, 1), 2n ** 64n],
  ["FLOAT", pickle("(F1.5\nF-inf\nFnan\nF1e3\nt"), [1.5, -Infinity, NaN, 1000]],
  ["BINFLOAT", pickle("G", f64(-0.1)), -0.1],
  ["UNICODE", pickle("Va\\u0041\\\\u0041\\U0001f600\xe9\n"), "aA\\\\u0041\u{1f600}é"],
  ["SHORT_BINUNICODE", pickle(0x8c, 2, 0xc3, 0xa9), "é"],
  ["BINUNICODE", pickle("X", u32(1), "a"), "a"],
  ["BINUNICODE8", pickle(0x8d, u64(1), "a"), "a"],
  ["a lone surrogate", pickle("X", u32(5), "a", 0xed, 0xa0, 0x80, "b"), "a\ud800b"],
  ["a byte order mark", pickle("X", u32(3), 0xef, 0xbb, 0xbf), "\ufeff"],
  ["STRING", pickle("S'a\\'\\x41\\n\\\\'\n"), "a'A\n\\"],
  ["SHORT_BINSTRING", pickle("U", 1, "a"), "a"],
  ["BINSTRING that is UTF-8", pickle("T", u32(2), 0xc3, 0xa9), "é"],
  ["BINSTRING that is not", pickle("T", u32(1), 0xe9), Uint8Array.of(0xe9)],
  ["SHORT_BINBYTES", pickle("C", 1, 0xff), Uint8Array.of(0xff)],
  ["BINBYTES", pickle("B", u32(1), 0xff), Uint8Array.of(0xff)],
  ["BINBYTES8", pickle(0x8e, u64(1), 0xff), Uint8Array.of(0xff)],
  ["BYTEARRAY8", pickle(0x96, u64(1), 0xff), Uint8Array.of(0xff)],
  ["tuples", pickle(")K\x01", 0x85, "K\x02K\x03", 0x86, 0x87), [[], [1], [2, 3]]],
  ["TUPLE", pickle("(K\x01K\x02t"), [1, 2]],
  ["LIST", pickle("(K\x01K\x02l"), [1, 2]],
  ["APPEND, APPENDS", pickle("]K\x01a(K\x02K\x03e"), [1, 2, 3]],
  ["DICT", pickle("(K\x01K\x02d"), new Map([[1, 2]])],
  ["SETITEM, SETITEMS", pickle("}K\x01K\x02s(K\x03K\x04K\x01K\x05u"), new Map([[1, 5], [3, 4]])],
  ["sets", pickle(0x8f, "(K\x01K\x02", 0x90), new Set([1, 2])],
  ["FROZENSET", pickle("(K\x01", 0x91), new Set([1])],
  ["POP, DUP", pickle("K\x01K\x02", "0", "2", 0x86), [1, 1]],
  ["POP of a mark", pickle("K\x01(0"), 1],
  ["POP_MARK", pickle("K\x01(K\x02K\x031"), 1],
  ["PUT, GET", pickle("K\x01p7\n0g7\n"), 1],
  ["BINPUT, BINGET", pickle("K\x01q", 9, "0h", 9), 1],
  ["LONG_BINPUT, LONG_BINGET", pickle("K\x01r", u32(1000), "0j", u32(1000)), 1],
  ["the last memo slot", pickle("K\x01r", 0xfe, 0xff, 0xff, 0xff, "0j", 0xfe, 0xff, 0xff, 0xff), 1],
  [
    "MEMOIZE behind slots that were filled out of order",
    // Slots 3, 1 and 0 are three, so the next is 3 again; with 2 there are four, so it is 4.
    pickle("K\x01q\x03K\x02q\x01K\x03q\0K\x04", 0x94, "K\x05q\x02K\x06", 0x94, "000000(h\0h\x01h\x02h\x03h\x04t"),
    [3, 2, 5, 4, 6],
  ],
  ["MEMOIZE", pickle("K\x05", 0x94, "K\x06", 0x94, "h\0h\x01", 0x86), [5, 6]],
  ["GLOBAL", global("os", "system"), { module: "os", name: "system" }],
  ["STACK_GLOBAL", pickle(text("os"), text("system"), 0x93), { module: "os", name: "system" }],
  ["REDUCE", pickle("NK\x01", 0x85, "R"), ["call", null, [1], null]],
  ["NEWOBJ", pickle("N)", 0x81), ["call", null, [], null]],
  ["NEWOBJ_EX", pickle("N)}", 0x92), ["call", null, [], new Map()]],
  ["INST", pickle("(K\x01im\nn\n"), ["call", { module: "m", name: "n" }, [1], null]],
  ["OBJ", pickle("(cm\nn\nK\x01o"), ["call", { module: "m", name: "n" }, [1], null]],
  ["BUILD", pickle("]K\x01b"), [1]],
  ["PERSID", pickle("Pabc\n"), ["persistent", "abc"]],
  ["BINPERSID", pickle("K\x01Q"), ["persistent", 1]],
];

for (const [name, program, expected] of PROGRAMS) {
  Deno.test(`unpickle() runs ${name}`, () => assertEquals(run(pickle(program, ".")), expected));
}

Deno.test("unpickle() keeps cycles and identity", () => {
  const list = run(pickle("]q\0h\0a."));
  assertStrictEquals(Array.isArray(list) && list[0], list);
  const pair = run(pickle("]q\0h\0", 0x86, "."));
  assertStrictEquals(Array.isArray(pair) && pair[0], Array.isArray(pair) && pair[1]);
});

Deno.test("unpickle() freezes tuples, and nothing can be appended to one", () => {
  assertEquals(Object.isFrozen(run(pickle("(K\x01t."))), true);
  assertEquals(Object.isFrozen(run(pickle("(K\x01l."))), false);
  assertThrows(() => run(pickle(")K\x01a.")), CheckpointError, "extend");
});

Deno.test("unpickle() says how long the pickle was, and ignores what follows", () => {
  const budget = new Budget(DEFAULT_LIMITS, "p");
  const options = { what: "p", format: "test", limits: DEFAULT_LIMITS, budget };
  assertEquals(unpickle(pickle("K\x01.garbage"), RECORDER, options), { value: 1, byteLength: 3 });
});

const MALFORMED: readonly (readonly [string, Uint8Array, string])[] = [
  ["an unknown opcode", pickle(0xff), "opcode 0xff is unknown"],
  ["an empty stack", pickle("."), "stack empty"],
  ["a pop below a mark", pickle("N(a"), "stack empty"],
  ["a mark that is not there", pickle("t."), "TUPLE finds no mark"],
  ["an empty memo slot", pickle("h\x05"), "BINGET finds memo slot 5 empty, before byte 2"],
  ["a negative memo slot", pickle("Np-1\n"), "PUT cannot use memo slot -1"],
  ["a memo slot beyond 32 bits", pickle("Np4294967295\n"), "memo slot 4294967295"],
  ["a key without a value", pickle("}(Nu"), "without a value"],
  ["SETITEM on a list", pickle("]NNs"), "assign"],
  ["ADDITEMS on a list", pickle("](N", 0x90), "no set"],
  ["arguments that are no tuple", pickle("NNR"), "not a tuple"],
  ["keywords that are no dict", pickle("N)N", 0x92), "not a dict"],
  ["STACK_GLOBAL on numbers", pickle("K\x01K\x02", 0x93), "two names"],
  ["OBJ without a class", pickle("(o"), "no class"],
  ["text that is not UTF-8", pickle("X", u32(1), 0xff), "not UTF-8"],
  ["half a surrogate", pickle("X", u32(2), 0xed, 0xa0), "not UTF-8"],
  ["an integer that is none", pickle("I1x\n"), "an integer"],
  ["a float that is none", pickle("F1.5.5\n"), "a float"],
  ["a string without quotes", pickle("Sabc\n"), "quoted"],
  ["a bad escape", pickle("V\\u00\n"), "a string"],
  ["a negative length", pickle(0x8b, u32(-1)), "LONG4 has a length of -1"],
  ["a frame past the end", pickle(0x95, u64(100), "N."), "past the end"],
];

for (const [what, program, message] of MALFORMED) {
  Deno.test(`unpickle() refuses ${what}`, () => {
    const error = assertThrows(() => run(program), CheckpointError, message);
    assertEquals(error.format, "test");
  });
}

Deno.test("unpickle() refuses a pickle that ends early, wherever it does", () => {
  const whole = pickle(0x80, 2, "}(", text("key"), "G", f64(1), text("n"), 0x8a, 3, 1, 2, 3, "u.");
  run(whole);
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => run(whole.slice(0, length)), TruncatedError);
  }
  // A length that is larger than the file allocates nothing.
  for (const opcode of ["X", "T", "B"]) assertThrows(() => run(pickle(opcode, u32(0xfffffff0))), TruncatedError);
});

Deno.test("unpickle() says what is outside of the file", () => {
  for (const program of [pickle(0x82, 1), pickle(0x83, 1, 0), pickle(0x84, u32(1)), pickle(0x97), pickle("N", 0x98)]) {
    assertThrows(() => run(program), UnsupportedError, "not in the file");
  }
  assertThrows(() => run(pickle(0x80, 6)), UnsupportedError, "protocol 6");
});

const LIMITED: readonly (readonly [keyof Limits, Uint8Array])[] = [
  ["opcodes", pickle("N0".repeat(60), "N.")],
  ["opcodes", pickle("}0".repeat(20), "N.")], // a dict counts for more
  ["memo", pickle("N", Array.from({ length: 101 }, () => 0x94), ".")],
  ["depth", pickle("(".repeat(101), "1".repeat(101), "N.")],
  ["integerBytes", pickle(0x8a, 101, new Uint8Array(101), ".")],
  ["integerBytes", pickle("L", "1".repeat(101), "\n.")],
  ["integerBytes", pickle("F", "1".repeat(101), "\n.")],
];

for (const [limit, program] of LIMITED) {
  Deno.test(`unpickle() stops at the limit "${limit}" (${program.length} bytes)`, () => {
    const error = assertThrows(() => run(program, { [limit]: 100 }), LimitError);
    assertEquals([error.limit, error.allowed], [limit, 100]);
    run(program); // within the default limits
  });
}

Deno.test("unpickle() is linear in texts made to be slow", () => {
  const slow = 200_000;
  const start = performance.now();
  run(pickle("V", "\\".repeat(slow), "\n."));
  run(pickle("S'", "\\".repeat(slow), "'\n."));
  assertThrows(() => run(pickle("S'", "'\\".repeat(slow), "x\n.")), CheckpointError);
  run(pickle("X", u32(3 * slow), Uint8Array.from({ length: 3 * slow }, (_, i) => [0xed, 0xa0, 0x80][i % 3]), "."));
  assertEquals(performance.now() - start < 5000, true);
});
