/**
 * Checkpoints of any size, written for a benchmark into a folder that is removed when it ends.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Linear, Sequential } from "../mod.ts";
import { safetensorsBytes } from "./safetensors_file.ts";
import { torchBytes } from "./torch_file.ts";

/** About 1 MB and 200 MB. */
export const CHECKPOINT_SIZES: readonly CheckpointSize[] = [
  { layers: 4, features: 256 },
  { layers: 12, features: 2048 },
];

/** A float32 tensor to be written. */
export interface NamedTensor {
  readonly key: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** A file and what fits it. */
export interface CheckpointFile {
  /** Format and size. */
  readonly name: string;
  readonly path: string;
  readonly size: CheckpointSize;
  /** What is in it. */
  readonly tensors: readonly NamedTensor[];
  /** A model with the same keys and shapes. */
  readonly model: () => Sequential;
}

/** `layers` square layers with biases. */
export interface CheckpointSize {
  readonly layers: number;
  readonly features: number;
}

/** One file of each format. */
export function writeCheckpoints(size: CheckpointSize, folder: string): readonly CheckpointFile[] {
  const { layers, features } = size;
  const tensors = Array.from({ length: layers }, (_, i): NamedTensor[] => [
    { key: `${i}.weight`, shape: [features, features], values: ramp(features * features, i) },
    { key: `${i}.bias`, shape: [features], values: ramp(features, i) },
  ]).flat();
  const model = () => new Sequential(...Array.from({ length: layers }, () => new Linear(features, features)));
  return [
    { extension: "safetensors", bytes: safetensorsBytes(tensors) },
    { extension: "pt", bytes: torchBytes(tensors) },
  ].map(({ extension, bytes }) => {
    const path = join(folder, `${features}.${extension}`);
    writeFileSync(path, bytes);
    const megabytes = Math.round(bytes.length / 1e6);
    return { name: `.${extension}, ${megabytes} MB`, path, size, tensors, model };
  });
}

/** Bytes of float32 values. */
export function bytesOf(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function ramp(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => (i + seed) % 1000 / 1000);
}
