/**
 * The base of every model and layer: a tree of modules with parameters and buffers in it.
 *
 * @module
 */

import type { DType } from "../dtype.ts";
import { StateDict } from "../state_dict.ts";
import { brandOf, MODULE_BRAND, VERSION } from "../version.ts";
import type { KeyEditor } from "../plan/keys.ts";
import type { LoadOptions } from "../plan/options.ts";
import type { LoadReport } from "../plan/report.ts";
import { isComplex, isFloat } from "../tensor/promotion.ts";
import { convertInPlace } from "../tensor/tensor.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { refuseCycle } from "./cycle.ts";
import { loadInMemory } from "./loading.ts";
import { Buffer, Parameter } from "./parameter.ts";
import type { BufferOptions } from "./parameter.ts";
import { moduleRepr } from "./repr.ts";
import { saveState } from "./saving.ts";

/** Names that JavaScript would move to the front of an object. */
const INTEGER_NAME = /^(0|[1-9][0-9]*)$/;

/** What a module registers under a name. `null` is a place kept for a module that is absent. */
export type Registered = Parameter | Buffer | Module | null;

/** How names are collected. */
export interface NamedOptions {
  /** What stands before every name; none by default. */
  readonly prefix?: string;
  /** Whether children are visited too. `true` by default. */
  readonly recurse?: boolean;
  /** Whether an object with two names comes once, under the first. `true` by default. */
  readonly removeDuplicate?: boolean;
}

/**
 * A model, or a layer of one. A subclass says what it has by its fields, and what it does in `forward`.
 *
 * Every own field that holds a {@linkcode Module}, a {@linkcode Parameter} or a {@linkcode Buffer} is registered, in the
 * order of the fields, and the field's name is its part of the state-dict key. A field that holds `null` registers
 * nothing. A list of modules must be a `ModuleList` (or `ModuleDict`, `Sequential`): a plain array, Map, Set or object
 * that holds modules or parameters is an error, because PyTorch's silence there loses weights. `#private` fields cannot
 * be seen: what they hold is not registered.
 *
 * @example A model and its keys
 * ```ts
 * import { Linear, Module, relu, type Tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * class Model extends Module {
 *   linear1 = new Linear(10, 5);
 *   linear2 = new Linear(5, 2);
 *   override forward(x: Tensor): Tensor {
 *     return this.linear2.forward(relu(this.linear1.forward(x)));
 *   }
 * }
 *
 * assertEquals([...new Model().stateDict().keys()], [
 *   "linear1.weight",
 *   "linear1.bias",
 *   "linear2.weight",
 *   "linear2.bias",
 * ]);
 * ```
 */
export abstract class Module {
  /** Whether layers behave as in training; {@linkcode Module.train} and {@linkcode Module.eval} set it in the tree. */
  training = true;
  /** What was registered under names that cannot be fields. */
  readonly #registered = new Map<string, Parameter | Buffer | Module>();
  /** Names of children that were registered as absent. */
  readonly #absent = new Set<string>();

  /** The version of the copy of this library that made it. */
  get [MODULE_BRAND](): string {
    return VERSION;
  }

  /** What the module does with its inputs. */
  abstract forward(...inputs: unknown[]): unknown;

  /** What is saved beside the tensors, under the key `_extra_state`. A class without it saves nothing there. */
  getExtraState?(): unknown;

  /** Takes back what {@linkcode Module.getExtraState} gave. A class without it has no such key. */
  setExtraState?(state: unknown): void;

  /** The version that a state dict records for this class: PyTorch's `_version`. */
  get stateDictVersion(): number {
    return 1;
  }

  /** The module's settings as they stand in its text, such as `in_features=10, out_features=5, bias=True`. */
  extraRepr(): string {
    return "";
  }

  /**
   * Renames, adds or drops keys of a checkpoint of an older version while a load is planned. It sees the keys below
   * this module; what it does is seen by the module and its children.
   *
   * @param _keys The keys, full, in order.
   * @param _prefix What this module's own keys begin with.
   * @param _version The version the checkpoint recorded for this module, or `null`.
   * @returns Lines for the error that a load then raises, under every `strict`.
   */
  upgradeStateDict(_keys: KeyEditor, _prefix: string, _version: number | null): readonly string[] | void {}

  /**
   * Registers a parameter under a computed name, or replaces one; `null` registers an absent one.
   *
   * @throws {TypeError} The name is empty or has a dot, or the value is no parameter.
   */
  registerParameter(name: string, value: Parameter | null): void {
    requireName("parameter", name);
    if (value !== null && !(value instanceof Parameter)) {
      throw new TypeError(
        `cannot assign '${describe(value)}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
      );
    }
    this.#register(name, value);
  }

  /**
   * Registers a buffer under a computed name, or replaces one; a plain tensor becomes a buffer, `null` registers an
   * absent one.
   *
   * @throws {TypeError} The name is empty or has a dot.
   */
  registerBuffer(name: string, value: Tensor | null, options: boolean | BufferOptions = {}): void {
    requireName("buffer", name);
    this.#register(name, value === null || value instanceof Buffer ? value : new Buffer(value, options));
  }

  /**
   * Registers a child under a computed name, or replaces one; `null` registers an absent one, whose keys are then
   * passed over in a load.
   *
   * @throws {TypeError} The name is empty or has a dot, or the value is no module.
   */
  registerModule(name: string, value: Module | null): void {
    if (name.includes(".")) throw new TypeError(`module name can't contain ".", got: ${name}`);
    requireName("module", name);
    if (value !== null && !isModule(value)) throw new TypeError(`${describe(value)} is not a Module subclass`);
    this.#register(name, value);
    if (value === null) this.#absent.add(name);
  }

  /**
   * Everything registered here, in order: fields, then names that cannot be fields.
   *
   * @throws {TypeError} A field holds modules or parameters in a plain array, Map, Set or object.
   */
  *registrations(): Generator<[name: string, value: Registered]> {
    for (const name of Object.keys(this)) {
      const value: unknown = Reflect.get(this, name);
      if (value === null && this.#absent.has(name)) yield [name, null];
      if (typeof value !== "object" || value === null) continue;
      if (value instanceof Parameter || value instanceof Buffer || isModule(value)) yield [name, value];
      else refuseHidden(this, name, value);
    }
    yield* this.#registered;
    for (const name of this.#absent) {
      if (!Object.hasOwn(this, name) && !this.#registered.has(name)) yield [name, null];
    }
  }

  /** Its own children with their names, each once. */
  *namedChildren(): Generator<[name: string, module: Module]> {
    const seen = new Set<Module>();
    for (const [name, value] of this.registrations()) {
      if (value instanceof Module && !seen.has(value)) {
        seen.add(value);
        yield [name, value];
      }
    }
  }

  /** Its own children, each once. */
  *children(): Generator<Module> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  /** The module itself and all below it with their paths, parents first, each once. */
  *namedModules(options: NamedOptions = {}): Generator<[path: string, module: Module]> {
    yield* walk(this, options.prefix ?? "", { once: options.removeDuplicate === false ? null : new Set(), above: [] });
  }

  /** The module itself and all below it, parents first, each once. */
  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** All parameters with their keys, in the order of the state dict; a tied one comes once, under its first name. */
  *namedParameters(options: NamedOptions = {}): Generator<[key: string, parameter: Parameter]> {
    for (const [key, value] of tensorsOf(this, options)) if (value instanceof Parameter) yield [key, value];
  }

  /** All parameters, each once. */
  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** All buffers with their keys, those that are not persistent too. */
  *namedBuffers(options: NamedOptions = {}): Generator<[key: string, buffer: Buffer]> {
    for (const [key, value] of tensorsOf(this, options)) if (value instanceof Buffer) yield [key, value];
  }

  /** All buffers, each once. */
  *buffers(): Generator<Buffer> {
    for (const [, buffer] of this.namedBuffers()) yield buffer;
  }

  /**
   * The module at a path such as `"encoder.layers.0"`; `""` is this one.
   *
   * @throws {RangeError} There is none.
   */
  getSubmodule(path: string): Module {
    let module: Module = this;
    for (const name of path === "" ? [] : path.split(".")) {
      const child = module.registered(name);
      if (!(child instanceof Module)) {
        throw new RangeError(`${module.constructor.name} has no attribute \`${name}\`: no module at "${path}"`);
      }
      module = child;
    }
    return module;
  }

  /**
   * The parameter with a key such as `"encoder.layers.0.weight"`.
   *
   * @throws {RangeError} There is none.
   */
  getParameter(key: string): Parameter {
    const value = this.#tensorAt(key);
    if (!(value instanceof Parameter)) throw new RangeError(`${this.constructor.name} has no parameter "${key}"`);
    return value;
  }

  /**
   * The buffer with a key such as `"bn.running_mean"`.
   *
   * @throws {RangeError} There is none.
   */
  getBuffer(key: string): Buffer {
    const value = this.#tensorAt(key);
    if (!(value instanceof Buffer)) throw new RangeError(`${this.constructor.name} has no buffer "${key}"`);
    return value;
  }

  /** What is registered under a name of its own, or `undefined`. */
  registered(name: string): Registered | undefined {
    const value: unknown = Object.hasOwn(this, name) ? Reflect.get(this, name) : this.#registered.get(name);
    return value instanceof Parameter || value instanceof Buffer || isModule(value) ? value : undefined;
  }

  /** Calls `fn` for every module of the tree, children first. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Puts the tree into training mode, or out of it. */
  train(mode: boolean = true): this {
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }

  /** Puts the tree into evaluation mode: dropout passes everything through, normalisation uses running statistics. */
  eval(): this {
    return this.train(false);
  }

  /** Says for every parameter of the tree whether gradients are wanted. */
  requiresGrad_(value: boolean = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }

  /** Converts floating point parameters and buffers of the tree, in place; the parameters stay the same objects. */
  to(dtype: DType): this {
    if (!isFloat(dtype) && !isComplex(dtype)) {
      throw new TypeError(
        `nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.${dtype}`,
      );
    }
    for (const [, value] of tensorsOf(this, {})) {
      if (isFloat(value.dtype) || isComplex(value.dtype)) convertInPlace(value, dtype);
    }
    return this;
  }

  /** As float32. */
  float(): this {
    return this.to("float32");
  }

  /** As float64. */
  double(): this {
    return this.to("float64");
  }

  /** As float16. */
  half(): this {
    return this.to("float16");
  }

  /** As bfloat16. */
  bfloat16(): this {
    return this.to("bfloat16");
  }

  /**
   * Parameters and persistent buffers by key, in PyTorch's order, with the versions of the modules as metadata. The
   * tensors share memory with the model.
   *
   * Where a class has `getExtraState`, what it returns is there too, whatever it is.
   */
  stateDict(): StateDict<Tensor>;
  stateDict(): StateDict<unknown> {
    return saveState(this);
  }

  /**
   * Loads tensors by key, with PyTorch's semantics. Nothing is changed unless all of it is.
   *
   * @param stateDict What `load` or {@linkcode Module.stateDict} gives, or a Map or plain record of tensors.
   * @throws {LoadStateDictError} What PyTorch would raise, in its own words.
   * @throws {LoadRefusedError} What Graft refuses: no key in common, say.
   * @throws {TypeError} An option is not what it should be, or `stateDict` is no dictionary.
   *
   * @example A layer more than the checkpoint
   * ```ts
   * import { Linear, Sequential } from "@graft/graft";
   * import { assertEquals } from "@std/assert";
   *
   * const pretrained = new Sequential(new Linear(10, 5)).stateDict();
   * const model = new Sequential(new Linear(10, 5), new Linear(5, 2));
   * const report = model.loadStateDict(pretrained, { strict: false });
   * assertEquals(report.missingKeys, ["1.weight", "1.bias"]);
   * ```
   */
  loadStateDict(
    stateDict: ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>,
    options: LoadOptions<Tensor> = {},
  ): LoadReport {
    return loadInMemory(this, stateDict, options);
  }

  /** What PyTorch prints for it. */
  toString(): string {
    const children: (readonly [string, string])[] = [];
    for (const [name, value] of this.registrations()) {
      if (value instanceof Module) children.push([name, value.toString()]);
      else if (value === null) children.push([name, "None"]);
    }
    return moduleRepr({ className: this.constructor.name, extraRepr: this.extraRepr(), children });
  }

  /** As {@linkcode Module.toString}, for Deno's `console.log`. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** As {@linkcode Module.toString}, for Node's and Bun's `console.log`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  #register(name: string, value: Registered): void {
    // A field keeps its place among the fields; a name that the class uses otherwise, or that JavaScript would move to
    // the front, cannot be one.
    const isField = Object.hasOwn(this, name) || (!INTEGER_NAME.test(name) && !(name in this));
    this.#absent.delete(name);
    if (isField) Reflect.set(this, name, value);
    else if (value === null) this.#registered.delete(name);
    else this.#registered.set(name, value);
  }

  #tensorAt(key: string): Registered | undefined {
    const dot = key.lastIndexOf(".");
    return this.getSubmodule(key.slice(0, Math.max(dot, 0))).registered(key.slice(dot + 1));
  }
}

/** Whether a value is a module of this copy of the library; one of another copy is refused. */
export function isModule(value: unknown): value is Module {
  if (value instanceof Module) return true;
  const version = brandOf(value, MODULE_BRAND);
  if (version === null) return false;
  throw new TypeError(
    `Cannot use a module of another copy of @graft/graft: it is of version ${version}, this is ${VERSION}`,
  );
}

/** The modules of a tree with their paths, parents first. */
export function* walk(
  module: Module,
  path: string,
  { once, above }: { readonly once: Set<Module> | null; readonly above: readonly Module[] },
): Generator<[path: string, module: Module]> {
  if (once !== null) {
    if (once.has(module)) return;
    once.add(module);
  } else {
    refuseCycle(module, path, above);
  }
  yield [path, module];
  for (const [name, value] of module.registrations()) {
    if (value instanceof Module) yield* walk(value, join(path, name), { once, above: [...above, module] });
  }
}

/** A path and a name below it. */
export function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** Parameters and buffers of a tree with their keys, in the order of registration. */
function* tensorsOf(module: Module, options: NamedOptions): Generator<[key: string, value: Parameter | Buffer]> {
  const { prefix = "", recurse = true, removeDuplicate = true } = options;
  const seen = new Set<Tensor>();
  const modules = recurse ? module.namedModules({ prefix, removeDuplicate }) : [[prefix, module] as const];
  for (const [path, owner] of modules) {
    for (const [name, value] of owner.registrations()) {
      if (!(value instanceof Parameter || value instanceof Buffer)) continue;
      if (removeDuplicate && seen.has(value)) continue;
      seen.add(value);
      yield [join(path, name), value];
    }
  }
}

function requireName(kind: string, name: string): void {
  if (typeof name !== "string") throw new TypeError(`${kind} name should be a string. Got ${describe(name)}`);
  if (name.includes(".")) throw new TypeError(`${kind} name can't contain "."`);
  if (name === "") throw new TypeError(`${kind} name can't be empty string ""`);
}

/** What PyTorch passes over in silence: modules and parameters where no module looks. */
function refuseHidden(module: Module, field: string, value: object): void {
  const hidden = hiddenIn(value);
  if (hidden === null) return;
  const container = hidden instanceof Module
    ? "ModuleList (or ModuleDict, Sequential)"
    : "registerParameter, or a Module";
  throw new TypeError(
    `Cannot register "${field}" of ${module.constructor.name}: a ${describe(value)} holds a ` +
      `${hidden.constructor.name} that no state dict would have; use ${container}`,
  );
}

function hiddenIn(value: object): Module | Parameter | Buffer | null {
  for (const item of itemsOf(value)) {
    if (item instanceof Parameter || item instanceof Buffer || isModule(item)) return item;
    // Lists of lists hide as well as lists do.
    const deeper = Array.isArray(item) ? hiddenIn(item) : null;
    if (deeper !== null) return deeper;
  }
  return null;
}

function itemsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set || value instanceof Map) return value.values();
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? value.constructor?.name ?? "object" : typeof value;
}
