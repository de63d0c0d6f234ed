/**
 * What an example prints, as one text.
 *
 * @module
 */

/** Runs an example in this process with `console.log` listening. Returns its result and its lines. */
export async function printed<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly text: string }> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => {
    lines.push(values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" "));
  };
  try {
    return { result: await run(), text: lines.join("\n") };
  } finally {
    console.log = log;
  }
}
