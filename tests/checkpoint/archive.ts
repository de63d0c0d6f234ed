/** Writing small zips and pickles by hand, with any field wrong that a test wants wrong. */

const encoder = new TextEncoder();

/** One entry; the fields after `data` stand in the headers whatever the data is. */
export interface Entry {
  readonly name: string;
  readonly data: Uint8Array | string;
  readonly method?: number;
  readonly flags?: number;
  readonly size?: number;
  readonly crc32?: number;
  readonly localName?: string;
  readonly localMethod?: number;
  readonly localSize?: number;
  readonly offset?: number;
}

/** What may be wrong at the end of a zip. */
export interface End {
  readonly comment?: string;
  readonly entries?: number;
  readonly directorySize?: number;
  readonly directoryOffset?: number;
}

/** A zip of these entries, stored unless `method` says otherwise. */
export function zip(entries: readonly Entry[], end: End = {}): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const directory: number[] = [];
  for (const entry of entries) {
    const data = toBytes(entry.data);
    const { method = 0, flags = 0x800, size = data.length, crc32 = 0 } = entry;
    const local = encoder.encode(entry.localName ?? entry.name);
    const name = encoder.encode(entry.name);
    const offset = entry.offset ?? bytes.length;
    bytes.push(...u32(0x04034b50), ...u16(20), ...u16(flags), ...u16(entry.localMethod ?? method), ...u32(0));
    bytes.push(...u32(crc32), ...u32(entry.localSize ?? data.length), ...u32(size), ...u16(local.length), ...u16(0));
    bytes.push(...local);
    for (const byte of data) bytes.push(byte);
    directory.push(...u32(0x02014b50), ...u16(20), ...u16(20), ...u16(flags), ...u16(method), ...u32(0), ...u32(crc32));
    directory.push(...u32(data.length), ...u32(size), ...u16(name.length), ...u16(0), ...u16(0), ...u16(0), ...u16(0));
    directory.push(...u32(0), ...u32(offset), ...name);
  }
  const comment = encoder.encode(end.comment ?? "");
  const count = end.entries ?? entries.length;
  const start = end.directoryOffset ?? bytes.length;
  bytes.push(...directory, ...u32(0x06054b50), ...u32(0), ...u16(count), ...u16(count));
  bytes.push(...u32(end.directorySize ?? directory.length), ...u32(start), ...u16(comment.length), ...comment);
  return Uint8Array.from(bytes);
}

/** A checkpoint with this pickle and these storages, by key. */
export function torchZip(
  pickle: Uint8Array | string,
  storages: Readonly<Record<string, Uint8Array | string>> = {},
  records: readonly Entry[] = [],
): Uint8Array<ArrayBuffer> {
  return zip([
    { name: "archive/data.pkl", data: pickle },
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
    ...records,
  ]);
}

/** Parts of a pickle, one after the other; a string stands for its characters' codes. */
export function pickle(...parts: readonly (string | number | readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => {
    return typeof part === "string" ? [...toBytes(part)] : typeof part === "number" ? [part] : [...part];
  }));
}

/** `BINUNICODE`. */
export function text(value: string): Uint8Array {
  const bytes = encoder.encode(value);
  return pickle("X", u32(bytes.length), bytes);
}

/** `GLOBAL`. */
export function global(module: string, name: string): Uint8Array {
  return pickle("c", module, "\n", name, "\n");
}

/** A non-negative integer below 2^31: `BININT`. */
export function int(value: number): Uint8Array {
  return pickle("J", u32(value));
}

/** A tuple of any number of values. */
export function tuple(...values: readonly Uint8Array[]): Uint8Array {
  return pickle("(", ...values, "t");
}

/** `("storage", torch.FloatStorage, key, location, numel)` and `BINPERSID`. */
export function storage(
  { type = "FloatStorage", key = "0", location = "cpu", numel = 4 }: {
    readonly type?: string;
    readonly key?: string;
    readonly location?: string;
    readonly numel?: number;
  } = {},
): Uint8Array {
  return pickle(tuple(text("storage"), global("torch", type), text(key), text(location), int(numel)), "Q");
}

/** A call of `torch._utils._rebuild_tensor_v2`. */
export function tensor(
  { from = storage(), offset = 0, shape = [4], strides = [1] }: {
    readonly from?: Uint8Array;
    readonly offset?: number;
    readonly shape?: readonly number[];
    readonly strides?: readonly number[];
  } = {},
): Uint8Array {
  const sizes = [tuple(...shape.map(int)), tuple(...strides.map(int))];
  return pickle(
    global("torch._utils", "_rebuild_tensor_v2"),
    tuple(from, int(offset), ...sizes, pickle(0x89), pickle("N")),
    "R",
  );
}

/** A dict with string keys. */
export function dict(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  return pickle("}(", ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]), "u");
}

/** The bytes of a text that has one character per byte, or the bytes themselves. */
export function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? Uint8Array.from(data, (character) => character.charCodeAt(0)) : data;
}

/** Little-endian. */
export function u16(value: number): number[] {
  return [value & 0xff, value >>> 8 & 0xff];
}

/** Little-endian. */
export function u32(value: number): number[] {
  return [value & 0xff, value >>> 8 & 0xff, value >>> 16 & 0xff, value >>> 24];
}
