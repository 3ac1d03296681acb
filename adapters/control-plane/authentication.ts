/**
 * Who calls: a client certificate of ours beats a bootstrap token, a valid token beside a bad certificate works, bad
 * credentials are 401, and none is `system:anonymous`. Dates are looked at on every request, as the API server does,
 * not at the handshake: TLS itself refuses no client certificate.
 */
import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { User } from '../../src/control-plane/index.js'
import type { Certificate } from '../../src/model/certificate.js'
import type { Secret } from '../../src/model/secret.js'
import type { Instant } from '../../src/model/time.js'
import { cryptoBackend } from '../crypto/index.js'

/** A user with what else the API server knows of one. */
export interface Caller extends User {
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
}

export interface Authentication {
  /** The certificate that the client showed, whatever it is worth. */
  readonly certificate: O.Option<Certificate>
  /** Left: 401. */
  readonly caller: E.Either<'Unauthorized', Caller>
}

const authenticated = 'system:authenticated'

const anonymous: Caller = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

interface Shown {
  readonly x509: X509Certificate
  readonly certificate: O.Option<Certificate>
}

/** What was read out of a connection's certificate: it cannot change while the connection lasts. */
const shownBy = new WeakMap<TLSSocket, Promise<Shown | undefined>>()

const readShown = async (socket: TLSSocket): Promise<Shown | undefined> => {
  const x509 = socket.getPeerX509Certificate()
  if (x509 === undefined) return undefined
  const chain = await cryptoBackend.parseChain(x509.toString())()
  return { x509, certificate: E.isRight(chain) ? O.some(chain.right.certificate) : O.none }
}

const shown = (socket: unknown): Promise<Shown | undefined> => {
  if (!(socket instanceof TLSSocket)) return Promise.resolve(undefined)
  const known = shownBy.get(socket) ?? readShown(socket)
  shownBy.set(socket, known)
  return known
}

/** apiserver/pkg/authentication/request/x509/x509.go: chain, dates, `client auth`; CN is the name, O are the groups. */
const byCertificate = (
  { x509, certificate }: Shown,
  authorities: ReadonlyArray<X509Certificate>,
  now: Instant,
): O.Option<Caller> => {
  if (O.isNone(certificate)) return O.none
  const { commonName, organizations, notBefore, notAfter, extendedKeyUsages } = certificate.value
  const issued = authorities.some(
    (authority) =>
      x509.checkIssued(authority) && x509.verify(authority.publicKey) && now <= Date.parse(authority.validTo),
  )
  const forClients =
    O.isNone(extendedKeyUsages) ||
    extendedKeyUsages.value.some((usage) => usage === 'client auth' || usage === 'any')
  if (!issued || !forClients || commonName === '' || now < notBefore || now > notAfter) return O.none
  const fingerprint = createHash('sha256').update(x509.raw).digest('hex')
  return O.some({
    name: commonName,
    groups: [...organizations, authenticated],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  })
}

const sameText = (a: string, b: string): boolean => {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(a), digest(b))
}

const bearerToken = (request: IncomingMessage): string | undefined =>
  /^bearer +(\S+)$/i.exec(request.headers.authorization?.trim() ?? '')?.[1]

/** A bootstrap token `ID.SECRET` is the user `system:bootstrap:ID` (plugin/pkg/auth/authenticator/token/bootstrap). */
const byToken = (token: string, bootstrapToken: Secret): O.Option<Caller> =>
  sameText(token, bootstrapToken.reveal())
    ? O.some({
        name: `system:bootstrap:${token.split('.')[0]}`,
        groups: ['system:bootstrappers', authenticated],
      })
    : O.none

/** A bearer token, and whom it stands for, as a line of `--token-auth-file`. */
export interface UserToken {
  readonly token: Secret
  readonly user: User
}

const byUserToken = (token: string, tokens: ReadonlyArray<UserToken>): O.Option<Caller> => {
  const found = tokens.find((one) => sameText(token, one.token.reveal()))
  return found === undefined
    ? O.none
    : O.some({ ...found.user, groups: [...found.user.groups, authenticated] })
}

/** Whose credentials count. */
export interface Trust {
  /** Of client certificates. */
  readonly authorities: ReadonlyArray<X509Certificate>
  readonly bootstrapToken: Secret
  readonly tokens: ReadonlyArray<UserToken>
}

/** Finds out who sent a request. */
export const authenticate = async (
  request: IncomingMessage,
  trust: Trust,
  now: Instant,
): Promise<Authentication> => {
  const seen = await shown(request.socket)
  const token = bearerToken(request)
  const certificate = seen === undefined ? O.none : seen.certificate
  const found = [
    seen === undefined ? O.none : byCertificate(seen, trust.authorities, now),
    token === undefined ? O.none : byToken(token, trust.bootstrapToken),
    token === undefined ? O.none : byUserToken(token, trust.tokens),
  ].find(O.isSome)
  if (found !== undefined) return { certificate, caller: E.right(found.value) }
  const tried = seen !== undefined || token !== undefined
  return { certificate, caller: tried ? E.left('Unauthorized') : E.right(anonymous) }
}
