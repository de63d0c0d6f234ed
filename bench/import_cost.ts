/**
 * `deno run --allow-run -R -W bench/import_cost.ts [runs]`: what importing Graft costs a program, in milliseconds over an
 * empty one.
 *
 * Each program is a process of its own; they take turns, and the median counts. The first turn is not counted: it fills
 * the compiler's caches, as a user's first run does.
 *
 * @module
 */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "./rounds.ts";
import { table } from "./table.ts";

/** Turns, unless told otherwise. */
const RUNS = 21;

/** What the import may cost. */
const BAR = 15;

/** The library. */
const GRAFT = JSON.stringify(new URL("../mod.ts", import.meta.url).href);

/** The programs; the first is what the others are compared with. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "empty": "export {};\n",
  "import": `import ${GRAFT};\n`,
  "import, construct a model": `import { Linear } from ${GRAFT};\nnew Linear(10, 5);\n`,
  "import, construct, run":
    `import { Linear, ones } from ${GRAFT};\nnew Linear(10, 5).forward(ones([1, 10])).data();\n`,
};

/** Ways to run one; neither reads a configuration, which is not the library's cost. */
const FLAGS: readonly (readonly string[])[] = [[], ["--no-check", "--cached-only"]];

if (import.meta.main) await main(Number(Deno.args[0] ?? RUNS));

async function main(runs: number): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "graft-import-" });
  try {
    const trials = FLAGS.flatMap((flags) =>
      Object.keys(PROGRAMS).map((name) => ({ flags, name, times: new Array<number>() }))
    );
    for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(pathOf(folder, name), text);
    for (let turn = 0; turn <= runs; turn++) {
      for (const { flags, name, times } of trials) {
        const taken = await run([...flags, pathOf(folder, name)]);
        if (turn > 0) times.push(taken);
      }
    }
    const rows = trials.map(({ flags, name, times }) => {
      const empty = trials.filter((other) => other.flags === flags)[0].times;
      const over = (value: (times: readonly number[]) => number) => (value(times) - value(empty)).toFixed(1);
      return [name, ["deno run", ...flags].join(" "), over(median), over((values) => Math.min(...values))];
    });
    console.log(table(["program", "command", "median ms over empty", "least ms over empty"], rows));
    const worst = Math.max(...rows.filter(([name]) => name === "import").map((row) => Number(row[2])));
    console.log(
      `\nImporting costs ${worst} ms over an empty program: ${worst < BAR ? "below" : "NOT below"} ${BAR} ms.`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(args: readonly string[]): Promise<number> {
  const started = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-prompt", "--quiet", ...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  const taken = performance.now() - started;
  if (!success) throw new Error(`A program did not run: ${new TextDecoder().decode(stderr)}`);
  return taken;
}

function pathOf(folder: string, name: string): string {
  return join(folder, `${name.replaceAll(/\W+/g, "_")}.ts`);
}
