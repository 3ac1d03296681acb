/** Short and long certificates, and each kind of key. */
import { keyAlgorithms } from '../../../src/index.js'
import { day, hour, type Milliseconds, minute } from '../../../src/model/time.js'

export const lifetimes: ReadonlyArray<readonly [name: string, lifetime: Milliseconds]> = [
  ['ten minutes', 10 * minute],
  ['an hour', hour],
  ['eight hours', 8 * hour],
  ['a day', day],
  ['90 days', 90 * day],
  ['a year', 365 * day],
  ['ten years', 3_650 * day],
]

/** What the OpenSSL of each Node.js has. */
export const usualAlgorithms = keyAlgorithms.filter((algorithm) => !algorithm.startsWith('ML-DSA-'))
