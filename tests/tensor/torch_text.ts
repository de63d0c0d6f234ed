/**
 * Tensors as the fixtures spell them: `float32[2,3]:<hex>`, the little-endian bytes in row-major order; without
 * `:<hex>` all zeros.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isDType, itemSize } from "../../src/dtype.ts";
import type { DType } from "../../src/dtype.ts";
import { numelOf } from "../../src/shape.ts";
import { readElement } from "../../src/tensor/elements.ts";
import { Tensor } from "../../src/tensor/tensor.ts";

/** How far a value may be from PyTorch's. */
export interface Tolerance {
  /** Units in the last place of the dtype. 0 is bit for bit, but for the bits of a NaN. */
  readonly ulps?: number;
  /** An absolute distance that is accepted as well. */
  readonly absolute?: number;
  /** Places that are not compared. */
  readonly except?: readonly number[];
}

/** The parts of a spelled tensor. */
interface Spelled {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Units in the last place, as integers that count through the values of a dtype in order. */
const FLOAT_BITS: Readonly<Partial<Record<DType, number>>> = { float32: 32, float64: 64, float16: 16, bfloat16: 16 };

/** The tensor that a text spells. */
export function tensorOf(text: string): Tensor {
  const { dtype, shape, bytes } = parse(text);
  return Tensor.fromBytes(bytes, { dtype, shape });
}

/** The text of a tensor. */
export function textOf(tensor: Tensor): string {
  const head = `${tensor.dtype}[${tensor.shape.join(",")}]`;
  return tensor.numel === 0 ? head : `${head}:${tensor.bytes().toHex()}`;
}

/** Asserts that `actual` is the tensor that `text` spells: dtype and shape exactly, values within the tolerance. */
export function assertTensor(actual: unknown, text: string, about: string, tolerance: Tolerance = {}): void {
  assert(actual instanceof Tensor, `${about}: not a tensor`);
  const expected = parse(text);
  assertEquals(`${actual.dtype}[${actual.shape.join(",")}]`, `${expected.dtype}[${expected.shape.join(",")}]`, about);
  const bytes = actual.bytes();
  const [found, wanted] = [bytes, expected.bytes].map((b) => new DataView(b.buffer));
  const size = itemSize(expected.dtype);
  for (let at = 0; at < bytes.byteLength; at += size) {
    if (tolerance.except?.includes(at / size) === true) continue;
    const [a, b] = [found, wanted].map((view) => readElement(view, at, expected.dtype));
    const same = typeof b === "number" && Number.isNaN(b)
      ? Number.isNaN(a)
      : [...bytes.subarray(at, at + size)].every((byte, i) => byte === expected.bytes[at + i]);
    if (same || isClose(Number(a), Number(b), distance(found, wanted, { at, dtype: expected.dtype }), tolerance)) {
      continue;
    }
    assert(false, `${about}: element ${at / size} is ${String(a)}, PyTorch has ${String(b)}`);
  }
}

function isClose(a: number, b: number, ulps: number, tolerance: Tolerance): boolean {
  return ulps <= (tolerance.ulps ?? 0) || Math.abs(a - b) <= (tolerance.absolute ?? -1);
}

/** How many values of the dtype lie between two, Infinity where the dtype has no such order. */
function distance(a: DataView, b: DataView, { at, dtype }: { readonly at: number; readonly dtype: DType }): number {
  const bits = FLOAT_BITS[dtype];
  if (bits === undefined) return Infinity;
  const [left, right] = [a, b].map((view) => ordinal(view, at, bits));
  const between = Number(left > right ? left - right : right - left);
  return Number.isNaN(Number(readElement(a, at, dtype))) ? Infinity : between;
}

/** A float's place among all floats of its width: its bits, counted down for negative ones. */
function ordinal(view: DataView, at: number, bits: number): bigint {
  const raw = bits === 64
    ? view.getBigUint64(at, true)
    : BigInt(bits === 32 ? view.getUint32(at, true) : view.getUint16(at, true));
  const sign = 1n << BigInt(bits - 1);
  return raw >= sign ? sign - raw : raw;
}

function parse(text: string): Spelled {
  const [, dtype, sizes, hex] = /^(\w+)\[([\d,]*)\](?::(\w+))?$/.exec(text) ?? [];
  assert(dtype !== undefined && isDType(dtype), `Not a tensor: ${text}`);
  const shape = sizes === "" ? [] : sizes.split(",").map(Number);
  const bytes = hex === undefined ? new Uint8Array(numelOf(shape) * itemSize(dtype)) : Uint8Array.fromHex(hex);
  return { dtype, shape, bytes };
}
