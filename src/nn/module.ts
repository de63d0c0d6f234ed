/**
 * The base of every model and layer: a tree of modules with parameters and buffers in it.
 *
 * @module
 */

import type { DType } from "../dtype.ts";
import type { StateDict } from "../state_dict.ts";
import { brandOf, MODULE_BRAND, TENSOR_BRAND, VERSION } from "../version.ts";
import type { KeyEditor } from "../plan/keys.ts";
import type { LoadOptions } from "../plan/options.ts";
import type { LoadReport } from "../plan/report.ts";
import { isComplex, isFloat } from "../tensor/promotion.ts";
import { convertInPlace, Tensor } from "../tensor/tensor.ts";
import { refuseCycle, refuseCycles } from "./cycle.ts";
import { loadInMemory } from "./loading.ts";
import { article, type Kind, requireName, torchTypeName } from "./naming.ts";
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
 * be seen: what they hold is not registered, and neither is what accessors compute or what stands under a symbol. A
 * plain tensor is registered nowhere, as in PyTorch; `copy_` gives a parameter other values.
 *
 * Texts and errors name a model by its class, as PyTorch's do. Where a bundler shortens the names of your classes, a
 * `static override readonly name: string` in the class keeps it.
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
  /** The name of the class, kept from bundlers, which shorten names. */
  static readonly name: string = "Module";
  /** Whether layers behave as in training; {@linkcode Module.train} and {@linkcode Module.eval} set it in the tree. */
  training = true;
  /** What was registered under names that cannot be fields; `null` keeps the place of a parameter or buffer. */
  readonly #registered = new Map<string, Registered>();
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
   * Registers a parameter under a computed name, or replaces what is registered there; `null` registers an absent one.
   *
   * @throws {TypeError} The name is empty, has a dot or is that of another field, or the value is no parameter.
   */
  registerParameter(name: string, value: Parameter | null): void {
    requireName("parameter", name);
    if (value !== null && !(value instanceof Parameter)) {
      throw new TypeError(
        `cannot assign '${torchTypeName(value)}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
      );
    }
    this.#register(name, { value, kind: "parameter" });
  }

  /**
   * Registers a buffer under a computed name, or replaces what is registered there; a plain tensor becomes a buffer,
   * `null` registers an absent one.
   *
   * @throws {TypeError} The name is empty, has a dot or is that of another field, or the value is no tensor.
   */
  registerBuffer(name: string, value: Tensor | null, options: boolean | BufferOptions = {}): void {
    requireName("buffer", name);
    if (value !== null && !(value instanceof Tensor)) {
      refuseForeignTensor(value);
      throw new TypeError(
        `cannot assign '${torchTypeName(value)}' object to buffer '${name}' (torch Tensor or None required)`,
      );
    }
    const buffer = value === null || value instanceof Buffer ? value : new Buffer(value, options);
    this.#register(name, { value: buffer, kind: "buffer" });
  }

  /**
   * Registers a child under a computed name, or replaces what is registered there; `null` registers an absent one,
   * whose keys are then passed over in a load.
   *
   * @throws {TypeError} The name is empty, has a dot or is that of another field, or the value is no module.
   */
  registerModule(name: string, value: Module | null): void {
    requireModule(name, value);
    this.#register(name, { value, kind: "module" });
  }

  /**
   * Everything registered here, in order: fields, then names that cannot be fields. `null` is an absent child.
   *
   * @throws {TypeError} A field holds modules or parameters in a plain array, Map, Set or object, or its name has a
   * dot.
   */
  *registrations(): Generator<[name: string, value: Registered]> {
    for (const name of Object.keys(this)) {
      const value = fieldValue(this, name);
      if (value === null && this.#absent.has(name)) yield [name, null];
      if (typeof value !== "object" || value === null) continue;
      if (isRegistrable(value)) {
        requireName(kindOf(value), name);
        yield [name, value];
      } else {
        refuseHidden(this, name, value);
      }
    }
    for (const [name, value] of this.#registered) {
      // A field that was assigned later has taken the name.
      if (Object.hasOwn(this, name)) continue;
      if (value !== null || this.#absent.has(name)) yield [name, value];
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
    if (path === "") return this;
    return path.split(".").reduce<Module>((module, name) => {
      const child = module.registered(name);
      if (child instanceof Module) return child;
      const found = child === undefined ? `${module.constructor.name} has no attribute` : "no nn.Module is";
      throw new RangeError(`Cannot get module "${path}": ${found} \`${name}\``);
    }, this);
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

  /** What is registered under a name of its own; `undefined` where nothing is, or only the place of something absent. */
  registered(name: string): Parameter | Buffer | Module | undefined {
    const value = Object.hasOwn(this, name) ? fieldValue(this, name) : this.#registered.get(name);
    return isRegistrable(value) ? value : undefined;
  }

  /** Calls `fn` for every module of the tree, children first. */
  apply(fn: (module: Module) => void): this {
    refuseCycles(this);
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Puts the tree into training mode, or out of it. */
  train(mode: boolean = true): this {
    refuseCycles(this);
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

  /**
   * Converts floating point parameters and buffers of the tree, and the gradients of parameters; they stay the same
   * objects. Other tensors that shared memory with them keep what they had.
   *
   * @throws {TypeError} `dtype` is one of integers or booleans.
   */
  to(dtype: DType): this {
    if (!isFloat(dtype) && !isComplex(dtype)) {
      throw new TypeError(
        `nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.${dtype}`,
      );
    }
    for (const [, value] of tensorsOf(this, {})) {
      if (!isFloat(value.dtype) && !isComplex(value.dtype)) continue;
      convertInPlace(value, dtype);
      if (value.grad !== null) convertInPlace(value.grad, dtype);
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
    refuseCycles(this);
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

  #register(name: string, { value, kind }: Registration): void {
    const field = Object.getOwnPropertyDescriptor(this, name);
    if (field === undefined && (INTEGER_NAME.test(name) || name in this)) {
      // A name that the class uses otherwise, or that JavaScript would move to the front, cannot be a field.
      this.#registered.set(name, value);
    } else {
      if (field !== undefined && !mayReplace(field)) throw new TypeError(`attribute '${name}' already exists`);
      if (!Reflect.set(this, name, value)) {
        throw new TypeError(`Cannot register "${name}" of ${this.constructor.name}: the field is read-only`);
      }
    }
    if (value === null && kind === "module") this.#absent.add(name);
    else this.#absent.delete(name);
  }

  #tensorAt(key: string): Registered | undefined {
    const dot = key.lastIndexOf(".");
    return this.getSubmodule(key.slice(0, Math.max(dot, 0))).registered(key.slice(dot + 1));
  }
}

/** Something to register, and as what, which `null` does not tell. */
interface Registration {
  readonly value: Registered;
  readonly kind: Kind;
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

/**
 * Checks what {@linkcode Module.registerModule} is given.
 *
 * @throws {TypeError} The name is empty or has a dot, or the value is no module.
 */
export function requireModule(name: string, value: unknown): void {
  requireName("module", name);
  if (value !== null && !isModule(value)) throw new TypeError(`${torchTypeName(value)} is not a Module subclass`);
}

/** What a field holds; `undefined` for an accessor, which is not asked. */
function fieldValue(module: Module, name: string): unknown {
  return Object.getOwnPropertyDescriptor(module, name)?.value;
}

/** Whether a field may be registered over: it is empty, or a registration itself. */
function mayReplace(field: PropertyDescriptor): boolean {
  const value: unknown = field.value;
  return "value" in field && (value === undefined || value === null || isRegistrable(value));
}

function kindOf(value: Parameter | Buffer | Module): Kind {
  if (value instanceof Module) return "module";
  return value instanceof Parameter ? "parameter" : "buffer";
}

function isRegistrable(value: unknown): value is Parameter | Buffer | Module {
  return value instanceof Parameter || value instanceof Buffer || isModule(value);
}

function refuseForeignTensor(value: unknown): void {
  if (value instanceof Tensor) return;
  const version = brandOf(value, TENSOR_BRAND);
  if (version === null) return;
  throw new TypeError(
    `Cannot use a tensor of another copy of @graft/graft: it is of version ${version}, this is ${VERSION}`,
  );
}

/** What PyTorch passes over in silence: modules and parameters where no module looks. */
function refuseHidden(module: Module, field: string, value: object): void {
  refuseForeignTensor(value);
  const hidden = hiddenIn(value, new Set());
  if (hidden === null) return;
  const container = hidden instanceof Module
    ? "ModuleList (or ModuleDict, Sequential)"
    : "registerParameter, or a Module";
  throw new TypeError(
    `Cannot register "${field}" of ${module.constructor.name}: ${article(value)} holds ${article(hidden)} that no ` +
      `state dict would have; use ${container}`,
  );
}

function hiddenIn(container: object, seen: Set<object>): Module | Parameter | Buffer | null {
  if (seen.has(container)) return null;
  seen.add(container);
  for (const item of itemsOf(container)) {
    if (typeof item !== "object" || item === null) continue;
    if (isRegistrable(item)) return item;
    refuseForeignTensor(item);
    // Lists of lists hide as well as lists do.
    const deeper = hiddenIn(item, seen);
    if (deeper !== null) return deeper;
  }
  return null;
}

function itemsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set || value instanceof Map) return value.values();
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return [];
  return Object.values(Object.getOwnPropertyDescriptors(value)).map((property) => property.value);
}
