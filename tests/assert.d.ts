/**
 * The assertions of `@std/assert` that the tests and the examples in doc comments use.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
type Class<T = unknown> = abstract new (...args: any[]) => T;

/** Thrown by every assertion that fails. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions);
}

/** `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value;

/** `value` is falsy. */
export function assertFalse(value: unknown, message?: string): asserts value is false | 0 | "" | null | undefined;

/** Neither `null` nor `undefined`. */
export function assertExists<T>(value: T, message?: string): asserts value is NonNullable<T>;

/** Equal in structure. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void;

/** Different in structure. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;

/** The same by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T;

/** Not the same by `Object.is`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void;

/** Within `tolerance`; without one, within 1e-7 of `expected`, relatively. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, message?: string): void;

/** `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void;

/** `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;

/** `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void;

/** `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void;

/** Contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void;

/** Contains every element of `expected`. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void;

/** Has what `expected` has; what else it has does not matter. */
export function assertObjectMatch(actual: object, expected: object, message?: string): void;

/** The pattern is found in it. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void;

/** The pattern is not found in it. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;

/** An instance of the class. */
export function assertInstanceOf<T>(actual: unknown, expected: Class<T>, message?: string): asserts actual is T;

/** Not an instance of the class. */
export function assertNotInstanceOf<T>(actual: T, unexpected: Class, message?: string): void;

/** An error of the class, whose message includes or matches `expected`. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: Class<E>,
  expected?: string | RegExp,
  message?: string,
): asserts error is E;

/** Throws anything, and returns it. */
export function assertThrows(call: () => unknown, message?: string): unknown;
/** Throws an error of the class whose message includes `expected`, and returns it. */
export function assertThrows<E extends Error>(
  call: () => unknown,
  errorClass: Class<E>,
  expected?: string,
  message?: string,
): E;

/** Rejects with anything, and resolves to it. */
export function assertRejects(call: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
/** Rejects with an error of the class whose message includes `expected`, and resolves to it. */
export function assertRejects<E extends Error>(
  call: () => PromiseLike<unknown>,
  errorClass: Class<E>,
  expected?: string,
  message?: string,
): Promise<E>;

/** Whether two values are equal in structure. */
export function equal(a: unknown, b: unknown): boolean;

/** Fails. */
export function fail(message?: string): never;

/** Fails where control must not come. */
export function unreachable(reason?: string): never;
