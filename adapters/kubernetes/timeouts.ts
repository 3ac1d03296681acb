import { type Milliseconds, minute, second } from '../../src/model/time.js'

/** How long the API may take for what, in ms. */
export interface Timeouts {
  /** For a connection: name, TCP and TLS together; as long again for the tunnel of a proxy. */
  readonly connect: Milliseconds
  /** From the sending of a request, connection included, to the head of the answer. */
  readonly head: Milliseconds
  /** Between two pieces of an answer's body. */
  readonly idle: Milliseconds
  /** For an answer's body in all. */
  readonly body: Milliseconds
  /** For the next line of a watch, bookmarks included; then the request is read instead. */
  readonly silence: Milliseconds
}

export const defaultTimeouts: Timeouts = {
  connect: 10 * second,
  // An API server may ask admission webhooks first, ten seconds each by default.
  head: 40 * second,
  idle: 15 * second,
  body: 30 * second,
  // API servers send a bookmark a minute; two missing ones make a dead connection likelier than a quiet one.
  silence: 2 * minute + 10 * second,
}
