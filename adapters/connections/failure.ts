import { alertAboutUs } from './rejection.js'

/** No answer, or half of one: what happened on the way, by its Node or OpenSSL code. */
export interface ConnectionFailure {
  readonly _tag: 'ConnectionFailure'
  readonly code: string
  /** In words, the end of the sentence "GET https://… failed: …". */
  readonly reason: string
  /** The server rejected our certificate, or the lack of one, by a TLS alert. */
  readonly rejectsCertificate: boolean
}

export const connectionFailure = (
  code: string,
  reason: string,
  rejectsCertificate = false,
): ConnectionFailure => ({
  _tag: 'ConnectionFailure',
  code,
  reason,
  rejectsCertificate,
})

/** An error that Node's sockets pass on, from which `connectionFailureOf` makes the failure again. */
export const asError = ({ code, reason }: ConnectionFailure): Error =>
  Object.assign(new Error(reason), { code })

/** What the codes of system calls mean. */
export const words: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'the name of the server cannot be resolved'],
  ['EAI_AGAIN', 'the name of the server cannot be resolved for now'],
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['EHOSTUNREACH', 'there is no route to the server'],
  ['ENETUNREACH', 'there is no network to the server'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'the connection was closed in the middle of the answer'],
])

export const connectionFailureOf = (error: unknown): ConnectionFailure => {
  if (!(error instanceof Error)) return connectionFailure('', 'for an unknown reason')
  const given = 'code' in error ? String(error.code) : ''
  // OpenSSL's messages are "address:error:number:library:function:reason:file:line:…".
  const [, reason] = /:error:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(error.message) ?? []
  // A handshake that fails while Node writes to it has EPROTO for its code.
  const code =
    given === 'EPROTO' && reason !== undefined
      ? `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`
      : given
  return connectionFailure(
    code,
    words.get(code) ?? reason ?? error.message,
    alertAboutUs(error) !== undefined,
  )
}
