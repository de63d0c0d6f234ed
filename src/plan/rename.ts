/**
 * Rename rules: from the checkpoint's names to the model's.
 *
 * @module
 */

import type { StateDictMetadata } from "../state_dict.ts";
import { type KeyEntry, KeyJournal } from "./keys.ts";
import type { RenameRule } from "./options.ts";
import { compilePattern, showPattern } from "./pattern.ts";
import type { CheckpointRows } from "./rows.ts";

/**
 * What wrappers put in front of the names of what they wrap, at any depth: `DataParallel` and
 * `DistributedDataParallel`, `torch.compile`, FSDP, activation checkpointing, Lightning Fabric.
 */
export const WRAPPER_SEGMENTS: readonly string[] = [
  "module",
  "_orig_mod",
  "_fsdp_wrapped_module",
  "_checkpoint_wrapped_module",
  "_forward_module",
];

/** What training code calls the model that it holds, in front of every key: Lightning modules and their like. */
export const OUTER_SEGMENTS: readonly string[] = ["model", "net", "network"];

/** The checkpoint under its new names. */
export interface RenamedRows {
  /** Its keys in order, without what was dropped. */
  readonly entries: readonly KeyEntry[];
  /** `_metadata` under the new module paths. */
  readonly metadata: StateDictMetadata | null;
  /** What was done. */
  readonly journal: KeyJournal;
  /** Rules that changed no key. */
  readonly unused: readonly string[];
}

/** A rule made ready to be applied to many keys. */
interface CompiledRule {
  readonly text: string;
  readonly apply: (key: string) => string | null;
  /** What it did to one key, where that is more than its text. */
  readonly describe?: (from: string, to: string) => string;
}

/**
 * Applies the rules, in order, to every key.
 *
 * @throws {TypeError} A function answered something other than a string or `null`.
 */
export function renameRows(
  checkpoint: CheckpointRows,
  { rename, modelKeys }: {
    readonly rename: readonly RenameRule[] | "auto";
    readonly modelKeys: () => ReadonlySet<string>;
  },
): RenamedRows {
  const journal = new KeyJournal();
  if (rename.length === 0) {
    const entries = checkpoint.rows.map((row) => ({ key: row.key, row }));
    return { entries, metadata: checkpoint.metadata, journal, unused: [] };
  }
  const rules = rename === "auto" ? [unwrapRule(checkpoint, modelKeys())] : rename.map(compileRule);
  const used = new Set<CompiledRule>();
  const entries = new Map<string, KeyEntry>();
  const paths = new Map<string, string>();
  for (const row of checkpoint.rows) {
    const to = applyRules(row.key, { rules, used, note: (rule, key) => journal.rename(row, { to: key, rule }) });
    if (to.key === null) {
      journal.drop(row, to.rule);
      continue;
    }
    const there = entries.get(to.key);
    if (there?.row) journal.collide(to.key, { first: there.row.key, second: row.key });
    entries.set(to.key, { key: to.key, row });
    notePath(paths, { from: row.key, to: to.key });
  }
  const unused = rename === "auto" ? [] : rules.filter((rule) => !used.has(rule)).map((rule) => rule.text);
  return { entries: [...entries.values()], metadata: renameMetadata(checkpoint.metadata, paths), journal, unused };
}

/** A rule in words: `strip "module."`. */
export function showRule(rule: RenameRule): string {
  if (typeof rule === "function") return rule.name === "" ? "a function" : `function ${rule.name}`;
  if ("strip" in rule) return `strip ${JSON.stringify(rule.strip)}`;
  if ("add" in rule) return `add ${JSON.stringify(rule.add)}`;
  if ("drop" in rule) return `drop ${showPattern(rule.drop)}`;
  return `replace ${showPattern(rule.replace)} with ${JSON.stringify(rule.with)}`;
}

/** The rules as one function, compiled once; `null` where a key is taken out. */
export function renamer(rules: readonly RenameRule[]): (key: string) => string | null {
  const compiled = rules.map(compileRule);
  return (key) => compiled.reduce<string | null>((name, rule) => name === null ? null : rule.apply(name), key);
}

/** A rule as TypeScript to paste; a function by its name. */
export function ruleSource(rule: RenameRule): string {
  if (typeof rule === "function") return rule.name || "(key) => …";
  const fields = Object.entries(rule).map(([name, value]) => `${name}: ${showPattern(value)}`);
  return `{ ${fields.join(", ")} }`;
}

function applyRules(
  key: string,
  { rules, used, note }: {
    readonly rules: readonly CompiledRule[];
    readonly used: Set<CompiledRule>;
    readonly note: (rule: string, key: string) => void;
  },
): { readonly key: string | null; readonly rule: string } {
  let now = key;
  for (const rule of rules) {
    const next = rule.apply(now);
    if (next === now) continue;
    used.add(rule);
    if (next === null) return { key: null, rule: rule.text };
    note(rule.describe?.(now, next) ?? rule.text, next);
    now = next;
  }
  return { key: now, rule: "" };
}

function compileRule(rule: RenameRule): CompiledRule {
  const text = showRule(rule);
  if (typeof rule === "function") return { text, apply: (key) => checkedName(rule(key), key) };
  if ("strip" in rule) {
    return { text, apply: (key) => key.startsWith(rule.strip) ? key.slice(rule.strip.length) : key };
  }
  if ("add" in rule) return { text, apply: (key) => rule.add + key };
  if ("drop" in rule) {
    const matches = compilePattern(rule.drop);
    return { text, apply: (key) => matches(key) ? null : key };
  }
  const { replace, with: by } = rule;
  if (typeof replace === "string") return { text, apply: (key) => key.replaceAll(replace, () => by) };
  const own = new RegExp(replace);
  return {
    text,
    apply: (key) => {
      own.lastIndex = 0;
      return key.replace(own, by);
    },
  };
}

function checkedName(value: unknown, key: string): string | null {
  if (value === null || typeof value === "string") return value;
  throw new TypeError(`A rename function must answer a string or null, got ${typeof value} for ${JSON.stringify(key)}`);
}

/**
 * `"auto"`: the known wrappers are taken out of a key that the model does not have, as few of them as make it one that
 * the model has and the checkpoint does not have already.
 */
function unwrapRule(checkpoint: CheckpointRows, modelKeys: ReadonlySet<string>): CompiledRule {
  const present = new Set(checkpoint.rows.map((row) => row.key));
  return {
    text: "auto",
    apply: (key) => {
      if (modelKeys.has(key)) return key;
      const found = unwrappings(key).find((name) => modelKeys.has(name) && !present.has(name));
      return found ?? key;
    },
    describe: (from, to) => {
      if (from.endsWith(`.${to}`)) return `auto: strip ${JSON.stringify(from.slice(0, -to.length))}`;
      const kept = new Set(to.split("."));
      const gone = new Set(from.split(".").filter((segment) => !kept.has(segment)));
      return `auto: take out ${[...gone].map((segment) => JSON.stringify(`${segment}.`)).join(", ")}`;
    },
  };
}

/** The key without its leading wrappers and without those inside, the longest remainder first. */
function unwrappings(key: string): string[] {
  const names = new Set<string>();
  let rest = key.split(".");
  if (!rest.some(isWrapper) && !OUTER_SEGMENTS.includes(rest[0])) return [];
  for (;;) {
    names.add(rest.join("."));
    for (const wrapper of WRAPPER_SEGMENTS) names.add(rest.filter((segment) => segment !== wrapper).join("."));
    names.add(rest.filter((segment) => !isWrapper(segment)).join("."));
    if (rest.length < 2 || !(isWrapper(rest[0]) || OUTER_SEGMENTS.includes(rest[0]))) break;
    rest = rest.slice(1);
  }
  names.delete(key);
  return [...names].sort((a, b) => b.length - a.length);
}

function isWrapper(segment: string): boolean {
  return WRAPPER_SEGMENTS.includes(segment);
}

/** A renamed key tells what its module is called now, and the modules above while their names agree. */
function notePath(paths: Map<string, string>, { from, to }: { readonly from: string; readonly to: string }): void {
  let old = parentPath(from);
  let now = parentPath(to);
  while (old !== null && now !== null && !paths.has(old)) {
    paths.set(old, now);
    if (lastSegment(old) !== lastSegment(now)) return;
    old = parentPath(old);
    now = parentPath(now);
  }
}

/** As `consume_prefix_in_state_dict_if_present` does: versions follow their modules, and a wrapper's own goes. */
function renameMetadata(
  metadata: StateDictMetadata | null,
  paths: ReadonlyMap<string, string>,
): StateDictMetadata | null {
  if (metadata === null) return null;
  const unmoved = [...metadata].filter(([path]) => (paths.get(path) ?? path) === path);
  const moved = [...metadata].flatMap(([path, value]) => {
    const to = paths.get(path);
    return to === undefined || to === path ? [] : [[to, value] as const];
  });
  return new Map([...unmoved, ...moved]);
}

function parentPath(path: string): string | null {
  if (path === "") return null;
  const dot = path.lastIndexOf(".");
  return dot < 0 ? "" : path.slice(0, dot);
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
