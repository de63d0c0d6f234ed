/**
 * What `--help` prints.
 *
 * @module
 */

import type { Command, Option } from "./command.ts";

/** Columns of the help where nobody says how many; more make it no better. */
const WIDTH = 80;
/** The widest name that has its text beside it rather than below. */
const WIDEST_NAME = 26;

/** The options of every command. */
export const EVERYWHERE: readonly Option[] = [
  { name: "json", help: "print data rather than text; the keys are stable" },
  { name: "help", help: "this text" },
];

/** The help of the whole program. */
export function programHelp(commands: readonly Command[], width = WIDTH): string {
  return [
    "Graft puts pretrained PyTorch weights onto the model you actually have.",
    "",
    "Usage: graft COMMAND …",
    "",
    ...table(commands.map(({ name, summary }) => [name, summary]), width),
    "",
    ...table([["--help", "this text, or that of a command: graft plan --help"], ["--version", "the version"]], width),
    "",
    "Exit codes: 0 done; 1 refused, or different; 2 the arguments are wrong.",
    "",
    "Example:",
    `  ${commands[0].example}`,
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: Command, width = WIDTH): string {
  const options = [...command.options, ...EVERYWHERE];
  return [
    `Usage: ${usage(command)}`,
    "",
    ...wrap(capitalised(command.summary), Math.min(width, WIDTH)),
    "",
    ...table(options.map((option) => [spelling(option), option.help]), width),
    "",
    "Example:",
    `  ${command.example}`,
  ].join("\n");
}

/** `graft inspect FILE …`. */
export function usage({ name, files, options }: Command): string {
  const required = options.filter((option) => option.required).map(spelling);
  return ["graft", name, ...files, ...required, "[options]"].join(" ");
}

/** `--filter GLOB`, `--[no-]strict`. */
export function spelling({ name, value, negatable }: Option): string {
  return `--${negatable ? "[no-]" : ""}${name}${value === undefined ? "" : ` ${value}`}`;
}

function capitalised(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

function table(rows: readonly (readonly [string, string])[], width: number): string[] {
  const names = rows.map(([name]) => name.length).filter((length) => length <= WIDEST_NAME);
  const column = Math.max(0, ...names) + 4;
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(20, Math.min(width, WIDTH) - column));
    const first = name.length + 4 <= column ? `  ${name.padEnd(column - 2)}${lines.shift()}` : `  ${name}`;
    return [first, ...lines.map((line) => " ".repeat(column) + line)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
