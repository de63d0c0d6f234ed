/**
 * The user's model, out of the module that defines it.
 *
 * @module
 */

import { Module, pythonTypeName } from "../../mod.ts";
import { REFUSED, WRONG_USAGE } from "./command.ts";
import { missingPermission } from "./permission.ts";

/** What can be done about it, for every way in which a file is no model. */
const EXPECTED = "expected a Module class, a Module, or a function that makes one: export default class extends Module";

/** There is no model in the file, and why. */
export class ModelFileError extends Error {
  /** The name of the class. */
  override readonly name: string = "ModelFileError";
  /** The exit code. */
  readonly code: number;

  /** Says what is wrong with the file. */
  constructor(message: string, code: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Imports a file and makes its default export a model: a class is constructed, a function is called and waited for, an
 * instance is taken as it is.
 *
 * @throws {ModelFileError} It cannot be imported, exports no model, or its code throws.
 */
export async function loadModel(path: string): Promise<Module> {
  const found = defaultExport(path, await importFile(path));
  const value = await makeModel(path, found);
  if (value instanceof Module) return value;
  const foreign = isForeignModule(value);
  throw new ModelFileError(
    foreign === null
      ? `Cannot use the default export of "${path}" as a model: ${describe(found, value)}; ${EXPECTED}`
      : `Cannot use the model of "${path}": it is of another copy of @graft/graft (version ${foreign}); import ` +
        "the one that this command line is of",
    WRONG_USAGE,
  );
}

async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(urlOf(path));
  } catch (cause) {
    if (missingPermission(cause) !== null) throw cause;
    const reason = cause instanceof Error ? inOneLine(cause.message) : String(cause);
    const isAbsent = reason.startsWith(`Module not found "${urlOf(path)}"`);
    const problem = isAbsent ? "there is no such file" : reason;
    throw new ModelFileError(`Cannot import "${path}": ${problem}`, isAbsent ? WRONG_USAGE : REFUSED, { cause });
  }
}

function defaultExport(path: string, module: Readonly<Record<string, unknown>>): unknown {
  if ("default" in module) return module.default;
  const names = Object.keys(module);
  const exported = names.length === 0 ? "it exports nothing" : `it exports ${names.join(", ")} and no default`;
  const models = names.filter((name) => isModuleClass(module[name]) || module[name] instanceof Module);
  const advice = models.length === 1 ? `write: export default ${models[0]}` : EXPECTED;
  throw new ModelFileError(`Cannot find a model in "${path}": ${exported}; ${advice}`, WRONG_USAGE);
}

async function makeModel(path: string, found: unknown): Promise<unknown> {
  if (typeof found !== "function") return found;
  const isClass: boolean = isModuleClass(found);
  // Any other class cannot be called, and would be no model when constructed.
  if (!isClass && isClassSyntax(found)) return found;
  try {
    return isClass ? Reflect.construct(found, []) : await Reflect.apply(found, undefined, []);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const what = isClass ? `new ${found.name || "(class)"}()` : `${found.name || "the function"}()`;
    const advice = found.length > 0 ? `; it takes arguments: export default () => new ${found.name}(…)` : "";
    throw new ModelFileError(`Cannot make the model of "${path}": ${what} threw ${reason}${advice}`, REFUSED, {
      cause,
    });
  }
}

/** What was found where a model should be. */
function describe(found: unknown, value: unknown): string {
  if (typeof found !== "function") return `it is ${nameOf(found)}`;
  const name = found.name === "" ? "" : ` ${found.name}`;
  if (isClassSyntax(found)) return `it is a class${name} that does not extend Module`;
  return `it is a function${name} that returned ${nameOf(value)}`;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `a function ${value.name}`.trimEnd();
  if (typeof value !== "object") return `the ${typeof value} ${JSON.stringify(value)}`;
  const className: unknown = Reflect.get(value, "constructor")?.name;
  return `an object of ${typeof className === "string" && className !== "" ? className : pythonTypeName(value)}`;
}

/** The version of the copy that a module is of, where that is another one. */
function isForeignModule(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const version: unknown = Reflect.get(value, Symbol.for("@graft/graft.Module"));
  return typeof version === "string" ? version : null;
}

function isModuleClass(value: unknown): boolean {
  return typeof value === "function" && value.prototype instanceof Module;
}

function isClassSyntax(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function urlOf(path: string): string {
  if (/^(file|https?|jsr|npm|data):/i.test(path)) return path;
  const absolute = path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) ? path : `${Deno.cwd()}/${path}`;
  const url = new URL("file:///");
  url.pathname = absolute.replaceAll("\\", "/").replaceAll("%", "%25");
  return url.href;
}

/** The first line of a failed import's message and where it is, without the code frame between them. */
function inOneLine(message: string): string {
  // deno-lint-ignore no-control-regex -- colours are control characters
  const [first, ...rest] = message.replaceAll(/\x1b\[[\d;]*m/g, "").split("\n");
  const place = /\w+:\/\/\S+:\d+:\d+/.exec(rest.join("\n"))?.[0];
  return first.replace(/\.$/, "") + (place === undefined ? "" : `, at ${place}`);
}
