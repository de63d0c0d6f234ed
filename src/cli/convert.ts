/**
 * `graft convert`: a checkpoint as another file.
 *
 * @module
 */

import { convertCheckpoint, type DType, openCheckpoint } from "../../mod.ts";
import { type Call, type Command, DONE, FILTER, STATE_DICT, UsageError } from "./command.ts";
import { withProgress } from "./progress.ts";
import { RENAME_OPTIONS, renameRules } from "./rename_rules.ts";
import { didYouMean, oneOf } from "./spelling.ts";
import { chosenPath } from "./state_dict_path.ts";
import type { Terminal } from "./terminal.ts";

/** The floating-point dtypes that a file may be of. */
const FLOATS: readonly DType[] = [
  "float64",
  "float32",
  "float16",
  "bfloat16",
  "float8_e4m3fn",
  "float8_e5m2",
  "float8_e4m3fnuz",
  "float8_e5m2fnuz",
];

/** What PyTorch's users also call them. */
const OTHER_NAMES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["half", "float16"],
  ["fp16", "float16"],
  ["f16", "float16"],
  ["bf16", "bfloat16"],
  ["float", "float32"],
  ["fp32", "float32"],
  ["f32", "float32"],
  ["double", "float64"],
  ["fp64", "float64"],
  ["f64", "float64"],
]);

/** Writes a file anew. */
export const convert: Command = {
  name: "convert",
  summary:
    "write a checkpoint as .safetensors or .pt, renamed and cast on the way; never holds the whole file in memory",
  files: ["IN", "OUT"],
  options: [
    { name: "dtype", value: "DTYPE", help: "cast floating-point tensors: float16, bfloat16, float32, …" },
    ...RENAME_OPTIONS,
    FILTER,
    STATE_DICT,
    {
      name: "shard-size",
      value: "SIZE",
      help: "several files of at most so many bytes, and an index: 5GB, 500MB, 2GiB",
    },
    { name: "force", help: "replace OUT if it is there" },
  ],
  example: "graft convert model.pt model.safetensors --dtype float16 --strip module.",
  needs(call) {
    const [from, to] = call.files;
    // Shards have names of their own, and those that were there before are looked for.
    const written = call.text("shard-size") === undefined ? [to, `${to}.part`] : [folderOf(to)];
    return { read: [from, ...written], write: written };
  },
  run,
};

async function run(call: Call, terminal: Terminal): Promise<number> {
  const dtype = dtypeOf(call.text("dtype"));
  const rename = renameRules(call);
  const [from, to] = call.files;
  const signal = terminal.interruption();
  const checkpoint = await openCheckpoint(from);
  try {
    const stateDictPath = await chosenPath(checkpoint, call.text("state-dict"));
    const conversion = await withProgress(terminal, "Converting", (onProgress) =>
      convertCheckpoint(checkpoint, to, {
        ...(dtype === undefined ? {} : { dtype }),
        rename,
        filter: call.text("filter"),
        stateDictPath,
        maxShardSize: call.text("shard-size"),
        overwrite: call.has("force"),
        signal,
        onProgress,
      }));
    terminal.print(call.json ? JSON.stringify(conversion, null, 2) : conversion.text(terminal));
    return DONE;
  } finally {
    await checkpoint.close();
  }
}

function folderOf(path: string): string {
  return path.replace(/[^/\\]+$/, "") || ".";
}

function dtypeOf(text: string | undefined): DType | undefined {
  if (text === undefined) return undefined;
  const word = text.replace(/^torch\./, "");
  const dtype = oneOf(word, FLOATS) ?? OTHER_NAMES.get(word);
  if (dtype !== undefined) return dtype;
  const hint = didYouMean(word, [...FLOATS, ...OTHER_NAMES.keys()]) || `; the dtypes are ${FLOATS.join(", ")}`;
  throw new UsageError(`Unknown dtype "${text}"${hint}`);
}
