/**
 * Large safetensors files that are made as they are read.
 *
 * @module
 */

import type { ByteSource } from "../mod.ts";

/** A tensor's name and sizes. */
export type Entry = readonly [key: string, shape: readonly number[]];

/** A safetensors file of float32 tensors. */
export function largeFile(entries: readonly Entry[]): ByteSource {
  let end = 0;
  const header = Object.fromEntries(entries.map(([key, shape]) => {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [key, { dtype: "F32", shape, data_offsets: [start, end] }];
  }));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  const pattern = new Uint8Array(Float32Array.from({ length: 1 << 20 }, (_, i) => Math.sin(i)).buffer);
  return {
    size: head.length + end,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const at = offset + done;
        const from = at < head.length ? head.subarray(at) : pattern.subarray((at - head.length) % pattern.length);
        const part = from.subarray(0, length - done);
        bytes.set(part, done);
        done += part.length;
      }
      return Promise.resolve(bytes);
    },
  };
}
