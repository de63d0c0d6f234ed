/**
 * `deno run bench/plan_scale.ts [rounds]`: what planning costs as models grow. One layer of every block has another name
 * in the checkpoint, so that a plan has missing and unexpected keys by the thousand, and proposes the rule that fixes it.
 *
 * @module
 */

import { Linear, type LoadPlan, Module, ModuleList, planLoad, StateDict, type Tensor } from "../mod.ts";
import { median } from "./rounds.ts";
import { table } from "./table.ts";

/** Keys of the model and of the checkpoint. */
const SIZES: readonly number[] = [1_000, 10_000, 100_000];

/** Plans of each size; the median counts. */
const ROUNDS = 5;

/** What the largest plan may take, in milliseconds. */
const BAR = 2000;

/** Five layers of a weight and a bias. */
class Block extends Module {
  query = new Linear(4, 4);
  key = new Linear(4, 4);
  value = new Linear(4, 4);
  attention_output = new Linear(4, 4);
  feed_forward = new Linear(4, 8);
  override forward(): never {
    throw new Error("This model is planned with, not run");
  }
}

/** Keys that a block has. */
const BLOCK_KEYS = 10;

class Model extends Module {
  layers: ModuleList<Block>;
  constructor(keys: number) {
    super();
    this.layers = new ModuleList(Array.from({ length: keys / BLOCK_KEYS }, () => new Block()));
  }
  override forward(): never {
    throw new Error("This model is planned with, not run");
  }
}

/** One size, with what it took. */
interface Measured {
  readonly keys: number;
  readonly milliseconds: number;
}

if (import.meta.main) main(Number(Deno.args[0] ?? ROUNDS));

function main(rounds: number): void {
  const measured = SIZES.map((keys) => measure(keys, rounds));
  const rows = measured.map(({ keys, milliseconds }, i) => {
    const before = measured.at(i - 1);
    const growth = i === 0 || before === undefined ? "" : (milliseconds / before.milliseconds).toFixed(1);
    return [String(keys), milliseconds.toFixed(1), (1000 * milliseconds / keys).toFixed(2), growth];
  });
  console.log(table(["keys", "ms", "µs a key", "times the row before"], rows));
  const { keys, milliseconds } = measured[measured.length - 1];
  console.log(
    `\n${keys} keys in ${(milliseconds / 1000).toFixed(2)} s: ${milliseconds < BAR ? "below" : "NOT below"} ${
      BAR / 1000
    } s.`,
  );
}

function measure(keys: number, rounds: number): Measured {
  const model = new Model(keys);
  const checkpoint = new StateDict<Tensor>(
    [...model.stateDict()].map(([key, value]) => [key.replace("attention_output", "out_proj"), value]),
  );
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const plan = planLoad(model, checkpoint);
    check(plan, keys);
    plan.toString();
    times.push(performance.now() - started);
  }
  return { keys, milliseconds: median(times) };
}

/** The plan says what is the matter, and how it is put right. */
function check({ ok, missingKeys, suggestions }: LoadPlan, keys: number): void {
  const isRight = !ok && missingKeys.length === keys / (BLOCK_KEYS / 2) &&
    suggestions.some(({ option }) => option.includes("out_proj") && option.includes("attention_output"));
  if (!isRight) throw new Error("The plan does not propose the rule");
}
