/**
 * Writes safetensors: the length of a JSON header, the header, the bytes.
 *
 * @module
 */

import { bytesOf, type NamedTensor } from "./checkpoint_files.ts";

/** The header is filled up with spaces, so that the bytes start at a multiple of this. */
const ALIGNMENT = 8;

/** The bytes of a file with these tensors. */
export function safetensorsBytes(tensors: readonly NamedTensor[]): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(tensors.map(({ key, shape, values }) => {
    const start = end;
    end += values.byteLength;
    return [key, { dtype: "F32", shape, data_offsets: [start, end] }];
  }));
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / ALIGNMENT) * ALIGNMENT));
  const file = new Uint8Array(8 + json.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  let at = 8 + json.length;
  for (const { values } of tensors) {
    file.set(bytesOf(values), at);
    at += values.byteLength;
  }
  return file;
}
