/**
 * Chance that does not depend on order: each draw is a hash of the seed and of what it is for, so that a run with skipped
 * stretches, or on another number of threads, draws the same.
 */

/** 32 bits for a purpose (`salt`) of the `count`-th time at a node. */
export const bits = (seed: number, node: number, salt: number, count = 0): number => {
  let hash = mixed(seed ^ Math.imul(node + 1, 0x9e3779b1))
  hash = mixed(hash ^ Math.imul(salt + 1, 0x85ebca6b))
  return mixed(hash ^ Math.imul(count + 1, 0xc2b2ae35)) >>> 0
}

/** The final mix of MurmurHash3: each bit of the input changes each bit of the result with the same chance. */
const mixed = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  const twice = Math.imul(once ^ (once >>> 15), 0x846ca68b)
  return twice ^ (twice >>> 16)
}

/** A number from 0 up to 1. */
export const share = (seed: number, node: number, salt: number, count = 0): number =>
  bits(seed, node, salt, count) / 2 ** 32

/** Exponentially distributed with mean 1, from a share. */
export const exponential = (from: number): number => -Math.log1p(-from)

/** Normally distributed with mean 0 and deviation 1, from two shares (Box and Muller). */
export const normal = (one: number, other: number): number =>
  Math.sqrt(2 * exponential(one)) * Math.cos(2 * Math.PI * other)

const hexadecimal = Array.from({ length: 0x100 }, (_, number) => number.toString(16).padStart(2, '0'))

/** 32 bits as eight hexadecimal digits. */
export const hex = (word: number): string =>
  `${hexadecimal[word >>> 24]}${hexadecimal[(word >>> 16) & 0xff]}${hexadecimal[(word >>> 8) & 0xff]}${hexadecimal[word & 0xff]}`
