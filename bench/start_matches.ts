/**
 * What starting costs a program: each is a process of its own.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Contestant } from "./contestant.ts";
import type { Match } from "./match.ts";
import { onnxruntime } from "./peers/onnxruntime.ts";
import { tfjs } from "./peers/tfjs.ts";
import { run } from "./process.ts";

/** The library. */
const GRAFT = urlOf("../mod.ts");

/** The peers' configuration, which names their packages. */
const CONFIG = fileURLToPath(new URL("peers/deno.json", import.meta.url));

/** What a program may do without being asked: nothing, but for a peer, which reads its modules. */
const OURS = ["--no-config", "--no-prompt"];
const THEIRS = ["--config", CONFIG, "-A"];

/** The least program. */
const EMPTY = "export {};\n";

/** Only the import. */
const IMPORT = `import ${GRAFT};\n`;

/** The example: a model of three layers, and its first answer. */
const FORWARD = `
import { Linear, Module, ones, relu } from ${GRAFT};
class Model extends Module {
  linear1 = new Linear(10, 5);
  linear2 = new Linear(5, 2);
  linear3 = new Linear(2, 1);
  forward(x) {
    return this.linear3.forward(relu(this.linear2.forward(relu(this.linear1.forward(x)))));
  }
}
new Model().forward(ones([1, 10])).item();
`;

/** The peers' programs, by the file that starts one and its export. */
const PEERS = [
  { peer: onnxruntime, file: "peers/onnxruntime.ts", name: "onnxruntime" },
  { peer: tfjs, file: "peers/tfjs.ts", name: "tfjs" },
] as const;

/** Importing alone, and up to the first answer, beside a program that does nothing; programs go into a folder. */
export async function startMatches(folder: string): Promise<readonly Match[]> {
  const program = (name: string, text: string, flags = OURS): Contestant => {
    const path = join(folder, `${name.replaceAll(/\W+/g, "_")}.js`);
    writeFileSync(path, text);
    const args = ["run", "--quiet", ...flags, path];
    return { name, isAsync: true, isElsewhere: true, run: () => run(Deno.execPath(), args) };
  };
  const peers: Contestant[] = [];
  for (const { peer, file, name } of PEERS) {
    if (await peer.start() !== null) peers.push(program(peer.name, peerProgram(file, name), THEIRS));
  }
  const floor = program("floor: empty program", EMPTY);
  return [
    { work: "import", floor, ours: program("import", IMPORT), peers: [] },
    { work: "import, construct, first forward", floor, ours: program("first forward", FORWARD), peers },
  ];
}

/** One layer, which is less than the example. */
function peerProgram(file: string, name: string): string {
  return `
import { ${name} } from ${urlOf(file)};
import { linearProblem } from ${urlOf("linear_problem.ts")};
const peer = await ${name}.start();
const layer = await peer.prepare(linearProblem({ m: 1, k: 10, n: 5, isCached: true }));
await layer.result();
Deno.exit();
`;
}

function urlOf(file: string): string {
  return JSON.stringify(new URL(file, import.meta.url).href);
}
