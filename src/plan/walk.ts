/**
 * PyTorch's walk over the modules, on rows: `load` and `_load_from_state_dict` of `torch/nn/modules/module.py`
 * (PyTorch 2.15) step by step, with decisions in place of copies.
 *
 * @module
 */

import { type DType, DTYPES, isDType } from "../dtype.ts";
import type { Mismatch, MismatchAction } from "../outcome.ts";
import { numelOf, sameShape, type Shape } from "../shape.ts";
import type { StateDictMetadata } from "../state_dict.ts";
import { type KeyEntry, type KeyJournal, ModuleKeys } from "./keys.ts";
import { assignLine, notATensorLine, sizeMismatchLine } from "./message.ts";
import type { CheckpointRow, ModelEntry, ModelRow, Problem, ProblemKind, Transfer } from "./rows.ts";
import type { Settings } from "./settings.ts";

const EXTRA_STATE = "_extra_state";

/** A parameter or buffer of the model under one of its names, and what becomes of it. */
export interface WalkedName {
  /** The key in the model. */
  readonly key: string;
  /** The path of its module. */
  readonly modulePath: string;
  /** The parameter or buffer. */
  readonly entry: ModelEntry;
  /**
   * `"absent"`: the checkpoint has no such key. `"kept"`: an upgrade asked for the model's own value. `"taken"`: whole
   * or in part from the checkpoint. `"skipped"`: the shape differs, and the policy lets the model's value stand.
   * `"failed"`: an error.
   */
  readonly fate: Fate;
  /** How many elements come from the checkpoint. */
  readonly elements: number;
}

/** What becomes of a parameter or buffer under one name. */
export type Fate = "absent" | "kept" | "taken" | "skipped" | "failed";

/** What the walk found, in PyTorch's order. */
export interface Walk {
  /** Every parameter and persistent buffer, by every name. */
  readonly names: WalkedName[];
  /** Model keys that are absent; the tied ones are still among them. */
  readonly missing: { readonly key: string; readonly entry: ModelEntry | null }[];
  /** Keys that the model does not have. */
  readonly unexpected: KeyEntry[];
  /** Keys below an absent child. */
  readonly passedOver: KeyEntry[];
  /** What PyTorch raises under every `strict`. */
  readonly errors: Problem[];
  /** Keys with another shape. */
  readonly mismatched: Mismatch[];
  /** What is to be done. */
  readonly transfers: Transfer[];
}

/** What stays the same during the walk. */
interface WalkContext {
  readonly walk: Walk;
  readonly settings: Settings;
  readonly metadata: StateDictMetadata | null;
  readonly journal: KeyJournal;
}

/** Walks the modules from the root, each with the keys below it. */
export function walkModel(
  model: ModelRow,
  { entries, ...rest }: Omit<WalkContext, "walk"> & { readonly entries: readonly KeyEntry[] },
): Walk {
  const walk: Walk = {
    names: [],
    missing: [],
    unexpected: [],
    passedOver: [],
    errors: [],
    mismatched: [],
    transfers: [],
  };
  visit({ walk, ...rest }, { module: model, prefix: "", entries });
  return walk;
}

/** A module on the way: its prefix, and the keys that begin with it. */
interface Stop {
  readonly module: ModelRow;
  readonly prefix: string;
  readonly entries: readonly KeyEntry[];
}

function visit(context: WalkContext, stop: Stop): void {
  const { walk } = context;
  const { module, prefix } = stop;
  const { own, below, strangers } = sortKeys({ ...stop, entries: upgraded(context, stop) });
  for (const entry of module.entries) {
    const key = prefix + entry.name;
    place(context, { key, modulePath: module.path, entry, found: own.get(key) });
  }
  placeExtraState(context, { module, key: prefix + EXTRA_STATE, found: own.get(prefix + EXTRA_STATE) });
  for (const stranger of strangers) walk.unexpected.push(stranger);
  for (const { name, module: child } of module.children) {
    const entries = below.get(name) ?? [];
    if (child !== null) visit(context, { module: child, prefix: `${prefix}${name}.`, entries });
    else for (const entry of entries) walk.passedOver.push(entry);
  }
}

function upgraded({ metadata, journal, walk }: WalkContext, { module, prefix, entries }: Stop): readonly KeyEntry[] {
  if (module.upgrade === undefined) return entries;
  const at = module.path === "" ? module.className : `${module.className} "${module.path}"`;
  const keys = new ModuleKeys(entries, { prefix, rule: `upgrade of ${at}`, journal });
  const version = metadata?.get(prefix.slice(0, -1))?.get("version");
  const lines = module.upgrade(keys, prefix, typeof version === "number" ? version : null);
  for (const message of lines ?? []) walk.errors.push({ kind: "upgrade", message, keys: [] });
  return keys.entries();
}

/** The keys below a module, sorted by what they belong to. */
interface SortedKeys {
  /** Its own entries and extra state, by their keys. */
  readonly own: ReadonlyMap<string, KeyEntry>;
  /** Those of each child, by its name. */
  readonly below: ReadonlyMap<string, readonly KeyEntry[]>;
  /** Neither an entry of the module nor below a child of it, in the state dict's order. */
  readonly strangers: readonly KeyEntry[];
}

/** One pass over the keys, so that a level of the tree costs no more than the keys below it. */
function sortKeys({ module, prefix, entries }: Stop): SortedKeys {
  const own = new Map<string, KeyEntry>();
  const below = new Map<string, KeyEntry[]>();
  const strangers: KeyEntry[] = [];
  for (const { name } of module.children) below.set(name, []);
  const names = new Set<string>([EXTRA_STATE]);
  for (const { name } of module.entries) names.add(name);
  for (const entry of entries) {
    const { key } = entry;
    const dot = key.indexOf(".", prefix.length);
    if (dot >= 0) (below.get(key.slice(prefix.length, dot)) ?? strangers).push(entry);
    else if (names.has(key.slice(prefix.length))) own.set(key, entry);
    else strangers.push(entry);
  }
  return { own, below, strangers };
}

/** One parameter or buffer, and the checkpoint's entry of its name. */
interface Placing {
  readonly key: string;
  readonly modulePath: string;
  readonly entry: ModelEntry;
  readonly found: KeyEntry | undefined;
}

function place(context: WalkContext, placing: Placing): void {
  const { walk } = context;
  const { key, modulePath, entry, found } = placing;
  if (found === undefined) {
    walk.missing.push({ key, entry });
    walk.names.push({ key, modulePath, entry, fate: "absent", elements: 0 });
  } else if (found.row === null) {
    walk.transfers.push({ action: "keep", source: null, key, modulePath, name: entry.name });
    walk.names.push({ key, modulePath, entry, fate: "kept", elements: 0 });
  } else {
    const { fate, elements } = placeValue(context, { key, modulePath, entry, row: found.row });
    walk.names.push({ key, modulePath, entry, fate, elements });
  }
}

/** Decides about a value of the checkpoint, in the order of PyTorch's own checks. */
function placeValue(
  context: WalkContext,
  { key, modulePath, entry, row }: Omit<Placing, "found"> & { readonly row: CheckpointRow },
): Pick<WalkedName, "fate" | "elements"> {
  const { walk, settings } = context;
  const fail = (kind: ProblemKind, message: string) => {
    walk.errors.push({ kind, message, keys: [key] });
    return { fate: "failed", elements: 0 } as const;
  };
  if (row.tensor === null) return fail("not-a-tensor", notATensorLine(key, row.typeName));
  const from = row.tensor;
  const transpose = settings.transpose.matches(key) && from.shape.length >= 2;
  const shape = transpose ? swappedLast(from.shape) : from.shape;
  // Backward compatibility in PyTorch: files from before 0.4 hold scalars as tensors of one dimension.
  const element = entry.shape.length === 0 && shape.length === 1 && shape[0] === 1;
  const whole = element || sameShape(shape, entry.shape);
  const at = { key, checkpointShape: shape, modelShape: entry.shape };
  const action = whole ? null : mismatchAction(settings, at);
  if (action !== null) walk.mismatched.push({ ...at, action });
  if (action === "error") return fail("mismatch", sizeMismatchLine(key, at));
  const region = whole ? entry.shape : entry.shape.map((size, i) => Math.min(size, shape[i]));
  if (action === "skip" || (action === "overlap" && numelOf(region) === 0)) return { fate: "skipped", elements: 0 };
  if (!isDType(from.dtype)) {
    return fail("unsupported", `Cannot load tensor "${key}": dtype ${from.dtype} is listed and not read`);
  }
  const assign = settings.assign && whole;
  if (assign && lacksGradients(entry, from.dtype)) return fail("assign", assignLine(key, entry.shape));
  walk.transfers.push({
    action: element ? "element" : whole ? "copy" : "overlap",
    key,
    modulePath,
    name: entry.name,
    source: row.key,
    kind: entry.kind,
    transpose,
    assign,
    from,
    to: { dtype: assign ? from.dtype : entry.dtype, shape: entry.shape },
    region,
  });
  return { fate: "taken", elements: numelOf(region) };
}

function mismatchAction(settings: Settings, at: Omit<Mismatch, "action">): MismatchAction {
  const wanted = settings.mismatch(at);
  // Where the numbers of dimensions differ there is no common leading region.
  return wanted === "overlap" && at.checkpointShape.length !== at.modelShape.length ? "error" : wanted;
}

function lacksGradients(entry: ModelEntry, dtype: DType): boolean {
  if (entry.kind !== "parameter" || !entry.requiresGrad) return false;
  return DTYPES[dtype].kind === "integer" || DTYPES[dtype].kind === "bool";
}

function placeExtraState(
  { walk }: WalkContext,
  { module, key, found }: { readonly module: ModelRow; readonly key: string; readonly found: KeyEntry | undefined },
): void {
  if (!module.extraState.set) {
    if (found !== undefined) walk.unexpected.push(found);
    return;
  }
  if (found === undefined) walk.missing.push({ key, entry: null });
  else {
    const source = found.row?.key ?? null;
    walk.transfers.push({ action: "extra-state", source, key, modulePath: module.path, name: EXTRA_STATE });
  }
}

function swappedLast(shape: Shape): Shape {
  return [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]];
}
