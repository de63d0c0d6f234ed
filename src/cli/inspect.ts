/**
 * `graft inspect`: what is in a checkpoint.
 *
 * @module
 */

import { inspectCheckpoint, openCheckpoint } from "../../mod.ts";
import { type Call, type Command, DONE, FILTER, STATE_DICT } from "./command.ts";
import { chosenPath } from "./state_dict_path.ts";
import type { Terminal } from "./terminal.ts";

/** Says what is in a file. */
export const inspect: Command = {
  name: "inspect",
  summary: "what is in a checkpoint: its tensors, and what is odd about them; reads no values",
  files: ["FILE"],
  options: [FILTER, STATE_DICT],
  example: `graft inspect model.pt --filter "*.weight"`,
  needs: ({ files }) => ({ read: files, write: [] }),
  run,
};

async function run(call: Call, terminal: Terminal): Promise<number> {
  const checkpoint = await openCheckpoint(call.files[0]);
  try {
    const stateDictPath = await chosenPath(checkpoint, call.text("state-dict"));
    const inspection = await inspectCheckpoint(checkpoint, { filter: call.text("filter"), stateDictPath });
    terminal.print(call.json ? JSON.stringify(inspection, null, 2) : inspection.text(terminal));
    return DONE;
  } finally {
    await checkpoint.close();
  }
}
