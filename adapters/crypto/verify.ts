import type { X509Certificate } from 'node:crypto'
import * as O from 'fp-ts/lib/Option.js'
import { BasicConstraints, Certificate } from 'pkijs'
import { printable } from '../../src/model/printable.js'
import { type Instant, rfc3339 } from '../../src/model/time.js'
import { bundleBounds, chainBounds } from '../platform/x509.js'
import { certificatesOf, extensionOf, timeOf } from './chain.js'
import { parsed } from './names.js'
import { oid } from './oid.js'

/** Reads a bundle of CAs, PEM. Throws when there is none in it, one is damaged, or there are too many. */
export const readAuthorities = (pem: string): ReadonlyArray<X509Certificate> =>
  certificatesOf(pem, bundleBounds)

/**
 * Why a chain does not chain to one of the CAs; none when it does. It is looked for by the rules that the API server goes
 * by (`Verify` of Go's `crypto/x509`): the CAs need not be self-signed, the intermediates come in any order, and how a
 * certificate identifies its issuer's key does not count, the signature does. What CAs are restricted to besides (names,
 * extended key usages) is not looked at. Each certificate is looked at once, on the shortest way to it, so that the time
 * is bounded whatever a chain contains.
 */
export const problemOf = (pem: string, bundle: string, now: Instant): O.Option<string> => {
  const authorities = readAuthorities(bundle)
  const [leaf, ...intermediates] = certificatesOf(pem, chainBounds)
  const problems: Array<string> = []
  let unseen = intermediates
  let children = [leaf]
  for (let below = 0; children.length > 0; below += 1) {
    const parents = new Set<X509Certificate>()
    for (const child of children) {
      const namesakes = [...authorities, ...unseen].filter((parent) => parent.subject === child.issuer)
      if (namesakes.length === 0) problems.push(`no CA there is called ${named(child.issuer)}`)
      for (const parent of namesakes) {
        const known = authorities.includes(parent)
        const objection = objectionTo(parent, known, child, below, now)
        if (objection !== undefined) problems.push(objection)
        else if (known) return O.none
        else parents.add(parent)
      }
    }
    unseen = unseen.filter((certificate) => !parents.has(certificate))
    children = [...parents]
  }
  return O.some([...new Set(problems)].slice(0, 3).join('; '))
}

/** What is wrong with a certificate, one of the CAs known or not, as the issuer of another with so many CAs below it. */
const objectionTo = (
  parent: X509Certificate,
  known: boolean,
  child: X509Certificate,
  below: number,
  now: Instant,
): string | undefined => {
  const name = named(parent.subject)
  try {
    if (!child.verify(parent.publicKey)) return `it is not signed by ${name}, but by another of this name`
    // OpenSSL counts in keyUsage, which has to allow signing certificates where there is one.
    if (!parent.ca && !(known && isVersion1(parent))) return `${name} is no CA`
    const [from, until] = [timeOf(parent.validFrom), timeOf(parent.validTo)]
    if (now > until) return `${name} expired at ${rfc3339(until)}`
    if (now < from) return `${name} is not valid before ${rfc3339(from)} by this machine's clock`
    const most = pathLength(parent)
    return below > most ? `${name} allows no more than ${most} CAs below it` : undefined
  } catch {
    return `${name} has a key or an extension that cannot be read`
  }
}

/** Before version 3 no certificate says whether it is a CA: that it is named as one has to do, as it does for Go. */
const isVersion1 = (certificate: X509Certificate): boolean =>
  new Certificate({ schema: parsed(certificate.raw) }).version === 0

/** How many CAs may stand between this one and the leaf (RFC 5280, 4.2.1.9). */
const pathLength = (authority: X509Certificate): number => {
  const der = extensionOf(authority, oid.basicConstraints)
  const limit = O.isSome(der)
    ? new BasicConstraints({ schema: parsed(der.value) }).pathLenConstraint
    : undefined
  return typeof limit === 'number' ? limit : Number.POSITIVE_INFINITY
}

/** Node answers `undefined` for an empty name, whatever its types say. */
const named = (name: string | undefined): string =>
  name === undefined ? 'nothing at all' : printable(name.replaceAll('\n', ', '), 100)
