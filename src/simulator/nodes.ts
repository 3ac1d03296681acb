/**
 * What is kept of each node beside its facts: a row of numbers. Rows lie in one array, so that all of a node is read from
 * memory at once; with an array for each number, most of the time would go into waiting for memory.
 */
import { at } from './numbers.js'

/** What it is doing, what that comes to and when; whether that is out of the reach of what happens meanwhile. */
export const [doing, answers, answered, isSafe] = [0, 1, 2, 3]
/** How far its clock is ahead; the number of its newest key, and of requests that it has sent. */
export const [skew, newest, sent] = [4, 5, 6]
/** Whether it has a watch open; until when the server holds that; whether the last one failed; whose credential. */
export const [hasWatch, heldUntil, failedWatch, credential] = [7, 8, 9, 10]
/** From when on an open watch sees what happens, by the server's time. */
export const sees = 11
/** When something interrupts it next, and which outage did (its index and 1). */
export const [cut, struck] = [12, 13]
/** Its certificate: the number of its key, its dates, and until when the API accepts it or since when it lacks one. */
export const [certified, notBefore, notAfter, good] = [14, 15, 16, 17]
/** At rest: since when, when the server was last asked, when rest ends, and when a renewal is due. */
export const [isResting, since, checked, until, deadline] = [18, 19, 20, 21, 22]
/** Whether what it does now is not told to the machine yet; what is owed, and when that was. */
export const [isQuiet, owed, submitted, renewal, received] = [23, 24, 25, 26, 27]
/** Its newest request: the number of its key, whether it is denied, and when it is decided, signed and deleted. */
export const [requested, isDenied, decided, signed, gone] = [28, 29, 30, 31, 32]
/** From when to when the certificate of that is good. */
export const [issuedFrom, issuedUntil] = [33, 34]

/** What a node may be doing. */
export const [absent, waiting, resting, submitting, watching, probing] = [0, 1, 2, 3, 4, 5]

const width = 40

export interface Nodes {
  readonly get: (node: number, field: number) => number
  readonly put: (node: number, field: number, value: number) => void
}

export const nodesOf = (count: number): Nodes => {
  const rows = new Float64Array(count * width)
  return {
    get: (node, field) => at(rows, node * width + field),
    put: (node, field, value) => {
      rows[node * width + field] = value
    },
  }
}
