/** Which certificate `run` keeps: the kubelet's client certificate, or one of any signer. */
import { hostname } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { knownUsages } from '../../src/control-plane/usages.js'
import { canonicalAddress } from '../../src/model/address.js'
import { KeyAlgorithm, keyAlgorithms } from '../../src/model/key-algorithm.js'
import {
  type CertificateTemplate,
  clientSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  usagesFor,
} from '../../src/model/template.js'
import type { RotationOptions } from '../node/index.js'
import { isNodeName } from '../node/options.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'

export const certificateFlags = {
  'hostname-override': {
    value: 'NAME',
    help: "the node's name (default: the host's name, in lower case)",
  },
  'signer-name': {
    value: 'SIGNER',
    help: `of this signer, not the kubelet's (default ${clientSigner})`,
  },
  'common-name': { value: 'NAME', help: 'the CN of its subject' },
  organizations: { value: 'NAME,…', help: 'the O attributes of its subject: groups' },
  'dns-names': { value: 'NAME,…', help: 'DNS names in it' },
  'ip-addresses': { value: 'ADDRESS,…', help: 'IP addresses in it' },
  uris: { value: 'URI,…', help: 'URIs in it' },
  usages: {
    value: 'USAGE,…',
    help: "what it is for (default: 'digital signature,key encipherment,client auth')",
  },
  'key-algorithm': {
    value: 'KIND',
    help: 'kind of private key: ECDSA-P384, RSA-3072, Ed25519, … (default ECDSA-P256)',
  },
} satisfies Flags<string>

type Name = keyof typeof certificateFlags

type Certificate = Pick<RotationOptions, 'nodeName' | 'template' | 'keyAlgorithm'>

/** What the flags ask for: a node's name, or a template. */
export const readCertificate = (given: Given<Name>): E.Either<UsageError, Certificate> => {
  const keyAlgorithm = readKeyAlgorithm('key-algorithm', given['key-algorithm'])
  if (E.isLeft(keyAlgorithm)) return keyAlgorithm
  const key = keyAlgorithm.right === undefined ? {} : { keyAlgorithm: keyAlgorithm.right }
  const named = templateFlags.find((flag) => given[flag] !== undefined)
  if (named === undefined) return E.map((nodeName: string) => ({ nodeName, ...key }))(nodeNameFrom(given))
  if (given['hostname-override'] !== undefined)
    return E.left(
      usageError(
        `--hostname-override and --${named} are both given`,
        "leave one out: the first is for the kubelet's certificate, the second for another one",
      ),
    )
  return E.map((template: CertificateTemplate) => ({ template: { ...template, ...key } }))(
    templateFrom(given, keyAlgorithm.right),
  )
}

const templateFlags = [
  'signer-name',
  'common-name',
  'organizations',
  'dns-names',
  'ip-addresses',
  'uris',
  'usages',
] as const

const templateFrom = (
  given: Given<Name>,
  keyAlgorithm: KeyAlgorithm | undefined,
): E.Either<UsageError, CertificateTemplate> => {
  const { 'signer-name': signerName = clientSigner, 'common-name': commonName } = given
  if (commonName === undefined)
    return E.left(usageError('--common-name is missing', 'name the subject of the certificate'))
  if (!/^[^/]+\.[^/]*\/.+$/.test(signerName) || /\s/.test(signerName))
    return E.left(
      usageError(
        `--signer-name=${signerName} is none`,
        'write it like example.com/name: a domain, a slash, a name',
      ),
    )
  const usages =
    given.usages === undefined ? usagesFor(purposeOf(signerName), keyAlgorithm) : listed(given.usages)
  const unknown = usages.find((usage) => !knownUsages.includes(usage))
  if (unknown !== undefined)
    return E.left(
      usageError(`--usages: ${unknown} is no usage`, `the known ones are ${knownUsages.join(', ')}`),
    )
  const ipAddresses = listed(given['ip-addresses'])
  const wrong = ipAddresses.find((address) => O.isNone(canonicalAddress(address)))
  if (wrong !== undefined)
    return E.left(usageError(`--ip-addresses: ${wrong} is no IP address`, 'write names in --dns-names'))
  if (signerName === kubeletClientSigner && !commonName.startsWith('system:node:'))
    return E.left(
      usageError(
        `--signer-name=${signerName} signs for nodes only, and --common-name=${commonName} is none`,
        `write --signer-name=${clientSigner}`,
      ),
    )
  return E.right({
    signerName,
    commonName,
    organizations: listed(given.organizations),
    dnsNames: listed(given['dns-names']),
    ipAddresses,
    uris: listed(given.uris),
    usages,
  })
}

const purposeOf = (signerName: string): 'server auth' | 'client auth' =>
  signerName === kubeletServingSigner ? 'server auth' : 'client auth'

/** The parts of a list with commas. */
export const listed = (text = ''): ReadonlyArray<string> =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** A kind of key; undefined where none is named. */
export const readKeyAlgorithm = (
  flag: string,
  name: string | undefined,
): E.Either<UsageError, KeyAlgorithm | undefined> =>
  name === undefined || KeyAlgorithm.is(name)
    ? E.right(name)
    : E.left(usageError(`--${flag}=${name} is not known`, `the known ones are ${keyAlgorithms.join(', ')}`))

/** The name of this node. */
export const nodeNameFrom = (given: Given<Name>): E.Either<UsageError, string> => {
  const { 'hostname-override': override } = given
  const name = (override ?? hostname()).trim().toLowerCase()
  if (isNodeName(name)) return E.right(name)
  const whose = override === undefined ? `this host's name ${name}` : `--hostname-override=${override}`
  return E.left(
    usageError(
      `${whose} cannot be the name of a node`,
      'write --hostname-override=NAME with letters, digits, dots and dashes',
    ),
  )
}
