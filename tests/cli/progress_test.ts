import { assertEquals, assertRejects } from "@std/assert";
import { ProgressLine, withProgress } from "../../src/cli/progress.ts";
import type { Terminal } from "../../src/cli.ts";

/** A terminal of which only the progress is used. */
function terminal(isWatched: boolean, lines: string[]): Terminal {
  return {
    width: 80,
    color: false,
    isWatched,
    print: () => {},
    complain: () => {},
    progress: (line) => lines.push(line),
    interruption: () => new AbortController().signal,
  };
}

Deno.test("ProgressLine shows percents after a moment, not too often, and takes them away", () => {
  const lines: string[] = [];
  let now = 0;
  const line = new ProgressLine(terminal(true, lines), "Converting", () => now);
  for (now = 0; now <= 1000; now += 20) line.onProgress({ done: now, total: 1000 });
  line.end();
  line.end();
  assertEquals(lines, [
    "Converting 50 %",
    "Converting 60 %",
    "Converting 70 %",
    "Converting 80 %",
    "Converting 90 %",
    "Converting 100 %",
    "",
  ]);
});

Deno.test("ProgressLine shows nothing where nobody watches", () => {
  const lines: string[] = [];
  let now = 0;
  const line = new ProgressLine(terminal(false, lines), "Converting", () => now);
  for (now = 0; now <= 2000; now += 100) line.onProgress({ done: now, total: 2000 });
  line.end();
  assertEquals(lines, []);
});

Deno.test("withProgress() hands through what the work gives and throws", async () => {
  assertEquals(await withProgress(terminal(true, []), "Working", () => Promise.resolve(3)), 3);
  await assertRejects(() => withProgress(terminal(true, []), "Working", () => Promise.reject(new Error("no"))), Error);
});
