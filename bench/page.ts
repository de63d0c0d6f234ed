/**
 * The script of `page.html`: measures the sections that the address names (`/?section=linear&seconds=5`), or all, shows
 * each when it is done, and sends the figures to where the page came from.
 *
 * @module
 */

import { VERSION } from "../mod.ts";
import { barText, type Figure, figureText, type Row, rowsOf, verdict } from "./figure.ts";
import { PORTABLE_SECTIONS } from "./portable_sections.ts";
import { measureHere } from "./section.ts";

/** Seconds that a match may take, unless told otherwise. */
const SECONDS = 5;

/** The columns of a section. */
const HEADINGS = ["what", "figure", "bar", "verdict", "beside it"] as const;

try {
  const query = new URLSearchParams(location.search);
  const chosen = query.getAll("section");
  const names = chosen.length > 0 ? chosen : Object.keys(PORTABLE_SECTIONS);
  const isolated = crossOriginIsolated
    ? "cross-origin isolated"
    : "NOT cross-origin isolated, so that its clock is coarse";
  document.querySelector("#host")?.replaceChildren(`Graft ${VERSION}, ${navigator.userAgent}, ${isolated}`);
  const seconds = Number(query.get("seconds") ?? SECONDS);
  for (const name of names) {
    const { title, measure } = PORTABLE_SECTIONS[name];
    const figures = await measureHere(measure, { seconds });
    document.querySelector("main")?.append(tableOf(title, figures));
    await send({ figures });
  }
} catch (error) {
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  document.querySelector("output")?.replaceChildren(text);
  await send({ failure: text });
}

/** What the page tells. */
async function send(message: { readonly figures: readonly Figure[] } | { readonly failure: string }): Promise<void> {
  await fetch("/figures", { method: "POST", body: JSON.stringify(message) });
}

function tableOf(title: string, figures: readonly Figure[]): HTMLTableElement {
  const table = document.createElement("table");
  table.createCaption().append(title);
  const head = table.createTHead().insertRow();
  for (const heading of HEADINGS) {
    const cell = document.createElement("th");
    cell.append(heading);
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rowsOf([figures])) {
    const line = body.insertRow();
    for (const text of cellsOf(row)) line.insertCell().append(text);
  }
  return table;
}

function cellsOf(row: Row): readonly string[] {
  const [figure] = row.figures;
  return [row.what, figureText(figure), barText(row.bar), verdict(row), figure.note ?? ""];
}
