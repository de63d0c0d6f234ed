/**
 * Loading, initialising and constructing, as a multiple of what the memory traffic alone takes, and against the peers.
 *
 * @module
 */

import { rmSync } from "node:fs";
import { CHECKPOINT_SIZES, writeCheckpoints } from "./checkpoint_files.ts";
import { constructMatches, initMatches } from "./init_matches.ts";
import { loadMatches } from "./load_matches.ts";
import type { Match } from "./match.ts";
import { Torch } from "./peers/torch.ts";
import { timeInTurns, type TurnOptions } from "./rounds.ts";
import { figure, table } from "./table.ts";

/** Times everything and gives the table. */
export async function workReport(options: TurnOptions): Promise<string> {
  const torch = await Torch.start();
  const rows: (readonly string[])[] = [];
  const add = async (matches: readonly Match[]) => {
    for (const match of matches) rows.push(await row(match, options));
  };
  const folder = Deno.makeTempDirSync({ prefix: "graft-bench-" });
  try {
    for (const size of CHECKPOINT_SIZES) {
      for (const file of writeCheckpoints(size, folder)) await add(await loadMatches(file, torch));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  await add(await initMatches(torch));
  await add(constructMatches(torch));
  await torch?.stop();
  return [
    "The time of ours over that of the floor; then how many times as fast as each peer\n",
    table(["work", "ours", "floor", "ours / floor", "peers"], rows),
  ].join("\n");
}

async function row({ work, floor, ours, peers }: Match, options: TurnOptions): Promise<readonly string[]> {
  const [least, mine, ...others] = await timeInTurns([floor, ours, ...peers], options);
  return [
    work,
    ours.name,
    floor.name.replace("floor: ", ""),
    figure(mine.milliseconds / least.milliseconds, mine.isQuiet && least.isQuiet),
    others.map((peer) =>
      `${figure(peer.milliseconds / mine.milliseconds, mine.isQuiet && peer.isQuiet)} × ${peer.name}`
    ).join(", "),
  ];
}
