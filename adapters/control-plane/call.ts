/** One call of the API, and what it is answered with. */
import * as E from 'fp-ts/lib/Either.js'
import type { Attributes } from '../../src/control-plane/index.js'
import { stepsSync } from '../../src/steps.js'
import type { Caller } from './authentication.js'
import type { Body } from './incoming.js'
import type { Status } from './status.js'
import type { TableOptions } from './table.js'

export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly caller: Caller
  readonly body: Body
  /** The client wants a table rather than objects. */
  readonly table: TableOptions | undefined
}

/** A stream of JSON lines: `send` writes one, `end` ends it; the answer is called once the client has gone. */
export type Stream = (send: (line: unknown) => void, end: () => void) => () => void

export type Reply =
  | { readonly _tag: 'Json'; readonly code: number; readonly value: unknown }
  | { readonly _tag: 'Raw'; readonly contentType: string; readonly value: Buffer }
  | { readonly _tag: 'Stream'; readonly stream: Stream }

export const ok = (value: unknown): Reply => ({ _tag: 'Json', code: 200, value })
export const created = (value: unknown): Reply => ({ _tag: 'Json', code: 201, value })
export const failed = (status: Status): Reply => ({ _tag: 'Json', code: status.code, value: status })

/** What the steps of `body` reply; where one fails, with its status. */
export const replying = (body: () => Generator<Status, Reply>): Reply => E.getOrElse(failed)(stepsSync(body))

/** A place in the API: what doing something there means to RBAC, and how it is done. */
export interface Endpoint {
  readonly attributes: Attributes
  /** The object's name, for messages; empty for none. */
  readonly name: string
  readonly serve: (call: Call) => Reply | Promise<Reply>
}
