/** Options that would be passed over in silence: misspelt ones, and what the certificate that is followed takes the place of. */
import { being, demand, having, misuse } from '../platform/options.js'

/** Throws for anything but what `follow` answers. */
export const demandFollowing = (caller: string, value: unknown): void =>
  demand(caller, following, value, 'what it follows')

const following = being(
  'what follow() answers',
  (value) => having('', 'current', 'connectionCounts', 'routeTo')(value, '') === undefined,
  'write follow(rotation), or follow(fromFiles({ … }))',
)

const instead: Readonly<Record<string, string>> = {
  ca: 'give follow() the CAs: trust: variable(some(pem)), or fromFiles({ ca })',
  cert: 'give follow() the certificate: credentials of a rotation, or fromFiles({ certificate, key })',
  key: 'give follow() the key with its certificate: credentials of a rotation, or fromFiles({ certificate, key })',
  pfx: 'give follow() PEM: credentials of a rotation, or fromFiles({ certificate, key, ca })',
}

/** Throws for certificate, key or CAs of one's own: a connection that follows has those that it follows. */
export const refuseOwn = (what: string, given: object): void => {
  for (const [name, cure] of Object.entries(instead)) {
    const value: unknown = Reflect.get(given, name)
    if (value !== undefined && value !== null)
      throw misuse(`${name} in the options of ${what} would have no effect`, cure)
  }
}
