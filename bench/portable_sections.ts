/**
 * The sections of the report that need no files and no processes: what a page measures as Deno does.
 *
 * @module
 */

import { blobFigures } from "./blob_figures.ts";
import { callTimes } from "./call_times.ts";
import { linearFigures } from "./linear_figures.ts";
import { sweepFigures } from "./linear_sweep.ts";
import { productFigures } from "./product_figures.ts";
import type { Measure } from "./section.ts";
import { threadFigures } from "./thread_figures.ts";

/** A section of the table. */
interface PortableSection {
  readonly title: string;
  readonly measure: Measure;
}

/** The sections by name, in the order of the table. */
export const PORTABLE_SECTIONS: Readonly<Record<string, PortableSection>> = {
  linear: { title: "Linear forward", measure: linearFigures },
  sweep: { title: "Linear forward, every size", measure: sweepFigures },
  products: { title: "Products by the same kernels", measure: productFigures },
  threads: { title: "Two threads", measure: threadFigures },
  calls: { title: "Small calls", measure: callTimes },
  blob: { title: "Loading from a Blob", measure: blobFigures },
};
