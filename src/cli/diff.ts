/**
 * `graft diff`: what is different between two checkpoints.
 *
 * @module
 */

import { compareCheckpoints, openCheckpoint } from "../../mod.ts";
import { type Call, type Command, DONE, FILTER, REFUSED, STATE_DICT, UsageError } from "./command.ts";
import { withProgress } from "./progress.ts";
import { RENAME_OPTIONS, renameRules } from "./rename_rules.ts";
import { chosenPath } from "./state_dict_path.ts";
import type { Terminal } from "./terminal.ts";

/** Compares two files. */
export const diff: Command = {
  name: "diff",
  summary: "what is different between two checkpoints, of whatever formats: keys, shapes, dtypes, values",
  files: ["A", "B"],
  options: [
    { name: "values", help: "read the tensors too: how many elements differ, and the largest difference" },
    ...RENAME_OPTIONS,
    FILTER,
    { ...STATE_DICT, many: true, help: `${STATE_DICT.help}; given twice: that of A, that of B` },
  ],
  example: "graft diff before.pt after.safetensors --values",
  needs: ({ files }) => ({ read: files, write: [] }),
  run,
};

async function run(call: Call, terminal: Terminal): Promise<number> {
  const paths = call.texts("state-dict");
  if (paths.length > 2) throw new UsageError("--state-dict is given more than twice: there are two files");
  const a = await openCheckpoint(call.files[0]);
  try {
    const b = await openCheckpoint(call.files[1]);
    try {
      const stateDictPath = { a: await chosenPath(a, paths[0]), b: await chosenPath(b, paths.at(-1)) };
      const [nameA, nameB] = call.files;
      const comparison = await withProgress(terminal, "Comparing", (onProgress) =>
        compareCheckpoints(a, b, {
          rename: renameRules(call),
          filter: call.text("filter"),
          values: call.has("values"),
          names: { a: nameA, b: nameB },
          stateDictPath,
          onProgress,
        }));
      terminal.print(call.json ? JSON.stringify(comparison, null, 2) : comparison.text(terminal));
      if (!call.json && comparison.equal && comparison.values === null) {
        terminal.print("To compare them too, add --values");
      }
      return comparison.equal ? DONE : REFUSED;
    } finally {
      await b.close();
    }
  } finally {
    await a.close();
  }
}
