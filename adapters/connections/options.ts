/** Options that would be passed over in silence: misspelt ones, and what the certificate that is followed takes the place of. */
import { didYouMean, unknownField } from '../platform/nearest.js'

/** A mistake of whoever calls: thrown, with the `code` `InvalidOptions`. */
export const misuse = (message: string, cure: string): Error =>
  Object.assign(new Error(`${message}; ${cure}`), { code: 'InvalidOptions' })

/** Throws for a field that is none of the known ones. */
export const refuseUnknown = (what: string, given: object, known: Readonly<Record<string, true>>): void => {
  const names = Object.keys(known)
  const unknown = unknownField(given, names)
  if (unknown !== undefined)
    throw misuse(`there is no option ${unknown} of ${what}`, didYouMean(unknown, names))
}

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
