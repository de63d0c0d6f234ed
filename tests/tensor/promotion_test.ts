import { assertEquals, assertThrows } from "@std/assert";
import type { DType } from "../../src/dtype.ts";
import { DTYPE_NAMES } from "../../src/dtype.ts";
import { canCast, promoteTypes, resultType } from "../../src/tensor/promotion.ts";
import type { Scalar } from "../../src/tensor/promotion.ts";
import { uninitialised } from "../../src/tensor/view.ts";
import fixture from "../fixtures/tensor_ops/promotion.json" with { type: "json" };

/** What the fixture calls the scalars, as JavaScript has them; there are no complex ones. */
const SCALARS: readonly Scalar[] = [true, 2, 2.5];

Deno.test("the fixture knows every dtype", () => {
  assertEquals(fixture.dtypes.toSorted(), DTYPE_NAMES.toSorted());
});

for (const a of DTYPE_NAMES) {
  Deno.test(`promoteTypes() promotes ${a} with every dtype as PyTorch does`, () => {
    for (const b of DTYPE_NAMES) {
      assertPromotes(() => promoteTypes(a, b), cellOf(fixture.tensor_tensor, a, b), `${a} with ${b}`);
    }
  });

  Deno.test(`resultType() lets ${a} decide over tensors without dimensions`, () => {
    for (const b of DTYPE_NAMES) {
      const operands = [uninitialised(a, [1]), uninitialised(b, [])];
      assertPromotes(() => resultType(operands), cellOf(fixture.tensor_zero_dim, a, b), `${a} with 0-d ${b}`);
      assertPromotes(
        () => resultType(operands.toReversed()),
        cellOf(fixture.tensor_zero_dim, a, b),
        `0-d ${b} with ${a}`,
      );
    }
  });

  Deno.test(`resultType() lets ${a} decide over numbers`, () => {
    for (const [column, scalar] of SCALARS.entries()) {
      const rank = { tensor_scalar: [1], zero_dim_scalar: [] };
      for (const [name, shape] of Object.entries(rank)) {
        const matrix = name === "tensor_scalar" ? fixture.tensor_scalar : fixture.zero_dim_scalar;
        const cell = matrix[fixture.dtypes.indexOf(a)][column];
        assertPromotes(() => resultType([uninitialised(a, shape), scalar]), cell, `${a}[${shape}] with ${scalar}`);
      }
    }
  });
}

Deno.test("resultType() of numbers alone", () => {
  for (const [row, a] of SCALARS.entries()) {
    for (const [column, b] of SCALARS.entries()) {
      assertPromotes(() => resultType([a, b]), fixture.scalar_scalar[row][column], `${a} with ${b}`);
    }
  }
});

Deno.test("resultType() counts integers of any spelling as int", () => {
  const half = uninitialised("int32", [1]);
  assertEquals([2, -0, 2n, 1e15, true].map((scalar) => resultType([half, scalar])), Array(5).fill("int32"));
  assertEquals([0.5, NaN, Infinity].map((scalar) => resultType([half, scalar])), Array(3).fill("float32"));
});

Deno.test("canCast() is torch.can_cast", () => {
  // torch.can_cast("float32", "int64") and so on, from torch 2.15.
  const refused: readonly (readonly [DType, DType])[] = [
    ["float32", "int64"],
    ["float64", "bool"],
    ["int32", "bool"],
    ["complex64", "float32"],
    ["complex64", "int64"],
  ];
  for (const [from, to] of refused) assertEquals(canCast(from, to), false, `${from} to ${to}`);
  const allowed: readonly (readonly [DType, DType])[] = [
    ["float64", "float16"],
    ["int64", "int8"],
    ["bool", "uint8"],
    ["int64", "float16"],
    ["float32", "complex64"],
    ["bool", "bool"],
    ["int64", "uint8"],
  ];
  for (const [from, to] of allowed) assertEquals(canCast(from, to), true, `${from} to ${to}`);
});

function cellOf(matrix: readonly string[], a: DType, b: DType): string {
  return matrix[fixture.dtypes.indexOf(a)][fixture.dtypes.indexOf(b)];
}

function assertPromotes(promote: () => DType, cell: string, about: string): void {
  if (cell !== "!") {
    assertEquals(promote(), fixture.dtypes[Number.parseInt(cell, 36)], about);
    return;
  }
  const { message } = assertThrows(promote, TypeError, undefined, about);
  const text = message.replace(/attempted to promote \w+ and \w+/, "attempted to promote {a} and {b}");
  assertEquals(fixture.errors.includes(text), true, `${about}: ${message}`);
}
