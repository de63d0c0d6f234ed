/**
 * From memory to a file that is whole or not there.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { replaceFile } from "../bytes/replace_file.ts";
import type { StateDictLike } from "../nn/loading.ts";
import { Module } from "../nn/module.ts";
import { encodeSafetensors } from "./encode_safetensors.ts";
import type { SafetensorsOptions } from "./encode_safetensors.ts";

/**
 * A format that can be written.
 *
 * @example Writing it whatever the path is called
 * ```ts
 * import { save, type SaveFormat } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const format: SaveFormat = "safetensors";
 * const path = Deno.makeTempFileSync();
 * await save({}, path, { format });
 * assertEquals(Deno.readFileSync(path).length, 16);
 * Deno.removeSync(path);
 * ```
 */
export type SaveFormat = "safetensors";

/** What the path of a file in a format ends with. */
const ENDING = ".safetensors";

/**
 * What {@linkcode save} takes.
 *
 * @example Saying what is written
 * ```ts
 * import type { SaveOptions } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const options: SaveOptions = { format: "safetensors", metadata: { format: "pt" } };
 * assertEquals(options.format, "safetensors");
 * ```
 */
export interface SaveOptions extends SafetensorsOptions {
  /** What to write; by default what the path's ending says. */
  readonly format?: SaveFormat;
  /** Stops writing; the file at `path` is then what it was before. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a model, or a state dict, to a file. The bytes go to `path.part`, which is synced and then takes the name, so
 * that a file at `path` is the old one or the new one, whole. Under Deno it needs to read and to write both paths.
 *
 * @throws {TypeError} A value is no tensor, or a name cannot be written.
 * @throws {UnsupportedError} The format is not written, or a tensor cannot be.
 * @throws {CheckpointError} The disk failed; `cause` is the reason.
 *
 * @example To a file and back
 * ```ts
 * import { Linear, loadCheckpoint, save } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const trained = new Linear(3, 2);
 * await save(trained, `${folder}/model.safetensors`);
 * const model = new Linear(3, 2);
 * await loadCheckpoint(model, `${folder}/model.safetensors`);
 * assertEquals(model.bias?.tolist(), trained.bias?.tolist());
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function save(
  value: Module | StateDictLike,
  path: string | URL,
  options: SaveOptions = {},
): Promise<void> {
  requireFormat(path, options.format);
  const stateDict = value instanceof Module ? value.stateDict() : value;
  await replaceFile(path, encodeSafetensors(stateDict, options), { overwrite: true, signal: options.signal });
}

/**
 * Refuses what cannot be written yet.
 *
 * @throws {UnsupportedError} Neither `format` nor the path's ending is of a format that is written.
 */
export function requireFormat(path: string | URL, format?: string): void {
  const name = String(path);
  if (format === "safetensors" || (format === undefined && name.toLowerCase().endsWith(ENDING))) return;
  const ending = /\.\w+$/.exec(name)?.[0];
  const wanted = format ?? ending ?? "a path without an ending";
  throw new UnsupportedError(
    `Cannot write "${name}": ${wanted} is not written yet; name a path that ends with ${ENDING}`,
    `writing ${wanted}`,
  );
}
