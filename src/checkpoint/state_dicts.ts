/**
 * Where the state dicts are in what a file holds: the object itself, an entry of a wrapper dictionary, or a whole
 * module whose parameters have to be walked.
 *
 * @module
 */

import { CheckpointError, UnsupportedError } from "../errors.ts";
import { pythonTypeName } from "../python_type.ts";
import { type Inert, type InertObject, isLazyTensor, StateDict, type StateDictMetadata } from "../state_dict.ts";
import { isDict, isObject, isSequence, isSet, OrderedDict } from "./inert.ts";
import { enforce, type Limits } from "./limits.ts";
import { StoredTensor } from "./stored_tensor.ts";

/**
 * What training scripts keep beside the weights. A dict of tensors below such a name is a state dict only if the file
 * has no other: Lightning's callbacks hold scores as tensors, for example.
 */
const BOOKKEEPING =
  /(^|[_-])(optim|optimi[sz]ers?|lr_schedulers?|schedulers?|scaler|callbacks?|loops?|rng|metrics?|hparams)([_-]|$)/i;

/** Names under which wrapper dictionaries keep a state dict. What lies beside it, such as a best score, is no weight. */
const WRAPPED_NAME =
  /state_dict|^(module|params|weights|generator|discriminator|teacher|student)$|^(model|net)|(^|_)(model|ema)$/i;

/** PyTorch's name for what a module saves beside its tensors; its value is the module's own affair. */
const EXTRA_STATE = "_extra_state";

/** Characters of a module's path, beyond which a file is meant to fill memory. */
const MAX_MODULE_PATH = 65_536;

/** How many paths an error lists. */
const SHOWN_PATHS = 20;

/**
 * The way to a value: keys of dicts, attributes and children of objects, positions in lists.
 *
 * @example The path of a file that is a state dict itself
 * ```ts
 * import { openCheckpoint, type StateDictPath } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const checkpoint = await openCheckpoint(new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}"));
 * const paths: readonly StateDictPath[] = checkpoint.stateDictPaths;
 * assertEquals(paths, [[]]);
 * ```
 */
export type StateDictPath = readonly (string | number)[];

/** What is searched. */
export interface Searched {
  /** The object in the file. */
  readonly root: Inert;
  /** The format, for errors. */
  readonly format: string;
  /** What the file may ask for. */
  readonly limits: Limits;
}

/**
 * The paths of the state dicts in a file, in the order of the file. A candidate has string keys and at least one
 * tensor. Where there are several, what is bookkeeping is left out, and so is the wrapper of another.
 */
export function findStateDicts(searched: Searched): readonly StateDictPath[] {
  const candidates = collect(searched);
  if (candidates.length === 0) return contentOf(searched.root) === null ? [] : [[]];
  const weights = candidates.filter((candidate) => !candidate.isBookkeeping);
  const found = weights.length > 0 ? weights : candidates;
  const wrappers = wrappersOf(found);
  const chosen = found.filter((candidate) => !wrappers.has(candidate));
  const steps = chosen.reduce((sum, { depth }) => sum + depth, 0);
  enforce(searched.limits, "entries", { found: steps, what: "the paths of the state dicts" });
  return chosen.map(pathOf);
}

/**
 * The state dict at `path`: a dict with string keys, or the parameters and persistent buffers of a module.
 *
 * @throws {CheckpointError} There is none; the message names those there are.
 */
export function readStateDict(
  searched: Searched,
  path: StateDictPath,
  known: readonly StateDictPath[],
): StateDict<Inert> {
  const value = valueAt(searched, path, known);
  const entries = entriesOf(searched, value);
  if (entries === null) {
    const problem = isDict(value) ? "a dict with keys that are not strings" : `of type ${pythonTypeName(value)}`;
    throw notFound(searched, `${formatPath(path)} is ${problem}`, known);
  }
  entries.forEach((entry, key) => {
    if (entry instanceof StoredTensor && entry.name === "") entry.name = key;
  });
  return new StateDict(entries, metadataOf(value));
}

/**
 * The error where a file has no state dict, or several and none was chosen.
 */
export function undecided(searched: Searched, known: readonly StateDictPath[]): CheckpointError {
  return known.length === 0
    ? notFound(searched, `the file holds a value of type ${pythonTypeName(searched.root)}`, known)
    : notFound(searched, "there are several, and none was chosen", known);
}

function valueAt(searched: Searched, path: StateDictPath, known: readonly StateDictPath[]): Inert {
  let value = searched.root;
  for (const [i, step] of path.entries()) {
    const next = childOf(value, step);
    if (next === undefined) {
      const at = formatPath(path.slice(0, i));
      throw notFound(searched, `${at} (${pythonTypeName(value)}) has no ${JSON.stringify(step)}`, known);
    }
    value = next;
  }
  return value;
}

/** What a state dict of this value has in it; `null` if it cannot be one. */
function entriesOf(searched: Searched, value: Inert): ReadonlyMap<string, Inert> | null {
  return isModule(value) ? moduleEntries(searched, value) : contentOf(value);
}

/** A path as it is passed to `stateDict`: `["model",0]`. */
function formatPath(path: StateDictPath): string {
  return JSON.stringify(path);
}

/** A value on the way of the search; its path is in the chain of parents. */
interface Visit {
  readonly value: Inert;
  readonly step: string | number | null;
  readonly parent: Visit | null;
  readonly depth: number;
  readonly isBookkeeping: boolean;
}

/** Walks everything in the file, each container once and in order, with a stack of its own. */
function collect({ root, limits }: Searched): Visit[] {
  const candidates: Visit[] = [];
  const seen = new Set<Inert>();
  const modules = new Map<Inert, boolean>();
  const ahead: Visit[] = [{ value: root, step: null, parent: null, depth: 0, isBookkeeping: false }];
  for (let visit = ahead.pop(); visit !== undefined; visit = ahead.pop()) {
    if (seen.has(visit.value)) continue;
    seen.add(visit.value);
    enforce(limits, "depth", { found: visit.depth, what: "the object in the file" });
    if (isModule(visit.value)) {
      if (moduleHasTensor(visit.value, { modules, limits, depth: 0 })) candidates.push(visit);
      continue; // what is inside belongs to it
    }
    if (hasTensor(contentOf(visit.value)?.values() ?? [])) candidates.push(visit);
    for (const child of childVisits(visit).reverse()) ahead.push(child);
  }
  return candidates;
}

function childVisits(visit: Visit): Visit[] {
  const { value } = visit;
  const isOptimizer = isDict(value) && value.has("state") && value.has("param_groups");
  const children: Visit[] = [];
  const add = (child: Inert, step: Inert): void => {
    if (isLazyTensor(child) || !isContainer(child) || !isStep(step)) return;
    const name = typeof step === "string" ? step : "";
    if (name.endsWith(EXTRA_STATE)) return;
    const isBookkeeping = visit.isBookkeeping || isOptimizer || BOOKKEEPING.test(name);
    children.push({ value: child, step, parent: visit, depth: visit.depth + 1, isBookkeeping });
  };
  // A dict may have a tensor for every entry: this is its fastest loop.
  if (isDict(value)) value.forEach(add);
  else for (const [step, child] of childrenOf(value)) add(child, step);
  return children;
}

function pathOf(visit: Visit): StateDictPath {
  const path: (string | number)[] = [];
  for (let at: Visit | null = visit; at !== null; at = at.parent) {
    if (at.step !== null) path.push(at.step);
  }
  return path.reverse();
}

/** What holds a candidate under a name for state dicts, and so is a wrapper itself. */
function wrappersOf(candidates: readonly Visit[]): ReadonlySet<Visit> {
  const wrappers = new Set<Visit>();
  const climbed = new Set<Visit>();
  for (const candidate of candidates) {
    for (let at = candidate; at.parent !== null && !climbed.has(at); at = at.parent) {
      climbed.add(at);
      if (typeof at.step === "string" && WRAPPED_NAME.test(at.step)) wrappers.add(at.parent);
    }
  }
  return wrappers;
}

function isContainer(value: Inert): boolean {
  return isDict(value) || isSequence(value) || isObject(value);
}

/** The children that a path can name. */
function* childrenOf(value: Inert): Iterable<readonly [string | number, Inert]> {
  if (isSequence(value)) yield* value.entries();
  else if (isDict(value)) yield* namedEntries(value);
  else if (isObject(value)) {
    for (const attributes of attributesOf(value)) yield* namedEntries(attributes);
    yield* childrenOf(value.items ?? value.args ?? null);
  }
}

function childOf(value: Inert, step: string | number): Inert | undefined {
  if (isModule(value) && typeof step === "string") {
    const child = moduleMaps(value).children.get(step);
    if (child !== undefined) return child;
  }
  if (isDict(value)) return value.get(step);
  for (const [name, child] of childrenOf(value)) if (name === step) return child;
  return undefined;
}

function* namedEntries(dict: ReadonlyMap<Inert, Inert>): Iterable<readonly [string | number, Inert]> {
  for (const [key, value] of dict) {
    if (isStep(key)) yield [key, value];
  }
}

function isStep(key: Inert): key is string | number {
  return typeof key === "string" || typeof key === "number";
}

/** The `__dict__` of an object, and what its `__slots__` held: `BUILD` gets one, or a pair of both. */
function attributesOf({ module, args, state }: InertObject): ReadonlyMap<Inert, Inert>[] {
  // A module that torch.fx traced is made by a function that gets its `__dict__`.
  const found = state ?? (module === "torch.fx.graph_module" ? args?.[0] : undefined) ?? null;
  return (isSequence(found) && found.length === 2 ? found : [found]).filter(isDict);
}

/** The entries of a dict with string keys, also of an object whose class extends `dict`; `null` for other values. */
function contentOf(value: Inert): ReadonlyMap<string, Inert> | null {
  if (isDict(value)) return stringKeyed(value);
  return isObject(value) && value.items instanceof Map ? stringKeyed(value.items) : null;
}

function stringKeyed(dict: ReadonlyMap<Inert, Inert>): ReadonlyMap<string, Inert> | null {
  return hasStringKeys(dict) ? dict : null;
}

function hasStringKeys(dict: ReadonlyMap<Inert, Inert>): dict is ReadonlyMap<string, Inert> {
  for (const key of dict.keys()) if (typeof key !== "string") return false;
  return true;
}

function hasTensor(values: Iterable<Inert>): boolean {
  for (const value of values) if (isLazyTensor(value)) return true;
  return false;
}

interface ModuleMaps {
  readonly parameters: ReadonlyMap<Inert, Inert>;
  readonly buffers: ReadonlyMap<Inert, Inert>;
  readonly children: ReadonlyMap<Inert, Inert>;
  readonly transient: ReadonlySet<Inert>;
}

/** A whole `nn.Module` in a pickle: an object with the three dicts that every module has. */
function isModule(value: Inert): value is InertObject {
  if (!isObject(value)) return false;
  const [attributes] = attributesOf(value);
  return attributes !== undefined && ["_parameters", "_buffers", "_modules"].every((name) => {
    return isDict(attributes.get(name) ?? null);
  });
}

function moduleMaps(module: InertObject): ModuleMaps {
  const [attributes] = attributesOf(module);
  const map = (name: string): ReadonlyMap<Inert, Inert> => {
    const value = attributes.get(name) ?? null;
    return isDict(value) ? value : new Map();
  };
  const transient = attributes.get("_non_persistent_buffers_set") ?? null;
  return {
    parameters: map("_parameters"),
    buffers: map("_buffers"),
    children: map("_modules"),
    transient: isSet(transient) ? transient : new Set(),
  };
}

/** Whether a module or one below it has a tensor; what was found out about each is kept in `modules`. */
function moduleHasTensor(
  module: InertObject,
  search: { readonly modules: Map<Inert, boolean>; readonly limits: Limits; readonly depth: number },
): boolean {
  const known = search.modules.get(module);
  if (known !== undefined) return known;
  enforce(search.limits, "depth", { found: search.depth, what: "a module in the file" });
  search.modules.set(module, false); // for a module that contains itself
  const { parameters, buffers, children } = moduleMaps(module);
  const below = { ...search, depth: search.depth + 1 };
  const found = hasTensor(parameters.values()) || hasTensor(buffers.values()) ||
    [...children.values()].some((child) => isModule(child) && moduleHasTensor(child, below));
  search.modules.set(module, found);
  return found;
}

/** What `state_dict()` of the module would hold: its parameters, its persistent buffers, then its children's. */
function moduleEntries(searched: Searched, module: InertObject): ReadonlyMap<string, Inert> {
  const entries = new Map<string, Inert>();
  walkModule(module, { prefix: "", searched, entries, ancestors: [], visited: { count: 0 } });
  return entries;
}

interface Walk {
  readonly prefix: string;
  readonly searched: Searched;
  readonly entries: Map<string, Inert>;
  readonly ancestors: readonly InertObject[];
  /** How many modules were walked: shared ones count every time, or few of them could make very many. */
  readonly visited: { count: number };
}

function walkModule(module: InertObject, walk: Walk): void {
  const { prefix, entries, visited, ancestors } = walk;
  const { format, limits } = walk.searched;
  if (ancestors.includes(module)) {
    throw new CheckpointError(`Cannot read the module at "${prefix.slice(0, -1)}": it contains itself`, { format });
  }
  enforce(limits, "depth", { found: ancestors.length, what: "a module in the file" });
  enforce(limits, "entries", { found: ++visited.count, what: "a module in the file" });
  const { parameters, buffers, children, transient } = moduleMaps(module);
  for (const [name, value] of parameters) {
    if (typeof name === "string" && value !== null) entries.set(prefix + name, value);
  }
  for (const [name, value] of buffers) {
    if (typeof name === "string" && value !== null && !transient.has(name)) entries.set(prefix + name, value);
  }
  enforce(limits, "entries", { found: entries.size, what: "a module in the file" });
  for (const [name, child] of children) {
    if (typeof name !== "string" || child === null) continue;
    const path = `${prefix}${name}`;
    if (path.length > MAX_MODULE_PATH) {
      throw new CheckpointError("Cannot read a module: its path is too long", { format });
    }
    if (!isModule(child)) throw opaque(path, child);
    walkModule(child, { ...walk, prefix: `${path}.`, ancestors: [...ancestors, module] });
  }
}

/** PyTorch's `_metadata`: an attribute of the dict, or of the object whose class extends `dict`. */
function metadataOf(value: Inert): StateDictMetadata | null {
  const state = value instanceof OrderedDict || isObject(value) ? value.state : undefined;
  const found = state !== undefined && isDict(state) ? state.get("_metadata") : undefined;
  if (found === undefined || !isDict(found)) return null;
  const metadata = new Map<string, ReadonlyMap<string, unknown>>();
  for (const [path, facts] of found) {
    if (typeof path === "string" && isDict(facts) && hasStringKeys(facts)) metadata.set(path, facts);
  }
  return metadata;
}

/** A child whose class does not keep its parameters as modules do: a compiled one, for example. */
function opaque(path: string, child: Inert): UnsupportedError {
  const type = pythonTypeName(child);
  return new UnsupportedError(`Cannot read the module at "${path}": ${type} keeps its parameters elsewhere`, type);
}

/** `["model"] (2 tensors, 24 bytes, float32)`, so that somebody can choose. The bytes of tied names count once. */
function candidateText(searched: Searched, path: StateDictPath): string {
  try {
    const entries = entriesOf(searched, valueAt(searched, path, [])) ?? new Map<string, Inert>();
    const tensors = [...entries.values()].filter((value) => value instanceof StoredTensor);
    const places = new Map(tensors.map(({ storage, dtype, shape, strides, description, byteLength }) => {
      return [JSON.stringify([storage.id, description.storageOffset, dtype, shape, strides]), byteLength];
    }));
    const bytes = [...places.values()].reduce((sum, byteLength) => sum + byteLength, 0);
    const dtypes = new Set(tensors.map(({ dtype }) => dtype));
    const about = [counted(tensors.length, "tensor"), counted(bytes, "byte"), ...(dtypes.size === 1 ? dtypes : [])];
    return `${formatPath(path)} (${about.join(", ")})`;
  } catch {
    return `${formatPath(path)} (cannot be read)`; // why, says whoever asks for it
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function notFound(searched: Searched, problem: string, known: readonly StateDictPath[]): CheckpointError {
  const shown = known.slice(0, SHOWN_PATHS).map((path) => candidateText(searched, path)).join(", ");
  const more = known.length > SHOWN_PATHS ? ` and ${known.length - SHOWN_PATHS} more` : "";
  const list = known.length === 0 ? "the file has none" : `the state dicts in the file are at ${shown}${more}`;
  const { format } = searched;
  return new CheckpointError(`Cannot choose a state dict: ${problem}; ${list}`, { format });
}
