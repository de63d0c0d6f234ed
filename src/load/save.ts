/**
 * From memory to a file that is whole or not there.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { entriesOf } from "../nn/loading.ts";
import { Module } from "../nn/module.ts";
import { encodeSafetensors } from "./encode_safetensors.ts";
import type { SafetensorsOptions } from "./encode_safetensors.ts";
import { encodeTorch } from "./encode_torch.ts";

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
export type SaveFormat = "safetensors" | "torch";

/** What the paths of files in a format end with. */
const ENDINGS: ReadonlyMap<string, SaveFormat> = new Map([
  [".safetensors", "safetensors"],
  [".pt", "torch"],
  [".pth", "torch"],
  [".bin", "torch"],
  [".ckpt", "torch"],
]);

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
  /** What to write; by default what the path's ending says: `.safetensors`, or `.pt`, `.pth`, `.bin` and `.ckpt`. */
  readonly format?: SaveFormat;
  /** Stops writing; the file at `path` is then what it was before. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a model, a state dict, or (as PyTorch's format) values of any nesting with tensors in them to a file: see
 * {@linkcode encodeSafetensors} and {@linkcode encodeTorch}. The bytes go to `path.part`, which is synced and then takes
 * the name, so that a file at `path` is the old one or the new one, whole. Under Deno it needs to read and to write both
 * paths.
 *
 * @throws {TypeError} A value cannot be written, or a name; `metadata` is for safetensors alone.
 * @throws {UnsupportedError} The format is not written, or a tensor cannot be.
 * @throws {CheckpointError} The disk failed; `cause` is the reason.
 *
 * @example A file that PyTorch opens
 * ```ts
 * import { Linear, loadCheckpoint, save } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const trained = new Linear(3, 2);
 * await save(trained, `${folder}/model.pt`);
 * const model = new Linear(3, 2);
 * await loadCheckpoint(model, `${folder}/model.pt`);
 * assertEquals(model.bias?.tolist(), trained.bias?.tolist());
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export async function save(value: unknown, path: string | URL, options: SaveOptions = {}): Promise<void> {
  const { format, metadata, signal } = options;
  const stream = saveFormat(path, { format, metadata }) === "torch"
    ? encodeTorch(value, { folder: stemOf(path) })
    : encodeSafetensors(value instanceof Module ? value.stateDict() : entriesOf(value), { metadata });
  const { replaceFile } = await import("../bytes/replace_file.ts");
  await replaceFile(path, stream, { overwrite: true, signal });
}

/**
 * The format to write: what is asked for, or else what the path's ending says.
 *
 * @throws {UnsupportedError} It is not written.
 * @throws {TypeError} There is `metadata`, which that format has no place for.
 */
export function saveFormat(
  path: string | URL,
  { format, metadata }: { readonly format?: string; readonly metadata?: unknown } = {},
): SaveFormat {
  const name = String(path);
  const ending = /\.\w+$/.exec(name)?.[0].toLowerCase();
  const found = format === undefined ? ENDINGS.get(ending ?? "") : [...ENDINGS.values()].find((one) => one === format);
  if (found === undefined) {
    const wanted = format ?? ending ?? "a path without an ending";
    throw new UnsupportedError(
      `Cannot write "${name}": ${wanted} is not written; name a path that ends with ${[...ENDINGS.keys()].join(", ")}`,
      `writing ${wanted}`,
    );
  }
  if (found === "torch" && metadata !== undefined) {
    throw new TypeError(`Cannot write metadata to "${name}": PyTorch's format has no place for it`);
  }
  return found;
}

/** The name of the folder in an archive at `path`: its file name without the last ending, as in `torch.save`. */
export function stemOf(path: string | URL): string {
  const file = String(path).replace(/[/\\]+$/, "").split(/[/\\]/).at(-1) ?? "";
  const name = path instanceof URL ? decodeURIComponent(file) : file;
  return name.replace(/(?<=.)\.[^.]*$/, "") || "archive";
}
