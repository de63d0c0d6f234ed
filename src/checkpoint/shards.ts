/**
 * Which tensor goes into which file of a checkpoint in several files, what those files are called, and the index that
 * says so, as Hugging Face's libraries have it.
 *
 * Source: `split_state_dict_into_shards_factory` and `save_torch_state_dict` of github.com/huggingface/huggingface_hub.
 *
 * @module
 */

/** Digits of a shard's number and of how many there are. */
const DIGITS = 5;

/** What an index is called: this behind the name of the one file that it stands for. */
const INDEX_SUFFIX = ".index.json";

/** What is not divided: a tensor, or those that share a storage. */
export interface Portion {
  /** The names of its tensors. */
  readonly keys: readonly string[];
  /** The bytes that it takes. */
  readonly byteLength: number;
}

/** What an index says. */
export interface IndexContent {
  /** The file of each tensor, in the order of the state dict. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** The bytes of all tensors. */
  readonly totalSize: number;
  /** Texts beside it. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Divides portions among shards of at most `most` bytes of tensors each, in their order and without going back: a shard
 * is closed by the first that does not fit. What alone is larger than `most` has a shard of its own, and the one that was
 * being filled goes on behind it. Nothing gives one shard, without anything.
 */
export function intoShards<P extends Portion>(portions: Iterable<P>, most: number): readonly (readonly P[])[] {
  const shards: P[][] = [];
  let filling: P[] = [];
  let filled = 0;
  for (const portion of portions) {
    const { byteLength } = portion;
    if (byteLength > most) {
      shards.push([portion]);
      continue;
    }
    if (filled + byteLength > most) {
      shards.push(filling);
      filling = [];
      filled = 0;
    }
    filling.push(portion);
    filled += byteLength;
  }
  if (filling.length > 0 || shards.length === 0) shards.push(filling);
  return shards;
}

/** What the shards of `model.safetensors` are called: `model-00001-of-00003.safetensors` and so on; one has its name. */
export function shardNames(file: string, count: number): readonly string[] {
  if (count === 1) return [file];
  const { stem, ending } = split(file);
  const digits = (number: number) => String(number).padStart(DIGITS, "0");
  return Array.from({ length: count }, (_, i) => `${stem}-${digits(i + 1)}-of-${digits(count)}${ending}`);
}

/** What the index of the shards of `model.safetensors` is called: `model.safetensors.index.json`. */
export function indexName(file: string): string {
  return file + INDEX_SUFFIX;
}

/** Whether `name` is the checkpoint `file`, one of its shards, however many there are, or its index. */
export function isPartOf(file: string, name: string): boolean {
  if (name === file || name === indexName(file)) return true;
  const { stem, ending } = split(file);
  const isFramed = name.startsWith(`${stem}-`) && name.endsWith(ending);
  return isFramed && /^\d{5,}-of-\d{5,}$/.test(name.slice(stem.length + 1, name.length - ending.length));
}

/** The text of an index: JSON with an indent of two, as Python writes it, its keys in their own order. */
export function indexText({ weightMap, totalSize, metadata }: IndexContent): string {
  const facts = [...metadata].filter(([name]) => name !== "total_size").map(row);
  return [
    "{",
    '  "metadata": {',
    [`    "total_size": ${totalSize}`, ...facts].join(",\n"),
    "  },",
    '  "weight_map": {',
    [...weightMap].map(row).join(",\n"),
    "  }",
    "}",
    "",
  ].join("\n");
}

// By hand: an object would sort names that are numbers to its front.
function row([name, value]: readonly [string, string]): string {
  return `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`;
}

function split(file: string): { readonly stem: string; readonly ending: string } {
  const [ending] = /(?<=.)\.[^.]*$/.exec(file) ?? [""];
  return { stem: file.slice(0, file.length - ending.length), ending };
}
