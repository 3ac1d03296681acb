/** Options that would be passed over in silence: misspelt ones, and what the certificate that is followed takes the place of. */
import * as tls from 'node:tls'
import { nearest } from '../platform/nearest.js'
import { being, demand, hasFunctions, misuse } from '../platform/options.js'
import { type Generation, minVersion } from './generation.js'

/** Throws for anything but what `follow` answers. */
export const demandFollowing = (caller: string, value: unknown): void =>
  demand(caller, following, value, 'what it follows')

const following = being(
  'what follow() answers',
  (value) => hasFunctions(value, 'current', 'connectionCounts', 'routeTo'),
  'write follow(rotation), or follow(fromFiles({ … }))',
)

/** One cure for several names. */
const byNames = (names: ReadonlyArray<string>, cure: string): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, cure]))

const own: Readonly<Record<string, string>> = {
  ca: 'give follow() the CAs: follow(rotation), or fromFiles({ certificate, key, ca })',
  cert: 'give follow() the certificate: follow(rotation), or fromFiles({ certificate, key })',
  key: 'give follow() the key with its certificate: follow(rotation), or fromFiles({ certificate, key })',
  pfx: 'give follow() PEM: follow(rotation), or fromFiles({ certificate, key, ca })',
  passphrase: 'give follow() a key that is not encrypted',
  ...byNames(
    ['clientCertEngine', 'privateKeyEngine', 'privateKeyIdentifier'],
    'give follow() a key that names its engine',
  ),
}

/** Of clients, what Node would not look at beside the context that each change of the certificate makes. */
const ofClients: Readonly<Record<string, string>> = {
  ...own,
  secureContext:
    'leave it out: follow() has certificate, key and CAs; give ciphers, crl and the like by their names',
  secureProtocol: 'use minVersion and maxVersion',
  session: 'leave it out: a resumed session would keep the certificate of its first handshake',
  ...byNames(
    ['dhparam', 'honorCipherOrder', 'sessionIdContext', 'sessionTimeout', 'ticketKeys'],
    'leave it out: it is for servers',
  ),
}

/** What can be chosen of TLS besides certificate, key and trust. */
export const settings = [
  'minVersion',
  'maxVersion',
  'ciphers',
  'crl',
  'ecdhCurve',
  'sigalgs',
  'secureOptions',
  'allowPartialTrustChain',
] as const satisfies ReadonlyArray<keyof tls.SecureContextOptions>

const refuse = (what: string, given: object, cures: Readonly<Record<string, string>>): void => {
  for (const [name, cure] of Object.entries(cures))
    if (isGiven(given, name)) throw misuse(`${name} in the options of ${what} would have no effect`, cure)
}

const isGiven = (given: object, name: string): boolean => {
  const value: unknown = Reflect.get(given, name)
  return value !== undefined && value !== null
}

/** Throws for certificate, key or CAs of one's own: a server that follows has those that it follows. */
export const refuseOwn = (what: string, given: object): void => refuse(what, given, own)

/** The same for a client, and for what would not count there. */
export const refuseOfClient = (what: string, given: object): void => refuse(what, given, ofClients)

/** The same for what a connection has from its agent: settings of TLS belong `elsewhere`. */
export const refuseOfRequest = (what: string, given: object, elsewhere: string): void => {
  refuseOfClient(what, given)
  refuse(what, given, byNames(settings, `give it to ${elsewhere}`))
}

/**
 * Throws for an option that is a slip away from one of the known ones. Others are passed on: newer versions of Node and
 * undici have more.
 */
export const refuseMisspelt = (what: string, given: object, known: ReadonlyArray<string>): void => {
  for (const name of Object.keys(given)) {
    const near = known.includes(name) || !isGiven(given, name) ? undefined : nearest(name, known)
    if (near !== undefined) throw misuse(`${what}: there is no option ${name}`, `did you mean ${near}?`)
  }
}

/** What connections are made with in a generation. */
export type ContextOf = (generation: Generation) => tls.SecureContext

export const plainContext: ContextOf = ({ context }) => context

/** The contexts of generations with the settings of TLS that are given. Throws for what OpenSSL does not take. */
export const contextsWith = (what: string, given: object): ContextOf => {
  const names = settings.filter((name) => isGiven(given, name))
  if (names.length === 0) return plainContext
  const chosen: tls.SecureContextOptions = {
    minVersion,
    ...Object.fromEntries(names.map((name): [string, unknown] => [name, Reflect.get(given, name)])),
  }
  try {
    tls.createSecureContext(chosen)
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : 'it is not known'
    throw misuse(`${what}: ${names.join(', ')}: ${reason}`, 'see the options of tls.createSecureContext')
  }
  const made = new WeakMap<Generation, tls.SecureContext>()
  return (generation) => {
    const context = made.get(generation) ?? tls.createSecureContext({ ...chosen, ...generation.options() })
    made.set(generation, context)
    return context
  }
}
