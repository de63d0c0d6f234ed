/**
 * What the plan suggests, as options of this command line: the library says it in TypeScript.
 *
 * @module
 */

import type { Suggestion } from "../../mod.ts";
import { quoteForShell, ruleFlag } from "./rename_rules.ts";

/** A string literal; its text is JSON. */
const LITERAL = /"(?:[^"\\]|\\.)*"/g;

/** The options to add, or `null` where there are none that say it. */
export function suggestedFlags(suggestion: Suggestion): string | null {
  const { kind, rename, option } = suggestion;
  switch (kind) {
    case "rename":
      return joined(rename.map(ruleFlag));
    case "wrapper":
      return `--state-dict ${quoteForShell(literals(option).join("."))}`;
    case "transpose":
      return joined(literals(option).filter((_, i) => i % 2 === 0).map((glob) => `--transpose ${quoteForShell(glob)}`));
    case "mismatch":
      return joined(
        pairs(literals(option)).map(([glob, action]) => `--mismatch ${quoteForShell(`${glob}=${action}`)}`),
      );
    case "allow":
      return joined(
        option.split(/(?=allowMissing: \[|allowUnexpected: \[)/).flatMap((part) => {
          const flag = part.startsWith("allowMissing") ? "--allow-missing" : "--allow-unexpected";
          return literals(part).map((glob) => `${flag} ${quoteForShell(glob)}`);
        }),
      );
  }
}

function literals(text: string): string[] {
  return (text.match(LITERAL) ?? []).map((literal) => String(JSON.parse(literal)));
}

function pairs(words: readonly string[]): [string, string][] {
  return words.flatMap((word, i): [string, string][] => i % 2 === 0 ? [[word, words[i + 1]]] : []);
}

function joined(flags: readonly (string | null)[]): string | null {
  return flags.length === 0 || flags.includes(null) ? null : flags.join(" ");
}
