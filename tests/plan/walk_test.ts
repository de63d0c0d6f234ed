/**
 * The planner against a plain transcription of PyTorch's `load_state_dict`, on random models and checkpoints.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { planRows } from "../../src/plan/plan.ts";
import type { CheckpointRow, CheckpointRows, ModelEntry, ModelRow } from "../../src/plan/rows.ts";
import { sameShape, torchSize } from "../../src/shape.ts";
import { rowOf } from "./fixture_rows.ts";

/** What PyTorch's walk gathers. */
interface Gathered {
  readonly missing: string[];
  readonly unexpected: string[];
  readonly errors: string[];
  readonly copied: string[];
}

/** `Module.load_state_dict` of PyTorch 2.15, line by line: every child filters all keys, as there. */
function transcribedLoad(model: ModelRow, rows: readonly CheckpointRow[], strict: boolean) {
  const gathered: Gathered = { missing: [], unexpected: [], errors: [], copied: [] };
  const load = (module: ModelRow, local: ReadonlyMap<string, CheckpointRow>, prefix: string): void => {
    loadOwn(module, { local, prefix, gathered });
    for (const { name, module: child } of module.children) {
      if (child === null) continue;
      const childPrefix = `${prefix}${name}.`;
      load(child, new Map([...local].filter(([key]) => key.startsWith(childPrefix))), childPrefix);
    }
  };
  load(model, new Map(rows.map((row) => [row.key, row])), "");
  const { missing, unexpected, errors } = gathered;
  const lines = [...errors];
  const quoted = (keys: readonly string[]) => keys.map((key) => `"${key}"`).join(", ");
  if (strict && unexpected.length > 0) lines.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpected)}. `);
  if (strict && missing.length > 0) lines.unshift(`Missing key(s) in state_dict: ${quoted(missing)}. `);
  const text = `Error(s) in loading state_dict for ${model.className}:\n\t${lines.join("\n\t")}`;
  return { ...gathered, text: lines.length === 0 ? null : text };
}

/** `Module._load_from_state_dict`. */
function loadOwn(
  module: ModelRow,
  { local, prefix, gathered }: {
    readonly local: ReadonlyMap<string, CheckpointRow>;
    readonly prefix: string;
    readonly gathered: Gathered;
  },
): void {
  for (const entry of module.entries) {
    const key = prefix + entry.name;
    const row = local.get(key);
    if (row === undefined) gathered.missing.push(key);
    else copyOne(entry, { key, row, gathered });
  }
  const extraState = `${prefix}_extra_state`;
  if (module.extraState.set) {
    if (!local.has(extraState)) gathered.missing.push(extraState);
  } else if (local.has(extraState)) gathered.unexpected.push(extraState);
  for (const key of local.keys()) {
    if (!key.startsWith(prefix) || key === extraState) continue;
    const [head, ...more] = key.slice(prefix.length).split(".");
    const known = more.length > 0
      ? module.children.some(({ name }) => name === head)
      : module.entries.some(({ name }) => name === head);
    if (!known) gathered.unexpected.push(key);
  }
}

function copyOne(
  entry: ModelEntry,
  { key, row, gathered }: { readonly key: string; readonly row: CheckpointRow; readonly gathered: Gathered },
): void {
  if (row.tensor === null) {
    gathered.errors.push(
      `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but ` +
        `received <class '${row.typeName}'>`,
    );
    return;
  }
  let { shape } = row.tensor;
  if (entry.shape.length === 0 && shape.length === 1 && shape[0] === 1) shape = [];
  if (sameShape(shape, entry.shape)) gathered.copied.push(key);
  else {
    gathered.errors.push(
      `size mismatch for ${key}: copying a param with shape ${
        torchSize(shape)
      } from checkpoint, the shape in current ` +
        `model is ${torchSize(entry.shape)}.`,
    );
  }
}

/** A small generator of numbers (xorshift32), so that a failure can be repeated from its seed. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0 || 1;
  }

  below(n: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % n;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}

const NAMES = ["0", "1", "10", "a", "ab", "b", "weight", "bias", "x y", "_extra_state2"];
const SEGMENTS = [...NAMES, "", "_extra_state"];
const SHAPES = [[], [1], [2], [1, 1], [2, 3], [0]];

function randomModule(dice: Dice, { path, depth }: { readonly path: string; readonly depth: number }): ModelRow {
  const entries: ModelEntry[] = [];
  const children: { name: string; module: ModelRow | null }[] = [];
  for (const name of NAMES.filter(() => dice.below(2) === 0)) {
    const kind = dice.pick(["parameter", "buffer", "module", "module", "absent", "nothing"] as const);
    if (kind === "parameter" || kind === "buffer") {
      entries.push({ name, kind, dtype: "float32", shape: dice.pick(SHAPES), requiresGrad: false, identity: {} });
    } else if (kind === "absent") children.push({ name, module: null });
    else if (kind === "module" && depth > 0) {
      children.push({
        name,
        module: randomModule(dice, { path: path === "" ? name : `${path}.${name}`, depth: depth - 1 }),
      });
    }
  }
  const set = dice.below(4) === 0;
  return { path, className: dice.pick(["Net", "Block"]), entries, children, extraState: { get: set, set } };
}

function* keysOf(module: ModelRow, prefix: string): Generator<string> {
  for (const { name } of module.entries) yield prefix + name;
  for (const { name, module: child } of module.children) {
    if (child !== null) yield* keysOf(child, `${prefix}${name}.`);
  }
}

function randomRows(dice: Dice, model: ModelRow): CheckpointRows {
  const own = [...keysOf(model, "")].filter(() => dice.below(5) > 0);
  const strange = Array.from({ length: dice.below(20) }, () => {
    const segments = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(SEGMENTS));
    return segments.join(".");
  });
  const extended = strange.map((key) => own.length > 0 && dice.below(2) === 0 ? `${dice.pick(own)}.${key}` : key);
  const keys = new Set([...own, ...extended].toSorted(() => dice.below(3) - 1));
  const rows = [...keys].map((key) =>
    dice.below(8) === 0 ? rowOf(key, { type: "int" }) : rowOf(key, { type: "float32", shape: dice.pick(SHAPES) })
  );
  return { rows, metadata: null };
}

Deno.test("planRows() decides as a transcription of PyTorch's algorithm on 1,000 random pairs", () => {
  let loaded = 0;
  for (let seed = 0; seed < 1000; seed++) {
    const dice = new Dice(seed);
    const model = randomModule(dice, { path: "", depth: 3 });
    const checkpoint = randomRows(dice, model);
    for (const strict of [true, false]) {
      const expected = transcribedLoad(model, checkpoint.rows, strict);
      const plan = planRows(model, checkpoint, { strict, allowNoMatch: true });
      const copied = plan.transfers.filter(({ action }) => action !== "extra-state").map(({ key }) => key);
      assertEquals(
        { missing: plan.missingKeys, unexpected: plan.unexpectedKeys, text: plan.errorText, copied },
        { missing: expected.missing, unexpected: expected.unexpected, text: expected.text, copied: expected.copied },
        `seed ${seed}`,
      );
      loaded += copied.length;
    }
  }
  // The random pairs are worth something only while much of them matches.
  assertEquals(loaded > 1000, true);
});
