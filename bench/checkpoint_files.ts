/**
 * Checkpoints of any size, written for a benchmark into a folder that is removed when it ends.
 *
 * @module
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { Linear, manualSeed, save, Sequential, type Tensor } from "../mod.ts";

/** About 1 MB and 200 MB. */
export const CHECKPOINT_SIZES: readonly CheckpointSize[] = [
  { layers: 4, features: 256 },
  { layers: 12, features: 2048 },
];

/** The formats, by their extensions. */
const EXTENSIONS = ["safetensors", "pt"] as const;

/** `layers` square layers with biases. */
export interface CheckpointSize {
  readonly layers: number;
  readonly features: number;
}

/** A file and what fits it. */
export interface CheckpointFile {
  /** Format and size. */
  readonly name: string;
  readonly path: string;
  readonly size: CheckpointSize;
  /** What was written, by key. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** A new model with the same keys and shapes. */
  readonly model: () => Sequential;
}

/** One file of each format. */
export async function writeCheckpoints(size: CheckpointSize, folder: string): Promise<readonly CheckpointFile[]> {
  const { layers, features } = size;
  const model = () => new Sequential(...Array.from({ length: layers }, () => new Linear(features, features)));
  manualSeed(0);
  const written = model();
  const files: CheckpointFile[] = [];
  for (const extension of EXTENSIONS) {
    const path = join(folder, `${features}.${extension}`);
    await save(written, path);
    const megabytes = Math.round(statSync(path).size / 1e6);
    files.push({ name: `.${extension}, ${megabytes} MB`, path, size, tensors: written.stateDict(), model });
  }
  return files;
}
