/**
 * Modules that hold modules: in a chain, in a list, by name.
 *
 * @module
 */

import { Tensor } from "../tensor/tensor.ts";
import { refuseCycles } from "./cycle.ts";
import { Module, requireModule } from "./module.ts";
import type { Registered } from "./module.ts";
import { moduleListRepr } from "./repr.ts";

/** Children by name: a record, or a `Map` where names that look like integers must keep their order. */
export type NamedModules<M extends Module = Module> = Readonly<Record<string, M>> | ReadonlyMap<string, M>;

/**
 * What the three containers have in common: children in an order of their own, whatever their names look like. What
 * the fields of a subclass hold is registered after them, and reached as a field.
 *
 * @example Replacing the head of a chain
 * ```ts
 * import { Linear, Sequential } from "@graft/graft";
 * import { assertEquals } from "@std/assert";
 *
 * const classifier = new Sequential(new Linear(8, 4), new Linear(4, 1000));
 * classifier.set(-1, new Linear(4, 10));
 * assertEquals(classifier.length, 2);
 * assertEquals(String(classifier.get(1)), "Linear(in_features=4, out_features=10, bias=True)");
 * ```
 */
export abstract class Container<M extends Module = Module> extends Module {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Container";
  /** `null` is a child registered as absent. */
  readonly #modules = new Map<string, M | null>();

  /** How many places it has. */
  get length(): number {
    return this.#modules.size;
  }

  /**
   * The module at a position or with a name; negative positions count from the end.
   *
   * @throws {RangeError} There is none.
   */
  get(name: number | string): M {
    const place = typeof name === "number" ? this.#place(name) : name;
    const module = this.#modules.get(place);
    if (module !== undefined && module !== null) return module;
    throw new RangeError(
      `${this.constructor.name} has no module "${place}": it has ${[...this.#modules.keys()].join(", ") || "none"}`,
    );
  }

  /**
   * Puts a module in the place of another, by position or name, and returns the container. A name that is new is added
   * at the end.
   *
   * @throws {RangeError} A position is out of range.
   */
  set(name: number | string, module: M): this {
    this.registerModule(typeof name === "number" ? this.#place(name) : name, module);
    return this;
  }

  /** Registers a child, or replaces one in its place; `null` registers an absent one. */
  override registerModule(name: string, module: M | null): void {
    requireModule(name, module);
    if (Object.hasOwn(this, name)) super.registerModule(name, module);
    else this.#modules.set(name, module);
  }

  /** Its children in order, then what the fields of a subclass hold. */
  override *registrations(): Generator<[name: string, value: Registered]> {
    yield* this.#modules;
    yield* super.registrations();
  }

  /** What is registered under a name of its own; `undefined` where nothing is, or only the place of something absent. */
  override registered(name: string): ReturnType<Module["registered"]> {
    return this.#modules.get(name) ?? super.registered(name);
  }

  /** The names in order. */
  keys(): Iterator<string> & Iterable<string> {
    return this.#modules.keys();
  }

  /** Names and modules in order, without those that are absent. */
  *entries(): Generator<[name: string, module: M]> {
    for (const [name, module] of this.#modules) if (module !== null) yield [name, module];
  }

  /** The modules in order, without those that are absent. */
  *values(): Generator<M> {
    for (const module of this.#modules.values()) if (module !== null) yield module;
  }

  /** The modules in order, without those that are absent. */
  [Symbol.iterator](): Iterator<M> {
    return this.values();
  }

  /** Takes a name out, and says whether it was there. */
  protected remove(name: string): boolean {
    return this.#modules.delete(name);
  }

  /** Takes out the module at a position, and numbers the others anew, as PyTorch does. */
  protected take(position: number): M {
    const module = this.get(position);
    const name = this.#place(position);
    const rest = [...this.#modules].filter(([other]) => other !== name);
    this.#renumber(rest.map(([, other]) => other));
    return module;
  }

  /** Puts a module before the one at a position; only where the names are numbers. */
  protected put(position: number, module: M): void {
    const modules = [...this.#modules];
    const at = position < 0 ? position + modules.length : position;
    if (!Number.isInteger(at) || at < 0 || at > modules.length) {
      throw new RangeError(`Index out of range: ${position}`);
    }
    const named = modules.find(([name], i) => name !== String(i));
    if (named !== undefined) {
      throw new RangeError(
        `Cannot insert into ${this.constructor.name}: "${named[0]}" is a name and not its position, so the names of ` +
          "those after it would be undecided",
      );
    }
    requireModule(String(at), module);
    this.#renumber(modules.map(([, other]) => other).toSpliced(at, 0, module));
  }

  #renumber(modules: readonly (M | null)[]): void {
    this.#modules.clear();
    modules.forEach((module, i) => this.#modules.set(String(i), module));
  }

  #place(position: number): string {
    const name = [...this.#modules.keys()].at(position);
    if (name !== undefined && Number.isInteger(position)) return name;
    throw new RangeError(
      `index ${position} is out of range: ${this.constructor.name} has ${this.#modules.size} modules`,
    );
  }
}

/**
 * Modules one after the other, each fed what the one before gave. Keys begin with `0.`, `1.`, … or with names. Modules
 * that are fields of a subclass run after those of the constructor.
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
export class Sequential extends Container {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "Sequential";
  /**
   * Modules in order, or one collection of named ones.
   *
   * @throws {TypeError} One of them is no module, or a name is empty or has a dot.
   */
  constructor(...modules: readonly Module[] | readonly [NamedModules]) {
    super();
    for (const [name, module] of namedOrCounted(modules)) this.registerModule(name, module);
  }

  /** Adds a module at the end, under the next number, and returns the container. */
  append(module: Module): this {
    this.registerModule(String(this.length), module);
    return this;
  }

  /** Adds modules at the end and returns the container. */
  extend(modules: Iterable<Module>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /**
   * Puts a module before the one at a position and returns the container.
   *
   * @throws {RangeError} The position is out of range, or the modules have names.
   */
  insert(position: number, module: Module): this {
    this.put(position, module);
    return this;
  }

  /**
   * Takes out the module at a position and returns it; the others are numbered anew.
   *
   * @throws {RangeError} The position is out of range.
   */
  pop(position: number = -1): Module {
    return this.take(position);
  }

  /** A chain of the modules from one position to before another, the same objects under the same names. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(new Map([...this.entries()].slice(start, end)));
  }

  /**
   * Feeds `x` through all of them.
   *
   * @throws {TypeError} A module is absent, or the last one returns no tensor.
   */
  override forward(x: Tensor): Tensor {
    let value: unknown = x;
    for (const [name, module] of this.registrations()) {
      if (module === null) throw new TypeError(`Cannot run ${this.constructor.name}: module "${name}" is absent`);
      if (module instanceof Module) value = module.forward(value);
    }
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
export class ModuleList<M extends Module = Module> extends Container<M> {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "ModuleList";
  /**
   * A list of the given modules.
   *
   * @throws {TypeError} One of them is no module.
   */
  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** Adds a module at the end and returns the list. */
  append(module: M): this {
    this.registerModule(String(this.length), module);
    return this;
  }

  /** Adds modules at the end and returns the list. */
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /**
   * Puts a module before the one at a position and returns the list.
   *
   * @throws {RangeError} The position is out of range.
   */
  insert(position: number, module: M): this {
    this.put(position, module);
    return this;
  }

  /**
   * Takes out the module at a position and returns it; the others are numbered anew.
   *
   * @throws {RangeError} The position is out of range.
   */
  pop(position: number = -1): M {
    return this.take(position);
  }

  /** A list of the modules from one position to before another, the same objects. */
  slice(start?: number, end?: number): ModuleList<M> {
    return new ModuleList([...this.values()].slice(start, end));
  }

  /**
   * Does not run: a list has no order of computation.
   *
   * @throws {TypeError} Always, as PyTorch's.
   */
  override forward(..._inputs: unknown[]): never {
    throw new TypeError(`Module [${this.constructor.name}] is missing the required "forward" function`);
  }

  /** What PyTorch prints: neighbours that read alike are one line. */
  override toString(): string {
    refuseCycles(this);
    const texts: string[] = [];
    for (const [, value] of this.registrations()) {
      if (value === null || value instanceof Module) texts.push(value === null ? "None" : String(value));
    }
    return moduleListRepr(this.constructor.name, texts);
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
export class ModuleDict<M extends Module = Module> extends Container<M> {
  /** The name of the class, kept from bundlers, which shorten names. */
  static override readonly name: string = "ModuleDict";
  /**
   * A dictionary of the given modules.
   *
   * @throws {TypeError} One of them is no module, or a name is empty or has a dot.
   */
  constructor(modules: NamedModules<M> = {}) {
    super();
    this.update(modules);
  }

  /** Whether there is a module of this name. */
  has(name: string): boolean {
    return this.registered(name) instanceof Module;
  }

  /** Adds modules, or replaces those of the same names in their places, and returns the dictionary. */
  update(modules: NamedModules<M>): this {
    for (const [name, module] of entriesOf(modules)) this.registerModule(name, module);
    return this;
  }

  /** Takes a module out and says whether it was there. */
  delete(name: string): boolean {
    return this.remove(name);
  }

  /** Takes a module out and returns it. */
  pop(name: string): M {
    const module = this.get(name);
    this.remove(name);
    return module;
  }

  /**
   * Does not run: a dictionary has no order of computation.
   *
   * @throws {TypeError} Always, as PyTorch's.
   */
  override forward(..._inputs: unknown[]): never {
    throw new TypeError(`Module [${this.constructor.name}] is missing the required "forward" function`);
  }
}

function namedOrCounted(modules: readonly Module[] | readonly [NamedModules]): Iterable<readonly [string, Module]> {
  const [first] = modules;
  if (modules.length === 1 && isNamed(first)) return entriesOf(first);
  return modules.map((module, i) => {
    if (!isNamed(module)) return [String(i), module] as const;
    throw new TypeError(
      `Cannot make a Sequential: argument ${i} is a collection of modules, beside ${modules.length - 1} more`,
    );
  });
}

function isNamed(value: Module | NamedModules): value is NamedModules {
  if (value instanceof Map) return true;
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function entriesOf<M extends Module>(modules: NamedModules<M>): Iterable<readonly [string, M]> {
  return isMap(modules) ? modules.entries() : Object.entries(modules);
}

function isMap<M extends Module>(modules: NamedModules<M>): modules is ReadonlyMap<string, M> {
  return modules instanceof Map;
}

function asTensor(value: unknown, owner: Module): Tensor {
  if (value instanceof Tensor) return value;
  const got = value instanceof Promise ? "a Promise: write a forward of your own that awaits" : typeof value;
  throw new TypeError(`${owner.constructor.name} expects its last module to return a Tensor, got ${got}`);
}
