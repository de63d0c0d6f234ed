/**
 * A checkpoint in several files with an index in JSON, as Hugging Face's libraries write them:
 * `model.safetensors.index.json` and `pytorch_model.bin.index.json`. The index says for each tensor which file has it.
 *
 * Source: `save_pretrained` and `get_checkpoint_shard_files` of github.com/huggingface/transformers.
 *
 * @module
 */

import type { Folder } from "../bytes/folder.ts";
import { inGroups } from "../bytes/groups.ts";
import { type OpenSource, readExactly } from "../bytes/source.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { Inert } from "../state_dict.ts";
import { isDict, OrderedDict } from "./inert.ts";
import { type Json, parseJson } from "./json.ts";
import { enforce, type Limits } from "./limits.ts";
import {
  adopt,
  type FileContent,
  FILES_AT_ONCE,
  type FilesContent,
  inFile,
  openFiles,
  type Whole,
} from "./several_files.ts";

/** The formats whose files an index may name, and what the whole is then called. */
const WHOLE_FORMATS: ReadonlyMap<string, "safetensors-sharded" | "torch-sharded"> = new Map([
  ["safetensors", "safetensors-sharded"],
  ["torch-zip", "torch-sharded"],
  ["torch-legacy", "torch-sharded"],
  ["torch-tar", "torch-sharded"],
]);

/** What is around an index. */
export interface ShardedOptions {
  /** The folder it is in; `null` where only its bytes are known. */
  readonly folder: Folder | null;
  /** What it may ask for. */
  readonly limits: Limits;
  /** Reads a file by whatever format it has; an index in an index is refused by the caller. */
  readonly readShard: (source: OpenSource) => Promise<FileContent>;
}

/** What the text of an index says. */
interface Index {
  readonly name: string;
  /** Tensor to file, in the order of the text. */
  readonly weightMap: ReadonlyMap<string, string>;
  readonly metadata: ReadonlyMap<string, string>;
  /** What the names of the files promise, for errors before one is open. */
  readonly format: "safetensors-sharded" | "torch-sharded";
}

interface Shard {
  readonly file: string;
  readonly content: FileContent;
  readonly entries: ReadonlyMap<Inert, Inert>;
}

/**
 * Reads the index and the header of every file it names; no tensor data is touched.
 *
 * The state dict has the tensors in the order of the index. What a file holds beside them comes after those: the
 * libraries that write such checkpoints load it too. A name that is in two files is refused, whatever the index says.
 *
 * @throws {CheckpointError} The index is malformed, a file is missing or damaged, or is without a tensor that the index
 * says it has.
 * @throws {UnsupportedError} Its folder is not known.
 */
export async function readSharded(source: OpenSource, options: ShardedOptions): Promise<FilesContent> {
  const { folder, limits, readShard } = options;
  const index = await readIndex(source, limits);
  if (folder === null) {
    const problem = "it is the index of a checkpoint in several files, which cannot be found from its bytes alone";
    throw new UnsupportedError(`Cannot read "${index.name}": ${problem}; open it by its path`, index.format);
  }
  const whole: Whole = { folder, format: index.format, index: index.name, limits };
  const { files, close } = await openFiles(index.weightMap.values(), whole);
  try {
    const shards = await inGroups([...files], {
      size: FILES_AT_ONCE,
      work: ([file, opened]) => attemptShard(file, opened),
    });
    return { ...join(index, shards, limits), close };
  } catch (error) {
    await close();
    throw error;
  }

  async function attemptShard(file: string, opened: OpenSource): Promise<Shard> {
    try {
      const content = await readShard(opened);
      if (isDict(content.root)) return { file, content, entries: content.root };
    } catch (error) {
      throw inFile(error, file, whole);
    }
    throw wrong(index, `its file "${file}" holds no dict of tensors`, { entry: file });
  }
}

async function readIndex(source: OpenSource, limits: Limits): Promise<Index> {
  const { name } = source;
  enforce(limits, "headerBytes", { found: source.size, what: `the index "${name}"` });
  const bytes = await readExactly(source, { offset: 0, length: source.size, what: "the index" });
  const content = parseIndex(name, bytes);
  const rows = isObject(content) ? content.get("weight_map") : undefined;
  if (!isObject(rows)) throw wrong({ name, format: "safetensors-sharded" }, "it has no weight_map");
  enforce(limits, "entries", { found: rows.size, what: `the index "${name}"` });
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of rows) {
    if (typeof file !== "string") {
      const problem = `tensor "${tensor}" is in a file that has no name`;
      throw wrong({ name, format: "safetensors-sharded" }, problem, { entry: tensor });
    }
    weightMap.set(tensor, file);
  }
  const isSafetensors = [...weightMap.values()].every((file) => file.endsWith(".safetensors"));
  const metadata = isObject(content) ? textsOf(content.get("metadata")) : new Map<string, string>();
  return { name, weightMap, metadata, format: isSafetensors ? "safetensors-sharded" : "torch-sharded" };
}

function parseIndex(name: string, bytes: Uint8Array): Json {
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? `it is not JSON: ${cause.message}` : "it is not UTF-8";
    throw wrong({ name, format: "safetensors-sharded" }, reason, { cause });
  }
}

/** `metadata` of an index: `total_size`, and whatever else its writer put there. */
function textsOf(value: Json | undefined): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  if (!isObject(value)) return texts;
  for (const [name, item] of value) texts.set(name, typeof item === "string" ? item : formatJson(item));
  return texts;
}

function formatJson(value: Json): string {
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isObject(value)) {
    return `{${[...value].map(([name, item]) => `${JSON.stringify(name)}:${formatJson(item)}`).join(",")}}`;
  }
  return `[${value.map((item) => formatJson(item)).join(",")}]`;
}

function join(index: Index, shards: readonly Shard[], limits: Limits): FileContent {
  const format = formatOf(index, shards);
  const owners = new Map<Inert, Shard>();
  for (const shard of shards) {
    for (const name of shard.entries.keys()) {
      const other = owners.get(name);
      if (other !== undefined) {
        const entry = String(name);
        throw wrong(index, `tensor "${entry}" is in "${other.file}" and in "${shard.file}"`, { entry });
      }
      owners.set(name, shard);
    }
  }
  enforce(limits, "entries", { found: owners.size, what: `the files of "${index.name}"` });
  const root = new OrderedDict();
  for (const [name, file] of index.weightMap) {
    const shard = owners.get(name);
    if (shard === undefined || shard.file !== file) {
      throw wrong(index, `tensor "${name}" is not in "${file}"`, { entry: name });
    }
    root.set(name, shard.entries.get(name) ?? null);
  }
  for (const [name, shard] of owners) if (!root.has(name)) root.set(name, shard.entries.get(name) ?? null);
  for (const { file, content } of shards) adopt(content, `${file}/`);
  const versions = joinVersions(shards);
  if (versions.size > 0) root.state = new Map([["_metadata", versions]]);
  return { format, root, metadata: index.metadata };
}

/** PyTorch's `_metadata`, which every file may have for its own part; the first to speak of a module is believed. */
function joinVersions(shards: readonly Shard[]): ReadonlyMap<Inert, Inert> {
  const versions = new OrderedDict();
  for (const { entries } of shards) {
    const state = entries instanceof OrderedDict ? entries.state ?? null : null;
    const own = isDict(state) ? state.get("_metadata") ?? null : null;
    if (!isDict(own)) continue;
    for (const [module, facts] of own) if (!versions.has(module)) versions.set(module, facts);
  }
  return versions;
}

function formatOf(index: Index, shards: readonly Shard[]): "safetensors-sharded" | "torch-sharded" {
  let format: "safetensors-sharded" | "torch-sharded" | undefined;
  for (const { file, content } of shards) {
    const found = WHOLE_FORMATS.get(content.format);
    if (found === undefined) throw wrong(index, `its file "${file}" is ${content.format}`, { entry: file });
    if (format !== undefined && format !== found) {
      const [first] = shards;
      const problem = `"${first.file}" is ${first.content.format} and "${file}" is ${content.format}`;
      throw wrong(index, problem, { entry: file });
    }
    format = found;
  }
  return format ?? index.format;
}

function isObject(value: Json | undefined): value is ReadonlyMap<string, Json> {
  return value instanceof Map;
}

function wrong(
  { name, format }: Pick<Index, "name" | "format">,
  problem: string,
  about: { readonly entry?: string; readonly cause?: unknown } = {},
): CheckpointError {
  return new CheckpointError(`Cannot read "${name}": ${problem}`, { format, ...about });
}
