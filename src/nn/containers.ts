/**
 * Modules that hold modules: in a chain, in a list, by name.
 *
 * @module
 */

import { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";
import { moduleListRepr } from "./repr.ts";

/** Children by name: a record, or a `Map` where names that look like integers must keep their order. */
export type NamedModules<M extends Module = Module> = Readonly<Record<string, M>> | ReadonlyMap<string, M>;

/**
 * Modules one after the other, each fed what the one before gave. Keys begin with `0.`, `1.`, … or with names.
 *
 * @example
 * ```ts
 * import { Linear, ones, ReLU, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const model = new Sequential(new Linear(4, 3), new ReLU(), new Linear(3, 2));
 * assertEquals(model.forward(ones([1, 4])).shape, [1, 2]);
 * assertEquals([...model.stateDict().keys()], ["0.weight", "0.bias", "2.weight", "2.bias"]);
 * assertEquals([...new Sequential({ fc: new Linear(1, 1) }).stateDict().keys()], ["fc.weight", "fc.bias"]);
 * ```
 */
export class Sequential extends Module {
  readonly #modules = new Map<string, Module>();

  /** Modules in order, or one collection of named ones. */
  constructor(...modules: readonly Module[] | readonly [NamedModules]) {
    super();
    for (const [name, module] of namedOrCounted(modules)) this.append(module, name);
  }

  /** How many modules it has. */
  get length(): number {
    return this.#modules.size;
  }

  /** The module at a position or with a name; negative positions count from the end. */
  get(name: number | string): Module {
    return found(this, this.#modules, name);
  }

  /** Adds a module at the end, under the next number or a name, and returns the container. */
  append(module: Module, name: string = String(this.#modules.size)): this {
    this.registerModule(name, module);
    this.#modules.set(name, module);
    return this;
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<Module> {
    return this.#modules.values();
  }

  /** Feeds `x` through all of them. */
  override forward(x: Tensor): Tensor {
    let value: unknown = x;
    for (const module of this.#modules.values()) value = module.forward(value);
    return asTensor(value, this);
  }
}

/**
 * A list of modules, registered as `0`, `1`, …; what runs when is the owner's affair.
 *
 * @example
 * ```ts
 * import { Linear, Module, ModuleList, type Tensor } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * class Stack extends Module {
 *   layers = new ModuleList([new Linear(2, 2), new Linear(2, 2)]);
 *   override forward(x: Tensor): Tensor {
 *     for (const layer of this.layers) x = layer.forward(x);
 *     return x;
 *   }
 * }
 *
 * assertEquals([...new Stack().stateDict().keys()][0], "layers.0.weight");
 * ```
 */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #modules = new Map<string, M>();

  /** A list of the given modules. */
  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** How many modules it has. */
  get length(): number {
    return this.#modules.size;
  }

  /** The module at a position; negative ones count from the end. */
  get(name: number | string): M {
    return found(this, this.#modules, name);
  }

  /** Adds a module at the end and returns the list. */
  append(module: M): this {
    const name = String(this.#modules.size);
    this.registerModule(name, module);
    this.#modules.set(name, module);
    return this;
  }

  /** Adds modules at the end and returns the list. */
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<M> {
    return this.#modules.values();
  }

  /**
   * Does not run: a list has no order of computation.
   *
   * @throws {TypeError} Always, as PyTorch's.
   */
  override forward(): never {
    throw new TypeError('Module [ModuleList] is missing the required "forward" function');
  }

  /** What PyTorch prints: neighbours that read alike are one line. */
  override toString(): string {
    return moduleListRepr(this.constructor.name, [...this].map(String));
  }
}

/**
 * Modules by name, in the order given.
 *
 * @example
 * ```ts
 * import { Linear, ModuleDict } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const heads = new ModuleDict({ age: new Linear(8, 1), city: new Linear(8, 40) });
 * assertEquals(heads.get("city").outFeatures, 40);
 * ```
 */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly #modules = new Map<string, M>();

  /** A dictionary of the given modules. */
  constructor(modules: NamedModules<M> = {}) {
    super();
    for (const [name, module] of entriesOf(modules)) this.set(name, module);
  }

  /** How many modules it has. */
  get length(): number {
    return this.#modules.size;
  }

  /** The module of a name. */
  get(name: string): M {
    return found(this, this.#modules, name);
  }

  /** Whether there is a module of this name. */
  has(name: string): boolean {
    return this.#modules.has(name);
  }

  /** Adds a module, or replaces one in its place, and returns the dictionary. */
  set(name: string, module: M): this {
    this.registerModule(name, module);
    this.#modules.set(name, module);
    return this;
  }

  /** The names in order. */
  keys(): Iterator<string> & Iterable<string> {
    return this.#modules.keys();
  }

  /** The modules in order. */
  values(): Iterator<M> & Iterable<M> {
    return this.#modules.values();
  }

  /** Names and modules in order. */
  entries(): Iterator<[string, M]> & Iterable<[string, M]> {
    return this.#modules.entries();
  }

  /**
   * Does not run: a dictionary has no order of computation.
   *
   * @throws {TypeError} Always, as PyTorch's.
   */
  override forward(): never {
    throw new TypeError('Module [ModuleDict] is missing the required "forward" function');
  }
}

function namedOrCounted(modules: readonly Module[] | readonly [NamedModules]): Iterable<readonly [string, Module]> {
  const [first] = modules;
  if (modules.length === 1 && first !== undefined && !(first instanceof Module)) return entriesOf(first);
  return modules.map((module, i) => {
    if (module instanceof Module) return [String(i), module] as const;
    throw new TypeError(`Cannot make a Sequential: argument ${i} is no Module`);
  });
}

function entriesOf<M extends Module>(modules: NamedModules<M>): Iterable<readonly [string, M]> {
  return isMap(modules) ? modules.entries() : Object.entries(modules);
}

function isMap<M extends Module>(modules: NamedModules<M>): modules is ReadonlyMap<string, M> {
  return modules instanceof Map;
}

function found<M extends Module>(owner: Module, modules: ReadonlyMap<string, M>, name: number | string): M {
  const module = typeof name === "number" ? [...modules.values()].at(name) : modules.get(name);
  if (module !== undefined) return module;
  throw new RangeError(
    typeof name === "number"
      ? `index ${name} is out of range: ${owner.constructor.name} has ${modules.size} modules`
      : `${owner.constructor.name} has no module "${name}": it has ${[...modules.keys()].join(", ")}`,
  );
}

function asTensor(value: unknown, owner: Module): Tensor {
  if (value instanceof Tensor) return value;
  throw new TypeError(`${owner.constructor.name} expects its last module to return a Tensor, got ${typeof value}`);
}
