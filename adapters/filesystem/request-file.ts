import type { SavedRequest } from '../../src/ports.js'
import { encodeRequest } from '../../src/stored.js'

/**
 * As much as a pair takes when it is installed. The file is filled up to this: a disk that can hold the request can
 * then hold its certificate, and one that cannot says so before anything is sent.
 */
const roomForPair = 16 * 1024

/** The text of the file with the saved request. */
export const requestFile = (saved: SavedRequest): string =>
  `${encodeRequest(saved)
    .reveal()
    .padEnd(roomForPair - 1)}\n`
