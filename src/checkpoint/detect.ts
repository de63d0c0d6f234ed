/**
 * What a file is, from its first and last bytes. The answer is final: no other reader is tried afterwards.
 *
 * @module
 */

/** Bytes that are enough to tell a format that is read. */
export const MAGIC_BYTES = 16;

/** Bytes from either end that are enough to tell the others: a tar has its magic at 257, an index its keys early on. */
export const HEAD_BYTES = 512;

/** Characters of a text file that are shown to the person who passed it. */
const SHOWN_CHARACTERS = 40;

/** What the index of a checkpoint in several files is called; diffusers puts a variant before the end. */
export const INDEX_NAME = /\.index(\.[\w-]+)?\.json$/;

/**
 * What a checkpoint may be stored as.
 *
 * @example Telling formats apart
 * ```ts
 * import { type CheckpointFormat, openCheckpoint } from "@graft/graft/checkpoint";
 * import { assertEquals } from "@std/assert";
 *
 * const checkpoint = await openCheckpoint(new TextEncoder().encode("\x02\0\0\0\0\0\0\0{}"));
 * const format: CheckpointFormat = checkpoint.format;
 * assertEquals(format, "safetensors");
 * ```
 */
export type CheckpointFormat =
  | "torch-zip"
  | "torch-legacy"
  | "torch-tar"
  | "torchscript"
  | "torch-distributed"
  | "torch-sharded"
  | "safetensors"
  | "safetensors-sharded";

/** What a file turned out to be. */
export type Detection =
  /** A container that one reader reads, and only that one. */
  | { readonly kind: "zip" | "safetensors" | "torch-legacy" | "torch-tar" }
  /** A file that names others, which hold the tensors. */
  | { readonly kind: "index" | "torch-distributed" }
  /** Something else; `looksLike` completes "it looks like …". */
  | { readonly kind: "other"; readonly looksLike: string };

/** Says what a file of `size` bytes called `name` with these first and last bytes is. */
export function detect(
  head: Uint8Array,
  tail: Uint8Array,
  { size, name }: { readonly size: number; readonly name: string },
): Detection {
  if (size === 0) return other("an empty file");
  if (begins(head, "PK\x03\x04")) return { kind: "zip" };
  // Before the other magics: a length may happen to begin with the two bytes of gzip.
  return detectSafetensors(head) ?? detectTorchStream(head) ?? detectMagic(head) ?? detectOnnx(head) ??
    detectPickle(head, tail) ?? detectText(head, name) ??
    other(`binary data that begins with ${hex(head.subarray(0, 8))}`);
}

/** The magic number of `torch.save` before 1.6, little-endian, and as protocol 0 writes it. */
const LEGACY_MAGIC = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
const LEGACY_MAGIC_TEXT = /^(?:\x80.)?L119547037146038801333356L?\n/s;

function detectTorchStream(head: Uint8Array): Detection | null {
  const start = latin1(head.subarray(0, 32));
  const isPickle = start.startsWith("\x80");
  if ((isPickle && start.includes(LEGACY_MAGIC)) || LEGACY_MAGIC_TEXT.test(start)) {
    return { kind: "torch-legacy" };
  }
  return latin1(head.subarray(257, 262)) === "ustar" ? { kind: "torch-tar" } : null;
}

/** Formats by the bytes that they all begin with. */
const MAGICS: readonly (readonly [string, string])[] = [
  ["PK\x05\x06", "an empty zip"],
  ["PK\x07\x08", "a zip that is split over several files"],
  ["\x1f\x8b", "gzip; decompress it first"],
  ["\x28\xb5\x2f\xfd", "Zstandard; decompress it first"],
  ["\xfd7zXZ\x00", "xz; decompress it first"],
  ["BZh", "bzip2; decompress it first"],
  ["7z\xbc\xaf\x27\x1c", "7-Zip; unpack it first"],
  ["Rar!\x1a\x07", "RAR; unpack it first"],
  ["GGUF", "GGUF, the format of llama.cpp"],
  ["ggjt", "GGML, the older format of llama.cpp"],
  ["lmgg", "GGML, the older format of llama.cpp"],
  ["\x89HDF\r\n\x1a\n", "HDF5, the format of Keras weights"],
  ["\x93NUMPY", "an .npy of NumPy"],
  ["%PDF-", "PDF"],
  ["\x89PNG", "PNG"],
  ["\xff\xd8\xff", "JPEG"],
  ["\x7fELF", "a program"],
  ["MZ", "a program"],
  ["\x00asm", "WebAssembly"],
];

function detectMagic(head: Uint8Array): Detection | null {
  const found = MAGICS.find(([magic]) => begins(head, magic));
  if (found !== undefined) return other(found[1]);
  if (latin1(head.subarray(4, 8)) === "TFL3") return other("TensorFlow Lite");
  return null;
}

/** A length below 256 TB, so with two zeros at its end, and then JSON. No text begins like that. */
function detectSafetensors(head: Uint8Array): Detection | null {
  const isLength = head.length > 8 && head[6] === 0 && head[7] === 0;
  return isLength && /^[{ \t\n\r]/.test(latin1(head.subarray(8, 9))) ? { kind: "safetensors" } : null;
}

/** A protobuf of which field 1 (ir_version) is a small number, followed by field 2 (producer_name) or 7 (graph). */
function detectOnnx(head: Uint8Array): Detection | null {
  const isOnnx = head[0] === 0x08 && head[1] > 0 && head[1] < 32 && (head[2] === 0x12 || head[2] === 0x3a);
  return isOnnx ? other("ONNX") : null;
}

function detectPickle(head: Uint8Array, tail: Uint8Array): Detection | null {
  if (head[0] !== 0x80 || head[1] < 1 || head[1] > 5) return null;
  if (latin1(head).includes("torch.distributed.checkpoint")) return { kind: "torch-distributed" };
  const whole = tail.at(-1) === 0x2e ? "" : " that is incomplete, or has something behind it";
  return other(`a plain pickle${whole}, not made by torch.save`);
}

function detectText(head: Uint8Array, name: string): Detection | null {
  const text = latin1(head).replace(/^\xef\xbb\xbf/, "").trimStart();
  if (text.startsWith("version https://git-lfs.github.com/spec/")) {
    const size = /^size (\d+)$/m.exec(text)?.[1];
    const of = size === undefined ? "" : ` for a file of ${size} bytes`;
    return other(`a Git LFS pointer${of}; fetch the file itself with git lfs pull`);
  }
  if (/^<(!doctype html|html)/i.test(text)) return other("an HTML page; was it downloaded from a page about the file?");
  if (text.startsWith("<?xml") || text.startsWith("<Error")) return other("XML; was it an error of the server?");
  if (text.startsWith("{")) return detectJson(text, name);
  if (!/^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(text) || !/^[\x20-\x7e]{4}/.test(text)) return null;
  return other(`text that begins with ${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}`);
}

/** An index names its files under `"weight_map"`; where much comes before that, the name tells. */
function detectJson(text: string, name: string): Detection {
  return text.includes('"weight_map"') || INDEX_NAME.test(name) ? { kind: "index" } : other("JSON");
}

function other(looksLike: string): Detection {
  return { kind: "other", looksLike };
}

function begins(head: Uint8Array, magic: string): boolean {
  return latin1(head.subarray(0, magic.length)) === magic;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
