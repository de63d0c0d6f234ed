/**
 * The modules of a TorchScript archive: attributes as the pickle has them, sorted into parameters, buffers and children by
 * what the archive's code declares. The code is read for these two lists of names, as text; none of it is run.
 *
 * Source: `torch/csrc/jit/serialization/` (`pickler.cpp`, `python_print.cpp`) and archives by torch 2.15.
 *
 * @module
 */

import { isLazyTensor } from "../state_dict.ts";
import type { Inert, InertObject } from "../state_dict.ts";
import { isDict, isObject } from "./inert.ts";
import { enforce, type Limits } from "./limits.ts";

/** What every class of an archive is in. */
const ROOT_PACKAGE = "__torch__";

/** The records of an archive. */
export interface ScriptRecords {
  /** Whether there is a record. */
  has(record: string): boolean;
  /** A whole record, once `allow` has seen its size. */
  read(record: string, allow: (size: number) => void): Promise<Uint8Array>;
}

/** What the code of a module's class declares. */
interface Declaration {
  readonly parameters: readonly string[];
  /** `null` where the code is from a version that did not list them. */
  readonly buffers: readonly string[] | null;
}

/**
 * The pickled module with the three dicts that a module of Python's has, so that a state dict is found in it the same
 * way: `_parameters`, `_buffers` and `_modules`.
 *
 * @throws {LimitError} The code is longer, or the modules are nested deeper, than the limits allow.
 */
export async function scriptModule(root: Inert, records: ScriptRecords, limits: Limits): Promise<Inert> {
  const classes = new Map<string, InertObject>();
  collectClasses(root, { classes, limits, seen: new Set(), depth: 0 });
  const declarations = await readDeclarations(classes.values(), records, limits);
  return sorted(root, { declarations, made: new Map() });
}

/** The objects of classes below a value, one of each class. */
function collectClasses(
  value: Inert,
  walk: {
    readonly classes: Map<string, InertObject>;
    readonly limits: Limits;
    readonly seen: Set<Inert>;
    readonly depth: number;
  },
): void {
  const attributes = attributesOf(value);
  if (attributes === null || walk.seen.has(value)) return;
  enforce(walk.limits, "depth", { found: walk.depth, what: "a module in the archive" });
  walk.seen.add(value);
  if (isObject(value)) walk.classes.set(className(value), value);
  for (const attribute of attributes.values()) collectClasses(attribute, { ...walk, depth: walk.depth + 1 });
}

async function readDeclarations(
  objects: Iterable<InertObject>,
  records: ScriptRecords,
  limits: Limits,
): Promise<ReadonlyMap<string, Declaration>> {
  const declarations = new Map<string, Declaration>();
  let length = 0;
  for (const path of new Set([...objects].map(({ module }) => `code/${module.replaceAll(".", "/")}.py`))) {
    if (!records.has(path)) continue;
    const code = await records.read(path, (size) => {
      length += size;
      enforce(limits, "metadataBytes", { found: length, what: "the code of the archive" });
    });
    const module = path.slice("code/".length, -".py".length).replaceAll("/", ".");
    for (const [name, declaration] of declarationsIn(new TextDecoder().decode(code))) {
      declarations.set(`${module}.${name}`, declaration);
    }
  }
  return declarations;
}

/** The lists at the beginning of each class that is a module; a class that is none has no base. */
function declarationsIn(code: string): [name: string, declaration: Declaration][] {
  const found: [string, Declaration][] = [];
  let name: string | null = null;
  let lists = new Map<string, readonly string[]>();
  const close = () => {
    if (name === null) return;
    found.push([name, { parameters: lists.get("parameters") ?? [], buffers: lists.get("buffers") ?? null }]);
  };
  for (const line of code.split("\n")) {
    const head = /^class (\w+)(\(Module\))?:$/.exec(line);
    if (head !== null) {
      close();
      name = head[2] === undefined ? null : head[1];
      lists = new Map();
      continue;
    }
    const list = /^ {2}__(parameters|buffers)__ = \[(.*)\]$/.exec(line);
    if (list !== null) lists.set(list[1], [...list[2].matchAll(/"([^"\\]*)"/g)].map(([, text]) => text));
  }
  close();
  return found;
}

/** The same object with its attributes sorted, and so everything below it. What is shared stays shared. */
function sorted(
  value: Inert,
  about: { readonly declarations: ReadonlyMap<string, Declaration>; readonly made: Map<Inert, InertObject> },
): Inert {
  const attributes = attributesOf(value);
  if (attributes === null || !isObject(value)) return value;
  const known = about.made.get(value);
  if (known !== undefined) return known;
  const declared = about.declarations.get(className(value)) ?? { parameters: [], buffers: null };
  const state = new Map<Inert, Inert>();
  const { module, name, args } = value;
  const made: InertObject = { module, name, args, state };
  about.made.set(value, made); // before what is below it, which may lead back here
  const [parameters, buffers, children] = [1, 2, 3].map(() => new Map<Inert, Inert>());
  for (const [key, attribute] of attributes) {
    if (typeof key === "string" && declared.parameters.includes(key)) parameters.set(key, attribute);
    else if (isBuffer(key, attribute, declared)) buffers.set(key, attribute);
    else if (attributesOf(attribute) !== null) children.set(key, sorted(attribute, about));
    else state.set(key, attribute);
  }
  state.set("_parameters", parameters).set("_buffers", buffers).set("_modules", children);
  return made;
}

function isBuffer(key: Inert, value: Inert, { buffers }: Declaration): boolean {
  if (buffers === null) return isLazyTensor(value);
  return typeof key === "string" && buffers.includes(key);
}

/** The attributes of an object of one of the archive's classes; `null` for anything else. */
function attributesOf(value: Inert): ReadonlyMap<Inert, Inert> | null {
  if (!isObject(value) || !`${value.module}.`.startsWith(`${ROOT_PACKAGE}.`)) return null;
  return value.state !== undefined && isDict(value.state) ? value.state : null;
}

function className({ module, name }: InertObject): string {
  return `${module}.${name}`;
}
