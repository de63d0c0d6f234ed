/**
 * The package as one minified file under Node: what a web application ships. Runs where processes may be started:
 * `deno task ok bundle`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import facts from "../examples/data/add_layer.json" with { type: "json" };

const ignore = Deno.permissions.querySync({ name: "run" }).state !== "granted";

/** A program that knows nothing but the bundle, the checkpoint and PyTorch's facts, which stand beside it. */
const PROGRAM = `
import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import * as graft from "./graft.mjs";

class ModifiedModel extends graft.Module {
  linear1 = new graft.Linear(10, 5);
  linear2 = new graft.Sequential(new graft.Linear(5, 2));
  linear3 = new graft.Linear(2, 1);
  forward(x) {
    return this.linear3.forward(graft.relu(this.linear2.forward(graft.relu(this.linear1.forward(x)))));
  }
}

const [checkpoint, facts] = await Promise.all(["pretrained.pt", "facts.json"].map((file) => readFile(file)));
const { seed, input, output } = JSON.parse(facts);
graft.manualSeed(seed);
const model = new ModifiedModel();
const rename = [{ replace: "linear2", with: "linear2.0" }];
const refused = await graft.loadCheckpoint(model, checkpoint, { rename }).catch((error) => error);
const report = await graft.loadCheckpoint(model, new Blob([checkpoint]), {
  strict: false,
  rename,
  initMissing: graft.init.xavierUniform_,
});
const wide = new graft.Linear(768, 768);
const rows = graft.randn([8, 768]);
const alone = wide.forward(rows).data();
graft.setNumThreads(2);
// The other thread's code is text, which a minifier changed; the process has to end with it running.
const start = performance.now();
let isSame = true;
while (performance.now() - start < 500) isSame &&= wide.forward(rows).data().every((value, i) => value === alone[i]);
console.log(JSON.stringify({
  threads: graft.getNumThreads(),
  isSame,
  model: inspect(model),
  refused: [refused.name, refused instanceof graft.LoadStateDictError, refused.message],
  initialised: report.initialised,
  close: model.forward(graft.tensor(input)).allclose(graft.tensor(output)),
}));
`;

Deno.test({
  name: "a minified bundle loads, computes and speaks under Node as the package does",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const mod = decodeURIComponent(new URL("../mod.ts", import.meta.url).pathname);
      await output(Deno.execPath(), ["bundle", "--quiet", "--minify", "--output", `${folder}/graft.mjs`, mod]);
      await Deno.copyFile(new URL("../examples/data/pretrained.pt", import.meta.url), `${folder}/pretrained.pt`);
      await Deno.writeTextFile(`${folder}/facts.json`, JSON.stringify(facts));
      await Deno.writeTextFile(`${folder}/program.mjs`, PROGRAM);
      assertEquals(JSON.parse(await output("node", ["program.mjs"], folder)), {
        threads: 2,
        isSame: true,
        model: [
          "ModifiedModel(",
          "  (linear1): Linear(in_features=10, out_features=5, bias=True)",
          "  (linear2): Sequential(",
          "    (0): Linear(in_features=5, out_features=2, bias=True)",
          "  )",
          "  (linear3): Linear(in_features=2, out_features=1, bias=True)",
          ")",
        ].join("\n"),
        refused: ["LoadStateDictError", true, facts.strict_error],
        initialised: [{ key: "linear3.weight", by: "xavierUniform_" }, { key: "linear3.bias", by: "zeros_" }],
        close: true,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** What a process prints; one that fails is an error with what it complained about. */
async function output(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], ...(cwd === undefined ? {} : { cwd }), stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
