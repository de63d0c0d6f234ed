/**
 * The options of a load, checked whole and with their defaults: what the rest of the planner works with.
 *
 * @module
 */

import type { MismatchAction, Pattern } from "../outcome.ts";
import { nearestWord } from "./nearest.ts";
import type { CastPolicy, LoadOptions, MismatchAt, MismatchRules, MissingInitialiser, RenameRule } from "./options.ts";
import { compilePattern, PatternList, showPattern } from "./pattern.ts";

/** Every option of {@linkcode LoadOptions}; a test keeps the two lists the same. */
const OPTION_NAMES = [
  "strict",
  "mismatch",
  "rename",
  "transform",
  "initMissing",
  "cast",
  "assign",
  "minCoverage",
  "allowNoMatch",
  "stateDictPath",
  "signal",
  "onProgress",
] as const satisfies readonly (keyof LoadOptions)[];

const MISMATCH_ACTIONS = ["error", "skip", "overlap"] as const satisfies readonly MismatchAction[];
const CAST_POLICIES = ["allow", "widen", "error"] as const satisfies readonly CastPolicy[];

/** The options that the planner reads, checked. */
export interface Settings {
  /** Whether keys that are not allowed raise. */
  readonly strict: boolean;
  /** Missing keys that are let pass. */
  readonly allowMissing: PatternList;
  /** Unexpected keys that are let pass. */
  readonly allowUnexpected: PatternList;
  /** What to do about another shape. */
  readonly mismatch: (at: MismatchAt) => MismatchAction;
  /** The patterns behind {@linkcode Settings.mismatch}, if it has any. */
  readonly mismatchPatterns: PatternList;
  /** The rename rules, in order. */
  readonly rename: readonly RenameRule[] | "auto";
  /** Model keys whose tensors are stored transposed. */
  readonly transpose: PatternList;
  /** What fills a parameter that receives nothing. */
  readonly initMissing: MissingInitialiser<never> | null;
  /** Which casts are let pass. */
  readonly cast: CastPolicy;
  /** Whether tensors take the checkpoint's dtype. */
  readonly assign: boolean;
  /** The least fraction of the model's elements. */
  readonly minCoverage: number;
  /** Whether a load without a key in common is let pass. */
  readonly allowNoMatch: boolean;
}

/**
 * Checks `options` and fills in the defaults. The caller's object is never written to.
 *
 * @throws {TypeError} An option that does not exist, that has the wrong type, or that contradicts another.
 */
export function settingsOf(options: LoadOptions = {}): Settings {
  checkNames(options);
  const { strict = true, rename = [], transform = [], initMissing, cast = "allow" } = options;
  const { minCoverage = 0, mismatch = "error" } = options;
  const assign = flag("assign", options.assign);
  const allowNoMatch = flag("allowNoMatch", options.allowNoMatch);
  const allow = allowLists(strict);
  checkRename(rename);
  checkTransform(transform);
  checkOneOf("cast", { value: cast, allowed: CAST_POLICIES });
  if (initMissing !== undefined) checkFunction("initMissing", initMissing);
  if (options.onProgress !== undefined) checkFunction("onProgress", options.onProgress);
  if (typeof minCoverage !== "number" || !(minCoverage >= 0 && minCoverage <= 1)) {
    throw new TypeError(`Option "minCoverage" must be a number from 0 to 1, got ${show(minCoverage)}`);
  }
  checkPath(options.stateDictPath);
  checkSignal(options.signal);
  if (allowNoMatch && minCoverage > 0) {
    throw new TypeError(
      `Options "allowNoMatch" and "minCoverage" contradict each other: a load without a key in common covers nothing, ` +
        `and ${minCoverage} of the model is asked for`,
    );
  }
  return {
    strict: strict !== false,
    allowMissing: new PatternList(allow.missing),
    allowUnexpected: new PatternList(allow.unexpected),
    ...mismatchRules(mismatch),
    rename,
    transpose: new PatternList(transform.map(([pattern]) => pattern)),
    initMissing: initMissing ?? null,
    cast,
    assign,
    minCoverage,
    allowNoMatch,
  };
}

function checkNames(options: unknown): void {
  if (typeof options === "boolean") {
    throw new TypeError(`Options must be an object, got ${options}: write { strict: ${options} }`);
  }
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`Options must be an object, got ${show(options)}`);
  }
  checkKeys(Object.keys(options), { allowed: OPTION_NAMES, what: "option" });
}

function checkKeys(
  names: readonly string[],
  { allowed, what }: { readonly allowed: readonly string[]; readonly what: string },
): void {
  for (const name of names) {
    if (allowed.includes(name)) continue;
    const near = nearestWord(name, allowed);
    const hint = near === null ? `the options are ${allowed.join(", ")}` : `did you mean "${near}"?`;
    throw new TypeError(`Unknown ${what} "${name}": ${hint}`);
  }
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw new TypeError(`Option "${name}" must be a boolean, got ${show(value)}`);
  return value;
}

function allowLists(strict: unknown): { missing: readonly Pattern[]; unexpected: readonly Pattern[] } {
  if (typeof strict === "boolean") return { missing: [], unexpected: [] };
  if (typeof strict !== "object" || strict === null || Array.isArray(strict)) {
    throw new TypeError(`Option "strict" must be a boolean or { allowMissing, allowUnexpected }, got ${show(strict)}`);
  }
  checkKeys(Object.keys(strict), { allowed: ["allowMissing", "allowUnexpected"], what: `option of "strict"` });
  return {
    missing: patternsIn("strict.allowMissing", "allowMissing" in strict ? strict.allowMissing : undefined),
    unexpected: patternsIn("strict.allowUnexpected", "allowUnexpected" in strict ? strict.allowUnexpected : undefined),
  };
}

function patternsIn(name: string, value: unknown): readonly Pattern[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    const hint = isPattern(value) ? `: write [${showPattern(value)}]` : "";
    throw new TypeError(`Option "${name}" must be an array of patterns, got ${show(value)}${hint}`);
  }
  return value.map((pattern: unknown) => checkedPattern(name, pattern));
}

function mismatchRules(
  mismatch: MismatchAction | MismatchRules,
): Pick<Settings, "mismatch" | "mismatchPatterns"> {
  const none = new PatternList([]);
  if (typeof mismatch === "function") {
    return { mismatch: (at) => checkedAction(mismatch(at), { got: `for "${at.key}"` }), mismatchPatterns: none };
  }
  if (typeof mismatch === "string") {
    const action = checkedAction(mismatch, {});
    return { mismatch: () => action, mismatchPatterns: none };
  }
  const rules = mismatchPairs(mismatch);
  const patterns = new PatternList(rules.map(([pattern]) => pattern));
  return {
    mismatch: ({ key }) => {
      const first = patterns.first(key);
      return first < 0 ? "error" : rules[first][1];
    },
    mismatchPatterns: patterns,
  };
}

function mismatchPairs(rules: unknown): (readonly [Pattern, MismatchAction])[] {
  if (typeof rules !== "object" || rules === null) {
    throw new TypeError(`Option "mismatch" must be an action, rules or a function, got ${show(rules)}`);
  }
  const pairs: readonly unknown[] = Array.isArray(rules) ? rules : Object.entries(rules);
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`Option "mismatch" must list pairs of a pattern and an action, got ${show(pair)}`);
    }
    const pattern = checkedPattern("mismatch", pair[0]);
    return [pattern, checkedAction(pair[1], { got: `for ${showPattern(pattern)}` })] as const;
  });
}

function checkedAction(value: unknown, { got = "" }: { readonly got?: string }): MismatchAction {
  const found = MISMATCH_ACTIONS.find((action) => action === value);
  if (found !== undefined) return found;
  const near = typeof value === "string" ? nearestWord(value, MISMATCH_ACTIONS) : null;
  throw new TypeError(
    `Option "mismatch" must be ${oneOf(MISMATCH_ACTIONS)}, got ${show(value)}${got === "" ? "" : ` ${got}`}` +
      (near === null ? "" : `: did you mean "${near}"?`),
  );
}

function checkRename(rename: unknown): void {
  if (rename === "auto") return;
  if (!Array.isArray(rename)) {
    const hint = typeof rename === "object" && rename !== null ? ": write it in an array" : "";
    throw new TypeError(`Option "rename" must be an array of rules or "auto", got ${show(rename)}${hint}`);
  }
  for (const rule of rename) checkRenameRule(rule);
}

function checkRenameRule(rule: unknown): void {
  if (typeof rule === "function") return;
  const forms = "{ strip }, { add }, { replace, with }, { drop } or a function";
  if (typeof rule !== "object" || rule === null) {
    throw new TypeError(`A rename rule must be ${forms}, got ${show(rule)}`);
  }
  const names = Object.keys(rule).sort().join(" ");
  if (names === "strip" && "strip" in rule) checkText("strip", rule.strip);
  else if (names === "add" && "add" in rule) checkText("add", rule.add);
  else if (names === "drop" && "drop" in rule) checkedPattern("drop", rule.drop);
  else if (names === "replace with" && "replace" in rule && "with" in rule) {
    if (!(rule.replace instanceof RegExp)) checkText("replace", rule.replace);
    if (typeof rule.with !== "string") throw new TypeError(`"with" must be a string, got ${show(rule.with)}`);
  } else throw new TypeError(`A rename rule must be ${forms}, got ${show(rule)}`);
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== "string") throw new TypeError(`"${name}" must be a string, got ${show(value)}`);
  if (value === "") throw new TypeError(`"${name}" must not be empty: it would be found in every key`);
}

function checkTransform(transform: unknown): void {
  if (!Array.isArray(transform)) {
    throw new TypeError(`Option "transform" must be an array of [pattern, "transpose"], got ${show(transform)}`);
  }
  for (const rule of transform) {
    if (!Array.isArray(rule) || rule.length !== 2 || rule[1] !== "transpose") {
      throw new TypeError(`Option "transform" must be an array of [pattern, "transpose"], got ${show(rule)} in it`);
    }
    checkedPattern("transform", rule[0]);
  }
}

function checkedPattern(name: string, value: unknown): Pattern {
  if (!isPattern(value)) {
    throw new TypeError(`Option "${name}" must hold patterns, strings or RegExps, got ${show(value)}`);
  }
  compilePattern(value);
  return value;
}

function isPattern(value: unknown): value is Pattern {
  return typeof value === "string" || value instanceof RegExp;
}

function checkOneOf(
  name: string,
  { value, allowed }: { readonly value: unknown; readonly allowed: readonly string[] },
): void {
  if (typeof value === "string" && allowed.includes(value)) return;
  const near = typeof value === "string" ? nearestWord(value, allowed) : null;
  throw new TypeError(
    `Option "${name}" must be ${oneOf(allowed)}, got ${show(value)}${near === null ? "" : `: did you mean "${near}"?`}`,
  );
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`Option "${name}" must be a function, got ${show(value)}`);
}

function checkPath(path: unknown): void {
  if (path === undefined) return;
  const good = Array.isArray(path) && path.every((part) => typeof part === "string" || Number.isInteger(part));
  if (good) return;
  const hint = typeof path === "string" ? `: write [${JSON.stringify(path)}]` : "";
  throw new TypeError(`Option "stateDictPath" must be an array of strings and integers, got ${show(path)}${hint}`);
}

function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError(`Option "signal" must be an AbortSignal, got ${show(signal)}`);
}

function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  return `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

function show(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `string ${JSON.stringify(value)}`;
  if (value instanceof RegExp) return `RegExp ${value}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return `an object with ${Object.keys(value).join(", ") || "no fields"}`;
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  return typeof value === "undefined" ? "undefined" : `${typeof value} ${String(value)}`;
}
