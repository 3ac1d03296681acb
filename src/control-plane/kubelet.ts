import * as O from 'fp-ts/lib/Option.js'
import type { Names } from '../model/certificate.js'
import { sameUsages } from './usages.js'

/** Whom and what a PKCS#10 request names. */
export interface RequestedNames extends Names {
  /** rfc822Name entries of the subjectAltName. */
  readonly emailAddresses: ReadonlyArray<string>
}

/** What makes a request a kubelet's: pkg/apis/certificates/helpers.go, in its order and its words. */
type Requirement = readonly [broken: boolean, message: string]

const firstBroken = (requirements: ReadonlyArray<Requirement>): O.Option<string> => {
  const broken = requirements.find(([isBroken]) => isBroken)
  return broken === undefined ? O.none : O.some(broken[1])
}

const organization = ({ organizations }: Names): Requirement => [
  organizations.length !== 1 || organizations[0] !== 'system:nodes',
  'subject organization is not system:nodes',
]

const commonName = (names: Names): Requirement => [
  !names.commonName.startsWith('system:node:'),
  'subject common name does not begin with system:node:',
]

/** With `key encipherment` or, since 1.25, without: it means nothing for an EC key. */
const usage = (purpose: string, usages: ReadonlyArray<string>): Requirement => {
  const required = [purpose, 'digital signature', 'key encipherment'].sort()
  const withoutRsa = required.filter((one) => one !== 'key encipherment')
  return [
    !sameUsages(usages, required) && !sameUsages(usages, withoutRsa),
    `usages did not match [${required.join(' ')}]`,
  ]
}

const notAllowed = (kind: string, names: ReadonlyArray<unknown>): Requirement => [
  names.length > 0,
  `${kind} subjectAltNames are not allowed`,
]

/** Why this is no kubelet's client certificate request, or none when it is one (`ValidateKubeletClientCSR`). */
export const kubeletClientDefect = (names: RequestedNames, usages: ReadonlyArray<string>): O.Option<string> =>
  firstBroken([
    organization(names),
    notAllowed('DNS', names.dnsNames),
    notAllowed('Email', names.emailAddresses),
    notAllowed('IP', names.ipAddresses),
    notAllowed('URI', names.uris),
    commonName(names),
    usage('client auth', usages),
  ])

/** Why this is no kubelet's serving certificate request, or none when it is one (`ValidateKubeletServingCSR`). */
export const kubeletServingDefect = (
  names: RequestedNames,
  usages: ReadonlyArray<string>,
): O.Option<string> =>
  firstBroken([
    organization(names),
    [names.dnsNames.length + names.ipAddresses.length === 0, 'DNS or IP subjectAltName is required'],
    notAllowed('Email', names.emailAddresses),
    notAllowed('URI', names.uris),
    usage('server auth', usages),
    commonName(names),
  ])
