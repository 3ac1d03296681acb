/** What happens in the control plane, for logs and for tests. */
import type * as O from 'fp-ts/lib/Option.js'
import type { Instant } from '../../src/model/time.js'

/** One call of the API, told when its answer begins. */
export interface ApiCall {
  readonly _tag: 'Call'
  readonly at: Instant
  readonly method: string
  /** With its query. */
  readonly path: string
  /** None: 401. */
  readonly user: O.Option<string>
  /** Of the client certificate that the call came with, whatever it was worth: lower-case hexadecimal. */
  readonly certificateSerialNumber: O.Option<string>
  /** The HTTP status code. */
  readonly code: number
}

export type ControlPlaneEvent =
  | ApiCall
  | { readonly _tag: 'Approved'; readonly at: Instant; readonly name: string }
  /** By an approver of one's own. */
  | {
      readonly _tag: 'Denied'
      readonly at: Instant
      readonly name: string
      readonly reason: string
      readonly message: string
    }
  | {
      readonly _tag: 'Denied'
      readonly at: Instant
      readonly name: string
      readonly reason: string
      readonly message: string
    }
  | {
      readonly _tag: 'Issued'
      readonly at: Instant
      readonly name: string
      readonly serialNumber: string
      readonly notAfter: Instant
    }
  /** The signer refuses what was approved. */
  | { readonly _tag: 'Failed'; readonly at: Instant; readonly name: string; readonly message: string }
  | { readonly _tag: 'Cleaned'; readonly at: Instant; readonly name: string; readonly reason: string }
  /** What a controller manager would only write into its log; the request stays as it is. */
  | {
      readonly _tag: 'NotApproved' | 'NotSigned'
      readonly at: Instant
      readonly name: string
      readonly reason: string
    }
