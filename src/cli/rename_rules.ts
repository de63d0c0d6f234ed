/**
 * Rename rules as options: `--strip module. --rename gamma=weight --drop 'ema.*'`, applied in the order given.
 *
 * @module
 */

import type { RenameRule } from "../../mod.ts";
import { type Call, type Option, UsageError } from "./command.ts";

/** The options that are rules. */
export const RENAME_OPTIONS: readonly Option[] = [
  { name: "strip", value: "PREFIX", many: true, help: "take PREFIX off the beginning of every key: --strip module." },
  { name: "add", value: "PREFIX", many: true, help: "put PREFIX in front of every key" },
  {
    name: "rename",
    value: "FROM=TO",
    many: true,
    help: "replace FROM by TO wherever it is in a key; FROM may be a regular expression: '/^h\\.(\\d+)/=layers.$1'",
  },
  { name: "drop", value: "GLOB", many: true, help: "take out the keys that match" },
];

/** `/pattern/flags=to`. */
const EXPRESSION = /^\/(?<source>.+)\/(?<flags>[a-z]*)=(?<to>.*)$/s;

/** The rules of a call, in the order given. */
export function renameRules(call: Call): RenameRule[] {
  return call.ordered(RENAME_OPTIONS.map(({ name }) => name)).map(([name, value]) => ruleOf(name, value));
}

/** A rule as options for a shell; `null` where no option says it. */
export function ruleFlag(rule: RenameRule): string | null {
  if (typeof rule === "function") return null;
  if ("strip" in rule) return `--strip ${quoteForShell(rule.strip)}`;
  if ("add" in rule) return `--add ${quoteForShell(rule.add)}`;
  if ("drop" in rule) return typeof rule.drop === "string" ? `--drop ${quoteForShell(rule.drop)}` : null;
  const { replace } = rule;
  // A string that holds "=" would be cut there.
  if (typeof replace === "string" && (replace.includes("=") || replace.startsWith("/"))) return null;
  return `--rename ${quoteForShell(`${replace}=${rule.with}`)}`;
}

/** A word as a POSIX shell takes it. */
export function quoteForShell(word: string): string {
  return /^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function ruleOf(name: string, value: string): RenameRule {
  if (name === "strip") return { strip: value };
  if (name === "add") return { add: value };
  if (name === "drop") return { drop: value };
  const expression = EXPRESSION.exec(value)?.groups;
  if (expression !== undefined) return { replace: compile(expression, value), with: expression.to };
  const cut = value.indexOf("=");
  if (cut < 1) throw new UsageError(`--rename needs FROM=TO, got "${value}": --rename gamma=weight`);
  return { replace: value.slice(0, cut), with: value.slice(cut + 1) };
}

function compile({ source, flags }: Readonly<Record<string, string>>, value: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--rename ${value}: ${reason}`);
  }
}
