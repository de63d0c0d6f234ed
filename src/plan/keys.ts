/**
 * The checkpoint's keys on their way to the model: what each is called now, and how it came to be called so.
 *
 * @module
 */

import type { KeyEditor } from "./key_editor.ts";
import type { CheckpointRow } from "./rows.ts";

export type { KeyEditor };

/** A key as it stands, and where its value comes from. */
export interface KeyEntry {
  /** The key as it is called now. */
  readonly key: string;
  /** The checkpoint's entry behind it; `null`: an upgrade declared it present with the model's own value. */
  readonly row: CheckpointRow | null;
}

/** Who edits keys: what an edit may touch, and what it is called in the report. */
export interface EditorScope {
  /** What every key of the module begins with. */
  readonly prefix: string;
  /** The edit in the report's words. */
  readonly rule: string;
  /** Where edits are recorded. */
  readonly journal: KeyJournal;
}

/** Everything that was done to keys, for the report. */
export class KeyJournal {
  readonly #renamed = new Map<CheckpointRow, { readonly to: string; readonly rules: readonly string[] }>();
  readonly #dropped = new Map<CheckpointRow, string>();
  readonly #collisions = new Map<string, readonly string[]>();

  /** Records that `row` is now called `to`; several renames of one row become one line. */
  rename(row: CheckpointRow, { to, rule }: { readonly to: string; readonly rule: string }): void {
    const rules = this.#renamed.get(row)?.rules ?? [];
    this.#renamed.set(row, { to, rules: [...rules, rule] });
  }

  /** Records that `row` was taken out. */
  drop(row: CheckpointRow, rule: string): void {
    this.#dropped.set(row, rule);
  }

  /** Records that `first` and `second` are both called `to`. */
  collide(to: string, { first, second }: { readonly first: string; readonly second: string }): void {
    const before = this.#collisions.get(to) ?? [first];
    this.#collisions.set(to, [...before, second]);
  }

  /** The renames, one per row, in the order of the first. */
  renamed(): { readonly from: string; readonly to: string; readonly rule: string }[] {
    return [...this.#renamed]
      .filter(([row]) => !this.#dropped.has(row))
      .map(([row, { to, rules }]) => ({ from: row.key, to, rule: rules.join(", then ") }));
  }

  /** What was taken out, in order. */
  dropped(): { readonly key: string; readonly rule: string }[] {
    return [...this.#dropped].map(([row, rule]) => ({ key: row.key, rule }));
  }

  /** Names that several keys ended up with. */
  collisions(): { readonly to: string; readonly from: readonly string[] }[] {
    return [...this.#collisions].map(([to, from]) => ({ to, from }));
  }
}

/** {@linkcode KeyEditor} over the entries of one module. */
export class ModuleKeys implements KeyEditor {
  readonly #entries: Map<string, KeyEntry>;
  readonly #scope: EditorScope;

  /** Copies the entries: they belong to the parent too, which must not see edits. */
  constructor(entries: readonly KeyEntry[], scope: EditorScope) {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.#scope = scope;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  rename(from: string, to: string): void {
    const entry = this.#expect("rename", from);
    if (from === to) return;
    this.#expectInside(`rename ${JSON.stringify(from)} to`, to);
    const { rule, journal } = this.#scope;
    const there = this.#entries.get(to);
    if (there !== undefined) journal.collide(to, { first: there.row?.key ?? to, second: entry.row?.key ?? from });
    this.#entries.delete(from);
    this.#entries.set(to, { key: to, row: entry.row });
    if (entry.row !== null) journal.rename(entry.row, { to, rule });
  }

  drop(key: string): void {
    const { row } = this.#expect("drop", key);
    this.#entries.delete(key);
    if (row !== null) this.#scope.journal.drop(row, this.#scope.rule);
  }

  keep(key: string): void {
    this.#expectInside("keep", key);
    if (this.#entries.has(key)) throw new TypeError(`Cannot keep key ${JSON.stringify(key)}: the checkpoint has it`);
    this.#entries.set(key, { key, row: null });
  }

  [Symbol.iterator](): Iterator<string> {
    return [...this.#entries.keys()].values();
  }

  /** The entries after editing, in order. */
  entries(): readonly KeyEntry[] {
    return [...this.#entries.values()];
  }

  #expect(verb: string, key: string): KeyEntry {
    const entry = this.#entries.get(key);
    if (entry !== undefined) return entry;
    throw new TypeError(
      `Cannot ${verb} key ${JSON.stringify(key)}: not in the checkpoint below "${this.#scope.prefix}"`,
    );
  }

  #expectInside(verb: string, key: string): void {
    if (key.startsWith(this.#scope.prefix)) return;
    throw new TypeError(`Cannot ${verb} key ${JSON.stringify(key)}: must begin with "${this.#scope.prefix}"`);
  }
}
