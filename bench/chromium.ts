/**
 * A Chromium without a window, in a process and with a profile of its own.
 *
 * @module
 */

import { rmSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** The variable that names one. */
const VARIABLE = "CHROMIUM";

/** What it is called where it is installed. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];

/** No window, and nothing that it does by itself: it would use the core that is being measured. */
const FLAGS = [
  "--headless=new",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-extensions",
  "--disable-gpu",
  "--disable-sync",
];

/** How often to try to remove a profile, and milliseconds between. */
const ATTEMPTS = 25;
const BETWEEN_ATTEMPTS = 200;

/** An installed Chromium. */
export class Chromium {
  /** The program. */
  readonly path: string;
  /** As it names itself. */
  readonly version: string;

  private constructor(path: string, version: string) {
    this.path = path;
    this.version = version;
  }

  /**
   * The one at `path`, else the one that `CHROMIUM` names, else the first on the path.
   *
   * @throws {Error} There is none.
   */
  static async find(path = process.env[VARIABLE] ?? onPath()): Promise<Chromium> {
    if (path === undefined) {
      throw new Error(
        `Cannot find a Chromium: --browser or ${VARIABLE} can name one, or it is on the path as ${NAMES[0]}`,
      );
    }
    // What its starting script complains about is nobody's business here.
    const { stdout } = await new Deno.Command(path, { args: ["--version"] }).output();
    const [name = path] = /^\w+ [\d.]+/.exec(new TextDecoder().decode(stdout)) ?? [];
    return new Chromium(path, name);
  }

  /** Shows a page until `done` settles, which a browser that ends does not wait for. */
  async show<T>(url: URL, done: Promise<T>): Promise<T> {
    const profile = Deno.makeTempDirSync({ prefix: "graft-chromium-" });
    // Its sandbox does not start for root, which is what a container has.
    const flags = Deno.uid() === 0 ? [...FLAGS, "--no-sandbox"] : FLAGS;
    const args = [...flags, `--user-data-dir=${profile}`, url.href];
    const child = new Deno.Command(this.path, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    let isOver = false;
    const ended = child.status.then(({ code }): never => {
      isOver = true;
      throw new Error(`"${this.path}" ended with ${code} before the page was done`);
    });
    try {
      return await Promise.race([done, ended]);
    } finally {
      ended.catch(() => {});
      if (!isOver) child.kill();
      await child.status;
      await remove(profile);
    }
  }
}

/** Chromium's other processes end a little after the first, and write into the profile until then. */
async function remove(profile: string): Promise<void> {
  for (let left = ATTEMPTS; left > 0; left--) {
    try {
      return rmSync(profile, { recursive: true, force: true });
    } catch (error) {
      if (left === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_ATTEMPTS));
    }
  }
}

function onPath(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isFile);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
