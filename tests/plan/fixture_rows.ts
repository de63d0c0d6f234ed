/**
 * Rows for the planner's tests: from the fixtures that PyTorch wrote, and short to write by hand.
 *
 * @module
 */

import { type DType, isDType, isRareDType } from "../../src/dtype.ts";
import type { KeyEditor } from "../../src/plan/keys.ts";
import type { CheckpointRow, CheckpointRows, ModelEntry, ModelRow } from "../../src/plan/rows.ts";
import type { StateDictMetadata } from "../../src/state_dict.ts";

/** A module as `generators/load_state_dict.py` writes it. */
export interface FixtureModel {
  readonly class: string;
  readonly entries?: readonly (readonly [string, "parameter" | "buffer", DType, readonly number[], boolean, number])[];
  readonly children?: readonly (readonly [string, FixtureModel | null])[];
  readonly extraState?: readonly ("get" | "set")[];
  readonly norm?: { readonly track: boolean; readonly instance: boolean };
  readonly weightNorm?: readonly string[];
}

/** One load as PyTorch saw it. */
export interface FixtureCase {
  readonly name: string;
  readonly model: number;
  readonly rows: readonly (readonly [string, string, (readonly number[])?])[];
  readonly metadata?: Readonly<Record<string, number>>;
  readonly options?: { readonly assign?: boolean };
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly strict: string | null;
  readonly lenient?: string | null;
  readonly lenientRepr?: string;
}

/** The model's rows; tensors with one number are one object. */
export function modelOf(fixture: FixtureModel, path = "", identities: Map<number, object> = new Map()): ModelRow {
  const { entries = [], children = [], extraState = [] } = fixture;
  const upgrade = upgradeOf(fixture);
  return {
    path,
    className: fixture.class,
    entries: entries.map(([name, kind, dtype, shape, requiresGrad, number]): ModelEntry => {
      const identity = identities.get(number) ?? {};
      identities.set(number, identity);
      return { name, kind, dtype, shape, requiresGrad, identity };
    }),
    children: children.map(([name, child]) => ({
      name,
      module: child === null ? null : modelOf(child, path === "" ? name : `${path}.${name}`, identities),
    })),
    extraState: { get: extraState.includes("get"), set: extraState.includes("set") },
    ...(upgrade === null ? {} : { upgrade }),
  };
}

/** The checkpoint's rows. */
export function checkpointOf(fixture: Pick<FixtureCase, "rows" | "metadata">): CheckpointRows {
  const { metadata } = fixture;
  return {
    rows: fixture.rows.map(([key, type, shape]) => rowOf(key, { type, shape })),
    metadata: metadata === undefined ? null : metadataOf(metadata),
  };
}

/** One row: a tensor where there is a shape, else a value of the Python type named. */
export function rowOf(
  key: string,
  { type, shape }: { readonly type: string; readonly shape?: readonly number[] },
): CheckpointRow {
  if (shape === undefined) return { key, tensor: null, typeName: type };
  if (!isDType(type) && !isRareDType(type)) throw new TypeError(`Unknown dtype "${type}" in a fixture`);
  return { key, tensor: { dtype: type, shape }, typeName: "Tensor" };
}

/** `_metadata` from versions by path. */
export function metadataOf(versions: Readonly<Record<string, number>>): StateDictMetadata {
  return new Map(Object.entries(versions).map(([path, version]) => [path, new Map([["version", version]])]));
}

/** A tree as nested records: a shape is a float32 parameter, a module is a record, `null` an absent child. */
export interface Tree {
  readonly [name: string]: readonly number[] | Partial<ModelEntry> | Tree | null;
}

/** The rows of a {@linkcode Tree}: what has a `shape` or is a list is an entry, in order; the rest are children. */
export function treeOf(tree: Tree, { path = "", className = "Net" } = {}): ModelRow {
  const entries: ModelEntry[] = [];
  const children: { name: string; module: ModelRow | null }[] = [];
  for (const [name, value] of Object.entries(tree)) {
    if (isShape(value)) entries.push({ ...PARAMETER, name, shape: value, identity: {} });
    else if (isEntry(value)) entries.push({ ...PARAMETER, shape: [], identity: {}, ...value, name });
    else if (value === null) children.push({ name, module: null });
    else children.push({ name, module: treeOf(value, { path: path === "" ? name : `${path}.${name}` }) });
  }
  return { path, className, entries, children, extraState: { get: false, set: false } };
}

/** Rows from shapes by key; what is no list of sizes is the Python type of a value that is no tensor. */
export function rowsOf(
  shapes: Readonly<Record<string, readonly number[] | string>>,
  { dtype = "float32" }: { readonly dtype?: DType } = {},
): CheckpointRows {
  const rows = Object.entries(shapes).map(([key, value]) =>
    typeof value === "string" ? rowOf(key, { type: value }) : rowOf(key, { type: dtype, shape: value })
  );
  return { rows, metadata: null };
}

const PARAMETER = { kind: "parameter", dtype: "float32", requiresGrad: true } as const;

function isShape(value: Tree[string]): value is readonly number[] {
  return Array.isArray(value);
}

function isEntry(value: Tree[string]): value is Partial<ModelEntry> {
  return value !== null && "shape" in value && Array.isArray(value.shape);
}

/** The upgrades of PyTorch's own classes, as the layers of `nn` have them. */
function upgradeOf({ class: className, norm, weightNorm }: FixtureModel): ModelRow["upgrade"] | null {
  if (norm !== undefined) {
    return (keys, prefix, version) => {
      const lines = norm.instance ? dropOldStatistics(keys, { prefix, version, className, track: norm.track }) : [];
      const counter = `${prefix}num_batches_tracked`;
      if ((version === null || version < 2) && norm.track && !keys.has(counter)) keys.keep(counter);
      return lines;
    };
  }
  if (weightNorm !== undefined) {
    return (keys, prefix) => {
      for (const name of weightNorm) {
        const [g, v] = [`${prefix}${name}_g`, `${prefix}${name}_v`];
        if (!keys.has(g) || !keys.has(v)) continue;
        keys.rename(g, `${prefix}parametrizations.${name}.original0`);
        keys.rename(v, `${prefix}parametrizations.${name}.original1`);
      }
    };
  }
  return null;
}

function dropOldStatistics(
  keys: KeyEditor,
  { prefix, version, className, track }: {
    readonly prefix: string;
    readonly version: number | null;
    readonly className: string;
    readonly track: boolean;
  },
): string[] {
  const old = ["running_mean", "running_var"].map((name) => prefix + name).filter((key) => keys.has(key));
  if (version !== null || track || old.length === 0) return [];
  for (const key of old) keys.drop(key);
  return [
    `Unexpected running stats buffer(s) ${old.map((key) => `"${key}"`).join(" and ")} for ${className} with ` +
    "track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, this may be expected because " +
    `${className} does not track running stats by default since 0.4.0. Please remove these keys from state_dict. If ` +
    `the running stats are actually needed, instead set track_running_stats=True in ${className} to enable them. See ` +
    `the documentation of ${className} for details.`,
  ];
}
