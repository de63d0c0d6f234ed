/**
 * The allow-list: what the names in a PyTorch pickle stand for. Nothing is looked up in any runtime and nothing that
 * a file names is ever called; a name that is not in these tables becomes an inert record of what the file said.
 *
 * Source: the reduce functions of Python's and PyTorch's classes, as `torch.save` writes them.
 *
 * @module
 */

import { openMemory } from "../bytes/memory.ts";
import { CheckpointError } from "../errors.ts";
import type { Inert, InertObject } from "../state_dict.ts";
import { isCount, isDict, isObject, isSequence, isSet, OrderedDict } from "./inert.ts";
import type { Budget, Limits } from "./limits.ts";
import { type ExpectedStorage, NamedStorages } from "./named_storages.ts";
import { numpyScalar } from "./numpy.ts";
import type { PickleHost } from "./pickle_machine.ts";
import { encodeLatin1 } from "./pickle_text.ts";
import type { Storage } from "./storage.ts";
import { StoredTensor } from "./stored_tensor.ts";
import { isTensorClass, newTensor, type Rebuild, REBUILD_FUNCTIONS, setTensorState } from "./torch_tensors.ts";
import type { TypedStorage } from "./torch_tensors.ts";

/** Steps that a call counts for: its result takes about as much memory as this many other values. */
const CALL_STEPS = 8;

/** Functions that call functions nest this deep in real files (`_rebuild_from_type_v2` around a parameter: 2). */
const MAX_NESTED_CALLS = 8;

/** Characters of a name or a storage's key; real ones have tens. Names are joined and hashed at every use. */
const MAX_NAME_LENGTH = 4096;

/** How the ids of storages begin whose bytes are in the pickle. */
export const IN_PICKLE = "pickle/";

/** Modules that have another name now: Python 2's, and PyTorch's before 1.9. */
const RENAMED_MODULES: ReadonlyMap<string, string> = new Map([
  ["__builtin__", "builtins"],
  ["copy_reg", "copyreg"],
  ["torch.tensor", "torch._tensor"],
]);

/** Names of Python 2's `__builtin__` that Python 3 calls otherwise. */
const RENAMED_BUILTINS: ReadonlyMap<string, string> = new Map([
  ["unicode", "str"],
  ["long", "int"],
  ["xrange", "range"],
  ["unichr", "chr"],
]);

/** What a file knows beside its pickle. */
export interface TorchValuesOptions {
  /** The format, for errors. */
  readonly format: string;
  /** What the file may ask for. */
  readonly limits: Limits;
  /** The count of steps, shared with the machine. */
  readonly budget: Budget;
  /** The storage of a key, which a pickle mentions with what it expects of it. */
  readonly storage: (key: string, expected: ExpectedStorage) => Storage;
}

/** A record while the pickle still adds to it. */
interface Draft extends InertObject {
  readonly module: string;
  readonly name: string;
  args?: readonly Inert[];
  state?: Inert;
  items?: Inert[] | Map<Inert, Inert>;
}

/** What is known of a name in a pickle. */
interface KnownName {
  /** Module and name. */
  readonly fullName: string;
  /** What reads its arguments, where it makes a tensor. */
  readonly rebuild: Rebuild | undefined;
}

/** A storage that is a view of no other. */
const WHOLE: Pick<TypedStorage, "start" | "length"> = { start: 0, length: null };

/** Gives the names in a PyTorch pickle their meaning. */
export class TorchValues implements PickleHost {
  /** The format, for errors. */
  readonly format: string;
  /** What the file may ask for. */
  readonly limits: Limits;
  readonly #budget: Budget;
  readonly #storages: NamedStorages;
  readonly #globals = new Map<string, Draft>();
  readonly #names = new Map<Inert, KnownName>();
  readonly #encoded = new Map<string, Uint8Array>();
  #nested = 0;
  #held = 0;

  /** Knows nothing of the pickle yet. */
  constructor({ format, limits, budget, storage }: TorchValuesOptions) {
    this.format = format;
    this.limits = limits;
    this.#budget = budget;
    this.#storages = new NamedStorages(storage);
  }

  /** The bare name; the same record each time. */
  global(module: string, name: string): InertObject {
    if (module.length + name.length > MAX_NAME_LENGTH) throw this.#malformed("a global has a name of unlikely length");
    const newName = module === "__builtin__" ? RENAMED_BUILTINS.get(name) ?? name : name;
    const newModule = RENAMED_MODULES.get(module) ?? module;
    const key = `${newModule}.${newName}`;
    const known = this.#globals.get(key);
    if (known !== undefined) return known;
    const record: Draft = { module: newModule, name: newName };
    this.#globals.set(key, record);
    const rebuild = REBUILD_FUNCTIONS.get(key) ?? (isTensorClass(key) ? newTensor : undefined);
    this.#names.set(record, { fullName: key, rebuild });
    return record;
  }

  /** The value that an allowed function would return; for any other, a record of the call. */
  call(callable: Inert, args: readonly Inert[], keywords?: ReadonlyMap<Inert, Inert>): Inert {
    this.#budget.spend(CALL_STEPS + args.length); // a record may copy them
    const known = this.#names.get(callable);
    if (known !== undefined && (keywords === undefined || keywords.size === 0)) {
      const value = known.rebuild === undefined ? this.#allowed(known.fullName, args) : known.rebuild(args, this);
      if (value !== undefined) return value;
    }
    if (!isObject(callable)) throw this.#malformed("a call of what is not a function");
    if (callable.args !== undefined) return { module: "operator", name: "call", args: [callable, ...args] };
    const { module, name } = callable;
    return { module, name, args: keywords !== undefined && keywords.size > 0 ? [...args, keywords] : args };
  }

  /** What a value of the pickle stands for, if it is a storage. */
  storageOf(value: Inert): TypedStorage | undefined {
    return isObject(value) ? this.#storages.find(value) : undefined;
  }

  /** A storage of bytes that are in the pickle; no other has its id. */
  hold({ bytes, bigEndian }: { readonly bytes: Uint8Array; readonly bigEndian: boolean }): Storage {
    const id = `${IN_PICKLE}${this.#held++}`;
    const about = { offset: null, source: null, fault: null };
    return { ...about, id, byteLength: bytes.length, bytes: openMemory(bytes), bigEndian };
  }

  /** Counts steps of work that is as long as its input. */
  spend(steps: number): void {
    this.#budget.spend(steps);
  }

  /** `("storage", class, key, location, numel)`, or the module of an old file, which stands for its class. */
  persistent(id: Inert): Inert {
    if (!isSequence(id) || id.length > 6) throw this.#malformed("a persistent id is not a tuple that names a storage");
    const kind = fromPython2(id[0]);
    const type = id[1];
    const key = fromPython2(id[2]);
    const location = fromPython2(id[3]);
    const numel = id[4];
    if (kind === "module" && isObject(type)) return type;
    if (kind !== "storage" || !isObject(type) || typeof key !== "string" || typeof location !== "string") {
      throw this.#malformed("a persistent id does not name a storage");
    }
    if (key.startsWith(IN_PICKLE)) throw this.#malformed(`a storage has the key "${key}"`);
    if (key.length + location.length > MAX_NAME_LENGTH) throw this.#malformed("a storage has a key of unlikely length");
    if (!isCount(numel)) {
      throw this.#malformed(`storage "${key}" is said to have ${String(numel)} elements`);
    }
    const { start, length } = this.#viewOf(id[5] ?? null);
    return this.#storages.record({ type, key, location, numel, start, length });
  }

  /** What `__setstate__` would do, for tensors; for other objects, remembers the state. */
  build(target: Inert, state: Inert): void {
    if (target instanceof StoredTensor) return setTensorState(target, state, this);
    const object = target instanceof OrderedDict ? target : this.#draft(target, "BUILD");
    object.state = state;
  }

  /** Items of a class that extends `list`, or of a `deque`. */
  extend(target: Inert, items: readonly Inert[]): void {
    const draft = this.#draft(target, "APPENDS");
    const list = draft.items ??= [];
    if (list instanceof Map) throw this.#malformed("an object is a list and a dict at once");
    for (const item of items) list.push(item);
  }

  /** Items of a class that extends `dict`. */
  assign(target: Inert, pairs: readonly Inert[]): void {
    const draft = this.#draft(target, "SETITEMS");
    const dict = draft.items ??= new Map<Inert, Inert>();
    if (!(dict instanceof Map)) throw this.#malformed("an object is a list and a dict at once");
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  }

  /** Which elements of its storage a storage of its own has, as PyTorch had them until 0.4: `(key, offset, size)`. */
  #viewOf(view: Inert): Pick<TypedStorage, "start" | "length"> {
    if (view === null) return WHOLE;
    const [start, length] = isSequence(view) && view.length === 3 ? view.slice(1) : [];
    if (isCount(start) && isCount(length)) return { start, length };
    throw this.#malformed("a view of a storage does not say where it begins, and how long it is");
  }

  #allowed(fullName: string, args: readonly Inert[]): Inert | undefined {
    switch (fullName) {
      case "collections.OrderedDict":
        return this.#dict(args[0], new OrderedDict());
      case "collections.Counter":
      case "builtins.dict":
        return this.#dict(args[0]);
      case "collections.defaultdict":
        return this.#dict(args[1]);
      case "builtins.set":
      case "builtins.frozenset": {
        const items = this.#items(args[0]);
        return items && new Set(items);
      }
      case "builtins.list":
        return this.#items(args[0]);
      case "builtins.tuple":
      case "torch.Size": {
        const items = this.#items(args[0]);
        return items && Object.freeze(items);
      }
      case "numpy.core.multiarray.scalar":
      case "numpy._core.multiarray.scalar":
        return numpyScalar(args);
      case "_codecs.encode":
        return this.#encode(args[0], args[1]);
      case "builtins.bytes":
      case "builtins.bytearray":
        return this.#bytes(args);
      case "copyreg._reconstructor":
        return this.#reconstruct(args);
      case "copyreg.__newobj__":
        return this.#nestedCall(args[0], args.slice(1));
      case "torch._tensor._rebuild_from_type":
      case "torch._tensor._rebuild_from_type_v2":
        // (function, class, arguments, state): the class and its attributes make no difference to the data.
        return this.#nestedCall(args[0], args[2]);
      default:
        return undefined;
    }
  }

  /** A call whose function and arguments are themselves arguments. */
  #nestedCall(callable: Inert | undefined, args: Inert | undefined): Inert | undefined {
    if (callable === undefined || args === undefined || !isSequence(args)) return undefined;
    if (this.#nested === MAX_NESTED_CALLS) throw this.#malformed(`calls are nested more than ${MAX_NESTED_CALLS} deep`);
    this.#nested++;
    try {
      return this.call(callable, args);
    } finally {
      this.#nested--;
    }
  }

  #dict(from: Inert | undefined, dict: Map<Inert, Inert> = new Map<Inert, Inert>()): Map<Inert, Inert> | undefined {
    if (from === undefined) return dict;
    const items = this.#items(from);
    if (items === undefined || isSet(from)) return undefined;
    for (const pair of items) {
      if (!isSequence(pair) || pair.length !== 2) return undefined;
      dict.set(pair[0], pair[1]);
    }
    return dict;
  }

  /** A copy of what an iterable holds; a dict gives its pairs. Copies count, or a short pickle could make long ones. */
  #items(from: Inert | undefined): Inert[] | undefined {
    if (from === undefined) return [];
    if (isSequence(from)) {
      this.#budget.spend(from.length);
      return [...from];
    }
    if (!isDict(from) && !isSet(from)) return undefined;
    this.#budget.spend(from.size * CALL_STEPS);
    const items: Inert[] = [];
    for (const item of from) items.push(item);
    return items;
  }

  /** `bytes` of a pickle before protocol 3: text of one character per byte. The same text gives the same bytes. */
  #encode(text: Inert | undefined, encoding: Inert | undefined): Inert | undefined {
    if (typeof text !== "string" || typeof encoding !== "string" || !/^latin-?1$/i.test(encoding)) return undefined;
    const known = this.#encoded.get(text);
    if (known !== undefined) return known;
    const bytes = encodeLatin1(text);
    if (bytes === null) throw this.#malformed("bytes are written as text that is not Latin-1");
    this.#encoded.set(text, bytes);
    return bytes;
  }

  #bytes(args: readonly Inert[]): Inert | undefined {
    const [from, encoding] = args;
    if (from === undefined) return new Uint8Array(0);
    if (from instanceof Uint8Array) return from;
    if (typeof from === "string") return this.#encode(from, encoding);
    const items = isSequence(from) ? this.#items(from) : undefined;
    if (items === undefined) return undefined;
    const bytes = new Uint8Array(items.length);
    for (const [i, item] of items.entries()) {
      if (typeof item !== "number" || !(item >= 0 && item <= 0xff)) return undefined;
      bytes[i] = item;
    }
    return bytes;
  }

  /** `(class, base, value)`: an object of `class`, whose `value` is its content if `base` is `dict` or `list`. */
  #reconstruct([type, base, content]: readonly Inert[]): Inert | undefined {
    if (!isObject(type) || !isObject(base) || type.args !== undefined) return undefined;
    const record: Draft = { module: type.module, name: type.name, args: [] };
    if (base.module === "builtins" && base.name === "list") record.items = this.#items(content) ?? [];
    if (base.module === "builtins" && base.name === "dict") {
      record.items = this.#dict(content) ?? new Map<Inert, Inert>();
    }
    return record;
  }

  #draft(target: Inert, opcode: string): Draft {
    if (isDraft(target)) return target;
    throw this.#malformed(`${opcode} on what cannot take it`);
  }

  #malformed(problem: string): CheckpointError {
    return new CheckpointError(`Cannot read a pickle: ${problem}`, { format: this.format });
  }
}

/** An object that was called into being. A bare name is shared by all who use it, and takes nothing. */
function isDraft(value: Inert): value is Draft {
  return isObject(value) && value.args !== undefined;
}

/** Names in a persistent id are bytes where Python 2 wrote them. */
function fromPython2(value: Inert): Inert {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}
