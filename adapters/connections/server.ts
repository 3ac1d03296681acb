import { X509Certificate } from 'node:crypto'
import type { SecureContextOptions, Server, TLSSocket } from 'node:tls'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Following } from './follow.js'
import type { Generation } from './generation.js'
import { demandFollowing, refuseOwn } from './options.js'

/** How many changes a handshake may last and still be counted right. */
const remembered = 8

/**
 * Gives each new handshake of a server (`tls`, `https`, `http2`) the current certificate, and the current bundle to
 * check clients with; session tickets from before a change are not taken. Established connections live on. Other
 * options of the server's TLS (`minVersion`, `ciphers`, …) belong in `options`: Node forgets the ones it had. Throws for
 * a certificate, key or CAs there that are followed. The answer ends it; the server keeps what it has then.
 */
export const tlsServer = (
  following: Following,
  server: Server,
  options: SecureContextOptions = {},
): IO<void> => {
  demandFollowing('tlsServer', following)
  const { credential, trust } = following.current()
  const { ca, ...others } = options
  if (O.isSome(credential)) refuseOwn('tlsServer', others)
  if (O.isSome(trust)) refuseOwn('tlsServer', { ca })
  const generations = new Map<string, Generation>()

  // By setSecureContext and not in an SNICallback: that is asked after a session ticket has been accepted.
  const apply = (generation: Generation) => {
    generations.set(fingerprintOf(generation), generation)
    const [oldest] = generations.keys()
    if (generations.size > remembered && oldest !== undefined) generations.delete(oldest)
    server.setSecureContext({ ...options, ...generation.options() })
  }
  /** What the connection shows tells its generation: the handshake may have begun before a change. */
  const count = (socket: TLSSocket) => {
    const shown = generations.get(socket.getX509Certificate()?.fingerprint256 ?? '') ?? following.current()
    socket.once('close', shown.enter({ retire: () => {}, endStreams: () => {}, destroy: () => {} }))
  }
  apply(following.current())
  server.on('secureConnection', count)
  const unsubscribe = following.subscribe(apply)
  return () => {
    unsubscribe()
    server.removeListener('secureConnection', count)
  }
}

const fingerprintOf = ({ credential }: Generation): string =>
  O.isSome(credential) ? new X509Certificate(credential.value.pem).fingerprint256 : ''
