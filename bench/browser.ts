/**
 * `deno run -A bench/browser.ts [section …] [--runs N] [--seconds N] [--browser PATH] [--serve]`: what the library reaches
 * in Chromium, beside Deno in the same run. The sections are the keys of `PORTABLE_SECTIONS`.
 *
 * Every section of every run is a Deno and a Chromium of its own, one after the other; the median of the runs counts. A
 * page does not know how long it was on a core, so that there the canaries alone tell which samples count. With `--serve`
 * no browser is started: the page can be opened in any.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Chromium } from "./chromium.ts";
import { barText, type Figure, figureText, type Row, rowsOf } from "./figure.ts";
import { PageServer } from "./page_server.ts";
import { PORTABLE_SECTIONS } from "./portable_sections.ts";
import { ownTime, runSection } from "./process.ts";
import { progress } from "./progress.ts";
import { median } from "./rounds.ts";
import { measureHere } from "./section.ts";
import { table } from "./table.ts";

/** Runs, and seconds that a match may take, unless told otherwise. */
const RUNS = 1;
const SECONDS = 5;

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    options: {
      runs: { type: "string" },
      seconds: { type: "string" },
      browser: { type: "string" },
      serve: { type: "boolean" },
      figures: { type: "boolean" },
    },
    allowPositionals: true,
  });
  const names = Object.keys(PORTABLE_SECTIONS);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`Cannot measure "${unknown}": the sections are ${names.join(", ")}`);
  }
  const chosen = positionals.length > 0 ? positionals : names;
  const seconds = Number(values.seconds ?? SECONDS);
  if (values.figures) {
    console.log(JSON.stringify(await measureHere(PORTABLE_SECTIONS[chosen[0]].measure, { seconds, ownTime })));
  } else if (values.serve) await serve();
  else await report(chosen, { runs: Number(values.runs ?? RUNS), seconds, browser: values.browser });
}

async function serve(): Promise<void> {
  const server = await PageServer.start(0);
  console.log(`${server.url} until this program is ended`);
}

interface ReportOptions {
  readonly runs: number;
  readonly seconds: number;
  readonly browser: string | undefined;
}

async function report(names: readonly string[], { runs, seconds, browser }: ReportOptions): Promise<void> {
  const chromium = await Chromium.find(browser);
  const server = await PageServer.start(0);
  const measured = names.map((name) => ({
    name,
    deno: new Array<readonly Figure[]>(),
    page: new Array<readonly Figure[]>(),
  }));
  try {
    for (let i = 0; i < runs; i++) {
      for (const { name, deno, page } of measured) {
        await progress(`${name} in Deno`);
        deno.push(await runSection("browser.ts", name, seconds));
        await progress(`${name} in ${chromium.version}`);
        page.push(await inPage(name, { chromium, server, seconds }));
      }
    }
  } finally {
    await progress();
    await server.stop();
  }
  const lines = measured.flatMap(({ name, deno, page }) => [
    [`**${PORTABLE_SECTIONS[name].title}**`, "", "", "", "", ""],
    ...linesOf(rowsOf(deno), rowsOf(page)),
  ]);
  const headings = ["what", `Deno ${Deno.version.deno}`, chromium.version, "bar", "beside it in Deno", "in Chromium"];
  console.log(table(headings, lines));
}

interface PageOptions {
  readonly chromium: Chromium;
  readonly server: PageServer;
  readonly seconds: number;
}

function inPage(name: string, { chromium, server, seconds }: PageOptions): Promise<readonly Figure[]> {
  const url = new URL(`?${new URLSearchParams({ section: name, seconds: String(seconds) })}`, server.url);
  return chromium.show(url, server.next());
}

/** Both hosts' figures beside each other, by what they are. */
function linesOf(deno: readonly Row[], page: readonly Row[]): string[][] {
  return page.map(({ what, bar, figures }) => {
    const beside = deno.find((row) => row.what === what)?.figures ?? [];
    return [what, medianText(beside), medianText(figures), barText(bar), noteOf(beside), noteOf(figures)];
  });
}

function medianText(figures: readonly Figure[]): string {
  const values = figures.flatMap(({ value }) => value === null ? [] : [value]);
  const [first] = figures;
  if (first === undefined) return "";
  const isQuiet = figures.every(({ isQuiet = true }) => isQuiet);
  return figureText({ what: first.what, value: values.length > 0 ? median(values) : null, isQuiet });
}

function noteOf(figures: readonly Figure[]): string {
  return figures.at(-1)?.note ?? "";
}
