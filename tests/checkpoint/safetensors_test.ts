import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  CheckpointError,
  LimitError,
  openCheckpoint,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";

/** A file with this header, whose length may be a lie, and this much data. */
function file(header: string | Uint8Array, dataBytes = 0, length = -1): Uint8Array<ArrayBuffer> {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const all = new Uint8Array(8 + bytes.length + dataBytes);
  new DataView(all.buffer).setBigUint64(0, BigInt(length < 0 ? bytes.length : length), true);
  all.set(bytes, 8);
  for (let i = 0; i < dataBytes; i++) all[8 + bytes.length + i] = i;
  return all;
}

const row = (dtype: string, shape: string, offsets: string, more = "") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}${more}}`;
const F32 = row("F32", "[2]", "[0,8]");

const ACCEPTED: readonly (readonly [string, string, number, readonly string[]])[] = [
  ["no tensors", "{}", 0, []],
  ["metadata alone", '{"__metadata__":{"a":"b"}}', 0, []],
  ["metadata that is null", '{"__metadata__":null}', 0, []],
  ["space around the object", ` \n\t{ "w" : ${F32} } \n`, 8, ["w"]],
  ["empty tensors anywhere", `{"b":${row("F32", "[0,3]", "[8,8]")},"w":${F32},"a":${row("F64", "[0]", "[0,0]")}}`, 8, [
    "b",
    "w",
    "a",
  ]],
  ["a scalar", `{"s":${row("I64", "[]", "[0,8]")}}`, 8, ["s"]],
  ["fields that it does not know", `{"w":${row("U8", "[1]", "[0,1]", ',"note":[1.5,{"a":null}],"big":1e400')}}`, 1, [
    "w",
  ]],
  ["names in the order of the header", `{"2":${row("U8", "[1]", "[1,2]")},"1":${row("U8", "[1]", "[0,1]")}}`, 2, [
    "2",
    "1",
  ]],
  [
    "odd names",
    `{"__proto__":${row("U8", "[0]", "[0,0]")},"":${row("U8", "[0]", "[0,0]")},"\\ud83d\\ude00":${
      row("U8", "[0]", "[0,0]")
    }}`,
    0,
    [
      "__proto__",
      "",
      "\u{1f600}",
    ],
  ],
];

for (const [what, header, dataBytes, names] of ACCEPTED) {
  Deno.test(`a safetensors file with ${what} is read`, async () => {
    const checkpoint = await openCheckpoint(file(header, dataBytes));
    assertEquals([checkpoint.format, checkpoint.stateDictPaths], ["safetensors", [[]]]);
    const stateDict = checkpoint.stateDict();
    assertEquals([[...stateDict.keys()], stateDict.metadata], [names, null]);
    for (const value of stateDict.values()) {
      assertInstanceOf(value, StoredTensor);
      assertEquals((await value.read()).length, value.byteLength);
    }
  });
}

const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ["a header longer than the file", file("{}", 0, 100), "needs 100 bytes at 8, the file has 10"],
  ["a header that is not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), "not UTF-8"],
  ["half a header", file('{"w":'), "not JSON"],
  ["junk behind the header", file("{} x"), "not JSON: something after"],
  ["a zero behind the header", file("{}\0"), "not JSON"],
  ["a tensor twice", file(`{"w":${F32},"w":${F32}}`, 8), "second time"],
  ["metadata twice", file('{"__metadata__":{},"__metadata__":{}}'), "second time"],
  ["a dtype twice", file('{"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), "second time"],
  ["metadata that is not text", file('{"__metadata__":{"a":1}}'), "not text"],
  ["metadata that is an array", file('{"__metadata__":[]}'), "not an object"],
  [
    "half a character in a name",
    file('{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "half a character",
  ],
  ["a tensor that is a number", file('{"w":1}'), "not described"],
  ["no dtype", file('{"w":{"shape":[0],"data_offsets":[0,0]}}'), "no dtype"],
  ["an unknown dtype", file(`{"w":${row("f32", "[0]", "[0,0]")}}`), '"f32" is unknown'],
  ["no shape", file('{"w":{"dtype":"U8","data_offsets":[0,0]}}'), "no shape"],
  ["no offsets", file('{"w":{"dtype":"U8","shape":[0]}}'), "no pair"],
  ["three offsets", file(`{"w":${row("U8", "[0]", "[0,0,0]")}}`), "no pair"],
  ["a negative size", file(`{"w":${row("U8", "[-1]", "[0,0]")}}`), "a size is "],
  ["a fraction", file(`{"w":${row("U8", "[1.0]", "[0,1]")}}`, 1), "a size is "],
  ["an exponent", file(`{"w":${row("U8", "[1e0]", "[0,1]")}}`, 1), "a size is "],
  ["minus zero", file(`{"w":${row("U8", "[-0]", "[0,0]")}}`), "a size is "],
  ["a size beyond 2^53", file(`{"w":${row("U8", "[9007199254740993]", "[0,0]")}}`), "a size is "],
  [
    "sizes whose product is too large",
    file(`{"w":${row("F64", "[4294967296,4294967296]", "[0,0]")}}`),
    "larger than any",
  ],
  ["such sizes, times 0", file(`{"w":${row("F64", "[0,4294967296,4294967296]", "[0,0]")}}`), "larger than any"],
  ["too few bytes", file(`{"w":${row("F32", "[2]", "[0,7]")}}`, 7), "needs 8 bytes, its data_offsets [0, 7] have 7"],
  ["reversed offsets", file(`{"w":${row("F32", "[2]", "[8,0]")}}`, 8), "have -8"],
  ["a hole in front", file(`{"w":${row("U8", "[1]", "[1,2]")}}`, 2), "begins at 1"],
  ["a hole between", file(`{"a":${row("U8", "[1]", "[0,1]")},"b":${row("U8", "[1]", "[2,3]")}}`, 3), "begins at 2"],
  ["an overlap", file(`{"a":${row("U8", "[2]", "[0,2]")},"b":${row("U8", "[2]", "[1,3]")}}`, 3), "begins at 1"],
  [
    "the same range twice",
    file(`{"a":${row("U8", "[1]", "[0,1]")},"b":${row("U8", "[1]", "[0,1]")}}`, 1),
    "begins at 0",
  ],
  [
    "data that is missing",
    file(`{"w":${F32}}`, 7),
    "the tensors need 8 bytes of data, the file has 7; the file is inc",
  ],
  ["data that belongs to none", file(`{"w":${F32}}`, 9), "need 8 bytes of data, the file has 9"],
  ["half a byte", file(`{"w":${row("F4", "[3]", "[0,2]")}}`, 2), "do not end on a byte"],
];

for (const [what, bytes, message] of REFUSED) {
  Deno.test(`a safetensors file with ${what} is refused`, async () => {
    const error = await assertRejects(() => openCheckpoint(bytes), CheckpointError, message);
    assertEquals(error.format, "safetensors");
  });
}

Deno.test("every beginning of a safetensors file is refused", async () => {
  const whole = file(`{"w":${F32}}`, 8);
  for (let length = 0; length < whole.length; length++) {
    const error = await assertRejects(() => openCheckpoint(whole.slice(0, length)));
    assertEquals(error instanceof CheckpointError || error instanceof TruncatedError, true);
  }
});

Deno.test("a header larger than the limit is refused before it is read", async () => {
  const error = await assertRejects(() => openCheckpoint(file("{}", 0, 100_000_001)), LimitError);
  assertEquals([error.limit, error.allowed, error.found], ["headerBytes", 100_000_000, 100_000_001]);
  const small = await assertRejects(() => openCheckpoint(file("{}"), { limits: { headerBytes: 1 } }), LimitError);
  assertEquals(small.limit, "headerBytes");
  const many = file(`{"a":${row("U8", "[0]", "[0,0]")},"b":${row("U8", "[0]", "[0,0]")}}`);
  await assertRejects(() => openCheckpoint(many, { limits: { entries: 1 } }), LimitError);
  await assertRejects(
    () => openCheckpoint(file(`{"w":${row("U8", "[0,0,0]", "[0,0]")}}`), { limits: { rank: 2 } }),
    LimitError,
  );
});

Deno.test("F4 and F6 are listed and not read", async () => {
  for (const [name, dtype, bytes] of [["F4", "float4_e2m1fn_x2", 2], ["F6_E2M3", "float6_e2m3fn", 3]] as const) {
    const value = (await openCheckpoint(file(`{"w":${row(name, "[4]", `[0,${bytes}]`)}}`, bytes))).stateDict().get("w");
    assertInstanceOf(value, StoredTensor);
    assertEquals([value.dtype, value.shape, value.byteLength], [dtype, [4], bytes]);
    await assertRejects(() => value.read(), UnsupportedError);
  }
});

Deno.test("a header nested deeper than the library reads is refused", async () => {
  const deep = `{"w":${"[".repeat(200_000)}`;
  await assertRejects(() => openCheckpoint(file(deep)), CheckpointError, "nesting of more than 127");
});
