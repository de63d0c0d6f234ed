/**
 * What turns one key into another, and the rename rule that does it.
 *
 * @module
 */

import type { RenameRule } from "./options.ts";

/** Segments that become other segments: `from` is never empty but at the beginning of a key. */
export interface Edit {
  /** Whether it is at the beginning of the key. */
  readonly atStart: boolean;
  /** Whether it is at the end of the key. */
  readonly atEnd: boolean;
  /** The segments in the checkpoint's key. */
  readonly from: readonly string[];
  /** The segments in the model's key. */
  readonly to: readonly string[];
}

/** A name that two edits share where one rule makes both. */
export function editName({ atStart, from, to }: Edit): string {
  return `${atStart ? "^" : ""}${from.join(".")}>${to.join(".")}`;
}

/** `block12` to `blk12` is `block` to `blk`, and `block12` to `layers.12` is `block` to `layers.`. */
export function trimNumbers(edit: Edit): Edit {
  const [old, now] = [edit.from.join("."), edit.to.join(".")];
  const number = old.match(/\D(\d+)$/)?.[1];
  if (number === undefined || now.match(/\D(\d+)$/)?.[1] !== number) return edit;
  const cut = (text: string) => [`${text.slice(0, -number.length)}#`];
  return { ...edit, atEnd: false, from: cut(old), to: cut(now) };
}

/**
 * Longer matches before shorter ones, and additions last. More order is not needed: no rule makes a name that another
 * one changes, since old names are not in the model and new ones not in the checkpoint.
 */
export function moreSpecificFirst(a: Edit, b: Edit): number {
  return b.from.length - a.from.length || b.from.join(".").length - a.from.join(".").length;
}

/** The simplest rule that makes the edit in its place only. */
export function ruleOf({ atStart, atEnd, from, to }: Edit): RenameRule {
  const [old, now] = [from.join("."), to.join(".")];
  if (atStart && from.length === 0) return { add: `${now}.` };
  if (atStart && to.length === 0) return { strip: `${old}.` };
  const replacement = now.replace(/#$/, "").replaceAll("$", "$$$$");
  const before = atStart ? "^" : "(^|\\.)";
  const kept = atStart ? "" : "$1";
  if (old.endsWith("#")) {
    return { replace: new RegExp(`${before}${escaped(old.slice(0, -1))}(?=\\d)`), with: kept + replacement };
  }
  if (to.length === 0) return { replace: new RegExp(`(^|\\.)${escaped(old)}\\.`), with: "$1" };
  const after = atEnd ? "$" : "(?=\\.)";
  return { replace: new RegExp(before + escaped(old) + after), with: kept + replacement };
}

/** The edit as text that is replaced wherever it stands, where that could be meant. */
export function plainRuleOf({ atStart, atEnd, from, to }: Edit): RenameRule | null {
  const [old, now] = [from.join("."), to.join(".")];
  if (from.length === 0 || (atStart && to.length === 0)) return null;
  if (old.endsWith("#")) return { replace: old.slice(0, -1), with: now.slice(0, -1) };
  if (to.length === 0) return { replace: `${old}.`, with: "" };
  if (!atEnd) return { replace: `${old}.`, with: `${now}.` };
  return atStart ? { replace: old, with: now } : { replace: `.${old}`, with: `.${now}` };
}

/** Text as a regular expression that matches it. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
