/**
 * Which results share memory with what they came from, and what happens where operands do.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { arange, cat, type Tensor } from "../../mod.ts";

/** What PyTorch copies even where nothing changes. */
const COPIES: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "clone()": (x) => x.clone(),
  "repeat() of once": (x) => x.repeat([1, 1]),
  "repeat() of once, transposed": (x) => x.t().repeat([1, 1]).t(),
  "repeat() of once with another dimension": (x) => x.repeat([1, 1, 1]).at(0),
  "flip() of nothing": (x) => x.flip([]),
  "cat() of one": (x) => cat([x]),
  "add(0)": (x) => x.add(0),
  "abs()": (x) => x.abs(),
  "sum() over no more than one": (x) => x.view([2, 3, 1]).sum(2),
  "amax() over no more than one": (x) => x.view([2, 3, 1]).amax(2),
  "indexing with a mask of all": (x) => x.at(x.ge(0)).view([2, 3]),
};

for (const [name, copy] of Object.entries(COPIES)) {
  Deno.test(`${name} has memory of its own`, () => {
    const x = arange(6).view([2, 3]);
    const y = copy(x);
    assertEquals(y.tolist(), [[0, 1, 2], [3, 4, 5]]);
    y.zero_();
    assertEquals(x.tolist(), [[0, 1, 2], [3, 4, 5]]);
  });
}

/** What PyTorch does not copy. */
const VIEWS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "view()": (x) => x.view([6]),
  "reshape() of contiguous elements": (x) => x.reshape([3, 2]),
  "flatten() of contiguous elements": (x) => x.flatten(),
  "contiguous() of contiguous elements": (x) => x.contiguous(),
  "to() of the same dtype": (x) => x.to("int64"),
  "detach()": (x) => x.detach(),
  "t()": (x) => x.t(),
  "at() with slices": (x) => x.at({}, {}),
  "split()": (x) => x.split(2)[0],
};

for (const [name, view] of Object.entries(VIEWS)) {
  Deno.test(`${name} shares its tensor's memory`, () => {
    const x = arange(6).view([2, 3]);
    view(x).zero_();
    assertEquals(x.tolist(), [[0, 0, 0], [0, 0, 0]]);
  });
}

// PyTorch refuses most of these ("some elements of the input tensor and the written-to tensor refer to a single memory
// location"); they mean what they would with a clone() of the operand.
Deno.test("an operand that shares memory with what is written is read before anything is written", () => {
  const matrix = () => arange(9).view([3, 3]);
  const results = [
    (x: Tensor) => x.sub_(x.at(0)),
    (x: Tensor) => x.add_(x.t()),
    (x: Tensor) => x.at({ start: 1 }).sub_(x.at({ end: 2 })),
    (x: Tensor) => x.at({ end: 2 }).sub_(x.at({ start: 1 })),
    (x: Tensor) => x.at({ start: 1 }).copy_(x.at({ end: 2 })),
    (x: Tensor) => x.t().copy_(x),
    (x: Tensor) => x.maskedFill_(x.t().gt(4), -1),
  ].map((write) => {
    const x = matrix();
    write(x);
    return x.tolist();
  });
  assertEquals(results, [
    [[0, 0, 0], [3, 3, 3], [6, 6, 6]],
    [[0, 4, 8], [4, 8, 12], [8, 12, 16]],
    [[0, 1, 2], [3, 3, 3], [3, 3, 3]],
    [[-3, -3, -3], [-3, -3, -3], [6, 7, 8]],
    [[0, 1, 2], [0, 1, 2], [3, 4, 5]],
    [[0, 3, 6], [1, 4, 7], [2, 5, 8]],
    [[0, 1, -1], [3, 4, -1], [6, -1, -1]],
  ]);
  assertThrows(
    () => arange(3).expand([2, 3]).add_(1),
    RangeError,
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location.",
  );
});
