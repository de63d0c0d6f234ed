/** Arrays and scalars of NumPy, as both names of its module have them; tensors by PyTorch are in `through_numpy*.pt`. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { CheckpointError, type Inert, LimitError, type Limits, openCheckpoint } from "../../src/checkpoint/mod.ts";
import { UnsupportedError } from "../../src/checkpoint/mod.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { global, int, pickle, text, torchZip, tuple, u32 } from "./archive.ts";

const MODULES = ["numpy.core.multiarray", "numpy._core.multiarray"];

async function rootOf(program: Uint8Array, limits: Partial<Limits> = {}): Promise<Inert> {
  return (await openCheckpoint(torchZip(pickle(program, ".")), { limits })).root;
}

/** `numpy.dtype`, and the order of its bytes. */
function dtype(code: string, order = "<"): Uint8Array {
  return pickle(global("numpy", "dtype"), tuple(text(code)), "R", tuple(int(3), text(order)), "b");
}

/** `BINBYTES`. */
function bytes(...values: readonly number[]): Uint8Array {
  return pickle("B", u32(values.length), values);
}

function scalar(type: Uint8Array, data: Uint8Array, module = MODULES[0]): Uint8Array {
  return pickle(global(module, "scalar"), tuple(type, data), "R");
}

function array(
  { type = dtype("f4"), shape = [1], data = bytes(0, 0, 128, 63), order = 0x89 }: {
    readonly type?: Uint8Array;
    readonly shape?: readonly number[];
    readonly data?: Uint8Array;
    readonly order?: number;
  },
): Uint8Array {
  const state = tuple(int(1), tuple(...shape.map(int)), type, pickle(order), data);
  return pickle(global(MODULES[1], "_reconstruct"), ")R", state, "b");
}

function tensor(from: Uint8Array, name: string, rebuild = "_rebuild_device_tensor_from_numpy"): Uint8Array {
  const args = tuple(from, global("torch", name), text("xla:0"), pickle(0x88));
  return pickle(global("torch._utils", rebuild), args, "R");
}

async function tensorOf(program: Uint8Array): Promise<StoredTensor> {
  const root = await rootOf(program);
  assertInstanceOf(root, StoredTensor);
  return root;
}

const SCALARS: readonly (readonly [string, string, readonly number[], number | bigint | boolean])[] = [
  ["b1", "|", [1], true],
  ["b1", "|", [0], false],
  ["i1", "|", [0xff], -1],
  ["u1", "|", [0xff], 255],
  ["i2", "<", [0xfe, 0xff], -2],
  ["i2", ">", [0xff, 0xfe], -2],
  ["u4", "<", [0xff, 0xff, 0xff, 0xff], 2 ** 32 - 1],
  ["i8", "<", [3, 0, 0, 0, 0, 0, 0, 0], 3],
  ["i8", ">", [0x80, 0, 0, 0, 0, 0, 0, 0], -(2n ** 63n)],
  ["u8", "<", [0, 0, 0, 0, 0, 0, 0, 0x80], 2n ** 63n],
  ["f8", "<", [0, 0, 0, 0, 0, 0xe0, 0x51, 0x40], 71.5],
  ["f8", ">", [0x40, 0x51, 0xe0, 0, 0, 0, 0, 0], 71.5],
  ["f4", "<", [0, 0, 0, 0xbf], -0.5],
  ["f2", "<", [0, 0x3c], 1],
  ["f2", "<", [0xff, 0xfb], -65504],
  ["f2", ">", [0, 1], 2 ** -24],
  ["f2", "<", [0, 0x80], -0],
  ["f2", "<", [0, 0xfc], -Infinity],
  ["f2", "<", [1, 0x7c], NaN],
];

for (const [code, order, data, expected] of SCALARS) {
  Deno.test(`a scalar of NumPy is a number: ${order}${code} ${data.join(" ")}`, async () => {
    for (const module of MODULES) {
      assertEquals(await rootOf(scalar(dtype(code, order), bytes(...data), module)), expected);
    }
  });
}

Deno.test("a scalar of NumPy that Python 2 wrote is a number, though its bytes may read as text", async () => {
  assertEquals(await rootOf(scalar(dtype("i2"), pickle("U", 2, "AB"))), 0x4241);
});

Deno.test("a scalar of NumPy that is no number stays a record", async () => {
  for (
    const program of [
      scalar(dtype("c8"), bytes(0, 0, 0, 0, 0, 0, 128, 63)),
      scalar(dtype("M8"), bytes(0, 0, 0, 0, 0, 0, 0, 0)),
      scalar(dtype("i4"), bytes(1)),
      scalar(int(4), bytes(1)),
      pickle(global(MODULES[0], "scalar"), ")R"),
    ]
  ) {
    const root = await rootOf(program);
    assert(typeof root === "object" && root !== null && "name" in root);
    assertEquals(root.name, "scalar");
  }
});

Deno.test("a tensor that was saved through NumPy is read by both names of its function", async () => {
  for (const name of ["_rebuild_device_tensor_from_numpy", "_rebuild_xla_tensor"]) {
    const value = await tensorOf(tensor(array({}), "float32", name));
    assertEquals([value.shape, value.requiresGrad, value.isSync], [[1], true, true]);
    assertEquals(await value.read(), Uint8Array.of(0, 0, 128, 63));
  }
});

Deno.test("a tensor that was saved through NumPy has the strides of its order", async () => {
  const data = bytes(1, 2, 3, 4, 5, 6);
  const rows = await tensorOf(tensor(array({ type: dtype("u1", "|"), shape: [2, 3], data }), "uint8"));
  assertEquals([rows.strides, await rows.read()], [[3, 1], Uint8Array.of(1, 2, 3, 4, 5, 6)]);
  const columns = await tensorOf(tensor(array({ type: dtype("u1", "|"), shape: [2, 3], data, order: 0x88 }), "uint8"));
  assertEquals([columns.strides, await columns.read()], [[1, 2], Uint8Array.of(1, 3, 5, 2, 4, 6)]);
  const empty = await tensorOf(tensor(array({ shape: [2, 0], data: bytes() }), "float32"));
  assertEquals([empty.shape, await empty.read()], [[2, 0], new Uint8Array(0)]);
});

Deno.test("tensors that were saved through NumPy share nothing, and are not told from each other by their bytes", async () => {
  const root = await rootOf(pickle("](", tensor(array({}), "float32"), tensor(array({}), "float32"), "e"));
  assert(Array.isArray(root));
  const ids = root.map((value: unknown) => value instanceof StoredTensor ? value.storage.id : null);
  assertEquals(ids, ["pickle/0", "pickle/1"]);
});

Deno.test("a tensor of an array that is too long or too short for its shape is listed, and refused when read", async () => {
  for (const [shape, needed] of [[[2], 8], [[0], 0]] as const) {
    const value = await tensorOf(tensor(array({ shape }), "float32"));
    assertEquals(value.shape, shape);
    await assertRejects(() => value.read(), CheckpointError, `the array has 4 bytes, its shape says ${needed}`);
  }
});

Deno.test("a tensor of an array that PyTorch would cast, or has no dtype for, is listed and not read", async () => {
  const objects = pickle("](", int(1), "e");
  for (
    const [program, feature] of [
      [tensor(array({}), "float16"), "tensor that is cast to float16"],
      [tensor(array({ data: bytes(1, 0, 128, 63) }), "bfloat16"), "tensor that is cast to bfloat16"],
      [tensor(array({ type: dtype("M8") }), "int64"), "tensor saved through NumPy"],
      [tensor(array({ data: objects }), "float32"), "tensor saved through NumPy"],
    ] as const
  ) {
    const value = await tensorOf(program);
    assertEquals(value.shape, [1]);
    assertEquals((await assertRejects(() => value.read(), UnsupportedError)).feature, feature);
  }
});

Deno.test("float32 that stand for bfloat16 are narrowed, in either order of their bytes", async () => {
  const little = await tensorOf(tensor(array({}), "bfloat16"));
  assertEquals(await little.read(), Uint8Array.of(0x80, 0x3f));
  const big = await tensorOf(tensor(array({ type: dtype("f4", ">"), data: bytes(63, 128, 0, 0) }), "bfloat16"));
  assertEquals(await big.read(), Uint8Array.of(0x80, 0x3f));
});

Deno.test("narrowing one array again and again is counted", async () => {
  const zeros = new Array<number>(64_000).fill(0);
  const first = pickle(array({ shape: [16_000], data: bytes(...zeros) }), "q", 1, "0");
  const again = Array.from({ length: 20 }, () => pickle(tensor(pickle("h", 1), "bfloat16"), "0"));
  const error = await assertRejects(() => rootOf(pickle(first, ...again, "N"), { opcodes: 10_000 }), LimitError);
  assertEquals(error.limit, "opcodes");
});

Deno.test("an array of NumPy that is no tensor stays a record", async () => {
  const root = await rootOf(array({}));
  assert(typeof root === "object" && root !== null && "state" in root);
  assertEquals("name" in root && root.name, "_reconstruct");
});
