/**
 * One test per row of the corpus of attacks: what is opened from memory, from a path and from a Blob ends as the row
 * says, in the same error or the same bytes, and no more was read than the size of the file warrants. The tests may
 * read files and nothing else.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ByteSource,
  CheckpointError,
  LimitError,
  openCheckpoint,
  type OpenOptions,
  type SourceLike,
  TruncatedError,
  UnsupportedError,
} from "../../src/checkpoint/mod.ts";
import { StoredTensor } from "../../src/checkpoint/stored_tensor.ts";
import { type Plain, plain } from "./plain.ts";

const FOLDER = new URL("../fixtures/attacks/", import.meta.url);

/** The classes that a file of a stranger may end in. */
const CLASSES = [CheckpointError, LimitError, TruncatedError, UnsupportedError];

/** What is looked at to say what a file is: its first bytes, and 512 from either end. */
const DETECTION_BYTES = 16 + 2 * 512;

/** A zip's end is looked for twice, in the last 98 bytes and in the last 64 KiB. */
const END_BYTES = 98;

/** Where something went wrong, in the order of time. */
const TIMES = ["open", "stateDict", "read"] as const;

interface Attack {
  readonly file: string;
  readonly attack: string;
  readonly options?: OpenOptions;
  readonly outcome: Opens | Refused;
}

interface Opens {
  readonly opens: true;
  readonly tensors?: Readonly<Record<string, string>>;
  readonly others?: Readonly<Record<string, Plain>>;
}

interface Refused {
  readonly error: string;
  readonly message: string;
  readonly when: typeof TIMES[number];
  readonly tensors?: Readonly<Record<string, string>>;
}

/** What came out of a file. */
interface Found {
  readonly tensors: Map<string, string>;
  readonly others: Map<string, Plain>;
  /** What went wrong, if anything did. */
  readonly failure: { readonly error: Error; readonly when: typeof TIMES[number] } | null;
}

const ATTACKS: readonly Attack[] = JSON.parse(Deno.readTextFileSync(new URL("attacks.json", FOLDER)));

for (const { file, attack, options, outcome } of ATTACKS) {
  Deno.test({
    name: `${file}: ${attack}`,
    permissions: { read: true },
    async fn() {
      const path = fileURLToPath(new URL(file, FOLDER));
      compare(await resultOf(path, options, outcome), outcome, { name: path, isPatient: false });
      if (file.includes("/")) return; // what names other files is opened by its path
      const bytes = await Deno.readFile(path);
      compare(await resultOf(bytes, options, outcome), outcome, { name: "bytes", isPatient: false });
      const blob = new Blob([bytes]);
      compare(await resultOf(blob, options, outcome), outcome, { name: "blob", isPatient: true });
      const counted = new CountedSource(bytes);
      compare(await resultOf(counted, options, outcome), outcome, { name: "counted", isPatient: true });
      const warranted = DETECTION_BYTES + END_BYTES + 3 * bytes.length;
      assert(counted.bytesRead <= warranted, `${counted.bytesRead} bytes read of ${bytes.length}`);
    },
  });
}

Deno.test("every file of the corpus has its row, and every row its file", async () => {
  const named = new Set(ATTACKS.map(({ file }) => file));
  const found = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(FOLDER)) {
    if (!isDirectory) found.add(name);
    else for (const file of named) if (file.startsWith(`${name}/`)) found.add(file);
    assert(!isDirectory || [...named].some((file) => file.startsWith(`${name}/`)), name);
  }
  found.delete("attacks.json");
  assertEquals([...found].sort(), [...named].sort());
});

Deno.test("a stream is kept up to the limit spoolBytes, and not a byte longer", async () => {
  const bytes = await Deno.readFile(new URL("safetensors_good.safetensors", FOLDER));
  const { length } = bytes;
  const stream = () => new Blob([bytes]).stream();
  const checkpoint = await openCheckpoint(stream(), { limits: { spoolBytes: length } });
  assertEquals([...checkpoint.stateDict().keys()], ["weight"]);
  const error = await assertRejects(() => openCheckpoint(stream(), { limits: { spoolBytes: length - 1 } }), LimitError);
  const needs = `it cannot be read by position, so ${length} bytes or more have to be kept in memory`;
  assertEquals(error.message, `Cannot open "stream": ${needs}, and the limit "spoolBytes" allows ${length - 1}`);
});

/** Opens a file, asks for its state dict where the row says what is in it, and reads every tensor. */
async function resultOf(
  source: SourceLike,
  options: OpenOptions | undefined,
  outcome: Attack["outcome"],
): Promise<Found> {
  const found: Found = { tensors: new Map(), others: new Map(), failure: null };
  let when: typeof TIMES[number] = "open";
  let checkpoint: Awaited<ReturnType<typeof openCheckpoint>> | null = null;
  try {
    checkpoint = await openCheckpoint(source, options);
    if ("opens" in outcome && outcome.tensors === undefined) return found;
    when = "stateDict";
    const stateDict = checkpoint.stateDict();
    when = "read";
    let failed: Error | null = null;
    for (const [name, value] of stateDict) {
      if (!(value instanceof StoredTensor)) {
        if ("others" in outcome) found.others.set(name, await plain(value));
        continue;
      }
      try {
        found.tensors.set(name, (await value.read()).toHex());
      } catch (error) {
        failed ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    return failed === null ? found : { ...found, failure: { error: failed, when } };
  } catch (error) {
    assert(error instanceof Error);
    return { ...found, failure: { error, when } };
  } finally {
    await checkpoint?.close();
  }
}

/**
 * Compares what came out with what the row says. A source that answers slowly is asked for the header of a zip's entry
 * together with its bytes, so what is wrong with the header is found when the tensor is read: it `isPatient`.
 */
function compare(
  { tensors, others, failure }: Found,
  outcome: Attack["outcome"],
  { name, isPatient }: { readonly name: string; readonly isPatient: boolean },
): void {
  if ("opens" in outcome) {
    if (failure !== null) throw failure.error;
    assertEquals([...tensors], Object.entries(outcome.tensors ?? {}));
    assertEquals([...others], Object.entries(outcome.others ?? {}));
    return;
  }
  const { error, when } = failure ?? { error: null, when: "never" };
  const type = CLASSES.find((known) => known.name === outcome.error);
  assert(error !== null && type !== undefined, `no ${outcome.error} was thrown`);
  const reason = error.cause instanceof Error ? error.cause.message : "";
  const message = outcome.message.replace("{reason}", () => reason).replaceAll("{source}", () => name)
    .replaceAll("{folder}/", () => join(dirname(name), "/"));
  assertEquals([error.name, error.message], [outcome.error, message]);
  assert(error instanceof type);
  const isLater = isPatient && outcome.when === "open" && when === "read";
  if (!isLater) assertEquals(when, outcome.when);
  if (outcome.tensors !== undefined) assertEquals([...tensors], Object.entries(outcome.tensors));
}

/** Bytes that count what is read of them, and refuse what lies outside. */
class CountedSource implements ByteSource {
  readonly size: number;
  readonly name = "counted";
  readonly #bytes: Uint8Array;
  /** How many bytes were read in all. */
  bytesRead = 0;

  constructor(bytes: Uint8Array) {
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    assert(offset >= 0 && offset + length <= this.size, `a read of ${length} bytes at ${offset} of ${this.size}`);
    this.bytesRead += length;
    return Promise.resolve(this.#bytes.subarray(offset, offset + length));
  }
}
