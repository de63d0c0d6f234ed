/**
 * `deno task bench:report [section …] [--runs N] [--seconds N]`: one table of everything the library means to reach.
 *
 * Every section of every run is a process of its own, so that none is measured in the memory or with the compiled code
 * of another. Within one, contestants take turns on one thread. A bar is reached if it holds in every run. A `~` marks a
 * number from too few quiet moments; the seconds are what one match may take. The sections are the keys of `SECTIONS`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { callFigures } from "./call_figures.ts";
import { barText, type Figure, figureText, type Row, rowsOf, verdict } from "./figure.ts";
import { initFigures } from "./init_figures.ts";
import { conversionSection, gigabyteSection } from "./loading_figures.ts";
import { PORTABLE_SECTIONS } from "./portable_sections.ts";
import { ownTime, runSection } from "./process.ts";
import { type Measure, measureHere } from "./section.ts";
import { startFigures } from "./start_figures.ts";
import { table } from "./table.ts";
import { windowFigures } from "./window.ts";

/** Runs, and seconds that a match may take, unless told otherwise. */
const RUNS = 1;
const SECONDS = 5;

/** A section of the table. */
interface Section {
  readonly title: string;
  readonly measure: Measure;
  /** Why it runs only where it is named. */
  readonly reason?: string;
}

/** The sections by name, in the order of the table. */
const SECTIONS: Readonly<Record<string, Section>> = {
  linear: PORTABLE_SECTIONS.linear,
  sweep: PORTABLE_SECTIONS.sweep,
  products: PORTABLE_SECTIONS.products,
  threads: PORTABLE_SECTIONS.threads,
  loading: { title: "Loading 1 GiB", measure: gigabyteSection },
  conversion: { title: "Loading with casts, transposes, many tensors", measure: conversionSection },
  window: { title: "More than wasm memory", measure: windowFigures, reason: "writes 6 GiB and takes 10 GiB of memory" },
  init: { title: "Initialisation and construction", measure: initFigures },
  calls: { title: "Small calls", measure: callFigures },
  start: { title: "Start", measure: startFigures },
};

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    options: { runs: { type: "string" }, seconds: { type: "string" }, figures: { type: "boolean" } },
    allowPositionals: true,
  });
  const seconds = Number(values.seconds ?? SECONDS);
  const unknown = positionals.filter((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown.length > 0) {
    throw new TypeError(`Cannot measure "${unknown[0]}": the sections are ${Object.keys(SECTIONS).join(", ")}`);
  }
  if (values.figures) {
    console.log(JSON.stringify(await measureHere(SECTIONS[positionals[0]].measure, { seconds, ownTime })));
  } else await report(positionals, { runs: Number(values.runs ?? RUNS), seconds });
}

interface ReportOptions {
  readonly runs: number;
  readonly seconds: number;
}

async function report(names: readonly string[], { runs, seconds }: ReportOptions): Promise<void> {
  const sections = Object.entries(SECTIONS).filter(([name]) => names.length === 0 || names.includes(name));
  const isRun = ([name, { reason }]: readonly [string, Section]) => reason === undefined || names.includes(name);
  const measured = new Map<string, (readonly Figure[])[]>(sections.map(([name]) => [name, []]));
  const started = performance.now();
  for (let i = 0; i < runs; i++) {
    for (const [name] of sections.filter(isRun)) {
      measured.get(name)?.push(await runSection("report.ts", name, seconds));
    }
  }
  const runNames = runs === 1 ? ["figure"] : Array.from({ length: runs }, (_, i) => `run ${i + 1}`);
  const headings = ["what", ...runNames, "bar", "verdict", "beside it in the last run"];
  const lines = sections.flatMap(([name, { title, reason }]): string[][] => {
    const rows = rowsOf(measured.get(name) ?? []);
    const note = rows.length === 0 ? `: not run, it ${reason}; deno task bench:report ${name}` : "";
    return [[`**${title}**${note}`, ...headings.slice(1).map(() => "")], ...rows.map((row) => lineOf(row, runs))];
  });
  console.log(table(headings, lines));
  const minutes = ((performance.now() - started) / 60_000).toFixed(0);
  console.log(`\n${summary(Array.from(measured.values(), rowsOf).flat())} ${minutes} minutes.`);
}

function lineOf(row: Row, runs: number): string[] {
  const figures = Array.from({ length: runs }, (_, i) => row.figures.at(i));
  return [
    row.what,
    ...figures.map((figure) => figure === undefined ? "" : figureText(figure)),
    barText(row.bar),
    verdict(row),
    row.figures.at(-1)?.note ?? "",
  ];
}

function summary(rows: readonly Row[]): string {
  const verdicts = rows.map(verdict).filter((text) => text !== "");
  return `${verdicts.filter((text) => text === "reached").length} of ${verdicts.length} bars are reached.`;
}
