import type { Pair } from '../adapters/connections/pki.js'

/** A server that the clients' certificates are good for, and what is to be known of it. */
export interface Target {
  readonly url: string
  /** Whom the server is trusted by, PEM. */
  readonly ca: string
  /** What is asked for. */
  readonly path: string
  /** For stacks that speak gRPC, which not every server does. */
  readonly grpc: boolean
  /** A new certificate with a new key. */
  readonly pair: () => Promise<Pair>
  /**
   * When the last request with each certificate came in, by serial number, ms since the epoch; none: the server answers
   * each request with the serial number of the certificate that it came with.
   */
  readonly lastRequests?: () => Promise<ReadonlyMap<string, number>>
  /** How many connections are open with one of these certificates; null: nobody knows which connection has which. */
  readonly openWith: (serials: ReadonlySet<string>) => Promise<number | null>
  /** How many connections are open. */
  readonly open: () => Promise<number>
  readonly close: () => unknown
}
