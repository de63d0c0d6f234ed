/**
 * Programs that run in a process of their own: what is measured once, in memory that nobody used before.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";

/** The configuration that names the peers' packages. */
const PEERS = fileURLToPath(new URL("peers/deno.json", import.meta.url));

/** Runs this program with arguments and returns what it prints. */
export async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout, success, code } = await new Deno.Command(command, { args: [...args], stderr: "inherit" }).output();
  if (!success) throw new Error(`"${command} ${args.join(" ")}" ended with ${code}`);
  return new TextDecoder().decode(stdout).trim();
}

/** The same for a script of this folder, on this Deno. */
export function runScript(name: string, args: readonly string[]): Promise<string> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return run(Deno.execPath(), ["run", "-A", "--quiet", script, ...args]);
}

/** The figures of a section, by a script of this folder that prints them for `NAME --figures`. */
export async function runSection(script: string, name: string, seconds: number): Promise<readonly Figure[]> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const args = ["run", "-A", "--quiet", "--config", PEERS, path, name, "--figures", "--seconds", String(seconds)];
  // What a peer prints comes before.
  return JSON.parse((await run(Deno.execPath(), args)).split("\n").at(-1) ?? "");
}

/** Milliseconds that this process was on a core so far, all its threads together. */
export function ownTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The most memory that this process had so far, in MiB: the kernel's own figure (`VmHWM`), on Linux alone. */
export function peakMemory(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
