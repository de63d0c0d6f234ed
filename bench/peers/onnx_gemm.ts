/**
 * An ONNX model of one `Gemm`, byte by byte: y = x · wᵀ + b with w and b inside the model, so that onnxruntime can put
 * them into the order it likes best before it runs.
 *
 * Source: onnx/onnx.proto3 (field numbers), the protocol buffers' encoding (varints and lengths).
 *
 * @module
 */

import type { LinearProblem } from "../linear_problem.ts";

/** IR version 8 with operators of opset 13: old enough for every onnxruntime-web that has SIMD. */
const IR_VERSION = 8;
const OPSET = 13;

/** TensorProto.DataType.FLOAT, AttributeProto.AttributeType.INT. */
const FLOAT = 1;
const INT = 2;

/** The model's bytes. Its input is `x`, its output `y`. */
export function gemmModel({ shape: { m, k, n }, w, b }: LinearProblem): Uint8Array {
  const transB = join([text(1, "transB"), number(3, 1), number(20, INT)]);
  const node = join([text(1, "x"), text(1, "w"), text(1, "b"), text(2, "y"), text(4, "Gemm"), field(5, transB)]);
  const graph = join([
    field(1, node),
    text(2, "linear"),
    field(5, initializer("w", [n, k], w)),
    field(5, initializer("b", [n], b)),
    field(11, valueInfo("x", [m, k])),
    field(12, valueInfo("y", [m, n])),
  ]);
  return join([number(1, IR_VERSION), field(7, graph), field(8, number(2, OPSET))]);
}

/** TensorProto. */
function initializer(name: string, dims: readonly number[], values: Float32Array<ArrayBuffer>): Uint8Array {
  return join([...dims.map((dim) => number(1, dim)), number(2, FLOAT), text(8, name), field(9, bytesOf(values))]);
}

/** ValueInfoProto of TypeProto of TensorShapeProto. */
function valueInfo(name: string, dims: readonly number[]): Uint8Array {
  const shape = join(dims.map((dim) => field(1, number(1, dim))));
  return join([text(1, name), field(2, field(1, join([number(1, FLOAT), field(2, shape)])))]);
}

function text(id: number, value: string): Uint8Array {
  return field(id, new TextEncoder().encode(value));
}

/** A field of bytes: wire type 2. */
function field(id: number, value: Uint8Array): Uint8Array {
  return join([varint(id << 3 | 2), varint(value.length), value]);
}

/** A field of one integer: wire type 0. */
function number(id: number, value: number): Uint8Array {
  return join([varint(id << 3), varint(value)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) {
    bytes.push(value % 0x80 | 0x80);
  }
  return Uint8Array.from([...bytes, value]);
}

function bytesOf(values: Float32Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
