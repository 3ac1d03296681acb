/** Which certificate `run` keeps: the kubelet's client certificate, or one of any signer. */
import { hostname } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { KeyAlgorithm, keyAlgorithms } from '../../src/model/key-algorithm.js'
import {
  type CertificateTemplate,
  clientSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  usagesFor,
} from '../../src/model/template.js'
import { templateProblems } from '../../src/model/template-problems.js'
import type { RotationOptions } from '../node/index.js'
import { isNodeName } from '../node/options.js'
import { didYouMean } from '../platform/nearest.js'
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

/** How a setting is called where it was given: `--cert-dir`, or a path in a file. `name` is in camel case. */
export type Naming = (name: string) => string

export const asFlag: Naming = (name) =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** What a certificate is to be, as flags and the fields of a file say it. */
export interface CertificateSettings extends Partial<Record<ListName, ReadonlyArray<string> | undefined>> {
  readonly hostnameOverride?: string | undefined
  readonly signerName?: string | undefined
  readonly commonName?: string | undefined
  readonly keyAlgorithm?: KeyAlgorithm | undefined
}
type ListName = 'organizations' | 'dnsNames' | 'ipAddresses' | 'uris' | 'usages'

const listFlags = ['organizations', 'dns-names', 'ip-addresses', 'uris', 'usages'] as const

/** What the flags ask for: a node's name, or a template. */
export const readCertificate = (given: Given<Name>): E.Either<UsageError, Certificate> => {
  const keyAlgorithm = readKeyAlgorithm('key-algorithm', given['key-algorithm'])
  if (E.isLeft(keyAlgorithm)) return keyAlgorithm
  const lists = (text: string | undefined) => (text === undefined ? undefined : listed(text))
  const empty = listFlags.find((name) => lists(given[name])?.length === 0)
  if (empty !== undefined)
    return E.left(usageError(`--${empty}=${given[empty]} names none`, 'leave it out, or name one'))
  const settings: CertificateSettings = {
    hostnameOverride: given['hostname-override'],
    signerName: given['signer-name'],
    commonName: given['common-name'],
    organizations: lists(given.organizations),
    dnsNames: lists(given['dns-names']),
    ipAddresses: lists(given['ip-addresses']),
    uris: lists(given.uris),
    usages: lists(given.usages),
    keyAlgorithm: keyAlgorithm.right,
  }
  const [problem] = certificateProblems(settings, asFlag)
  return problem === undefined ? E.right(certificateFrom(settings)) : E.left(problem)
}

/** Those of another certificate than the kubelet's. */
export const templateSettings = [
  'signerName',
  'commonName',
  'organizations',
  'dnsNames',
  'ipAddresses',
  'uris',
  'usages',
] as const

/** The certificate of settings that have no problems. */
export const certificateFrom = (settings: CertificateSettings): Certificate => {
  const { keyAlgorithm } = settings
  return templateSettings.every((name) => settings[name] === undefined)
    ? { nodeName: nodeNameFrom(settings), ...(keyAlgorithm === undefined ? {} : { keyAlgorithm }) }
    : { template: templateOf(settings) }
}

const templateOf = (settings: CertificateSettings): CertificateTemplate => {
  const { keyAlgorithm, signerName = clientSigner, usages } = settings
  return {
    signerName,
    commonName: settings.commonName ?? '',
    organizations: settings.organizations ?? [],
    dnsNames: settings.dnsNames ?? [],
    ipAddresses: settings.ipAddresses ?? [],
    uris: settings.uris ?? [],
    usages: usages ?? usagesFor(purposeOf(signerName), keyAlgorithm),
    ...(keyAlgorithm === undefined ? {} : { keyAlgorithm }),
  }
}

/** Everything that is wrong with them, with the names that they have where they were given. */
export const certificateProblems = (settings: CertificateSettings, as: Naming): ReadonlyArray<UsageError> => {
  const { hostnameOverride, signerName = clientSigner, commonName } = settings
  const wrong = (isWrong: boolean, message: string, hint: string) =>
    isWrong ? [usageError(message, hint)] : []
  const named = templateSettings.find((name) => settings[name] !== undefined)
  const nodeName = nodeNameFrom(settings)
  if (named === undefined)
    return wrong(
      !isNodeName(nodeName),
      `${hostnameOverride === undefined ? `this host's name ${nodeName}` : `${as('hostnameOverride')}=${hostnameOverride}`} cannot be the name of a node`,
      `write ${as('hostnameOverride')}=NAME with letters, digits, dots and dashes`,
    )
  return [
    ...wrong(
      hostnameOverride !== undefined,
      `${as('hostnameOverride')} and ${as(named)} are both given`,
      "leave one out: the first is for the kubelet's certificate, the second for another one",
    ),
    ...wrong(
      commonName === undefined,
      `${as('commonName')} is missing`,
      'name the subject of the certificate',
    ),
    ...templateProblems(templateOf(settings)).map(({ field, message, remedy, unknown }) =>
      usageError(
        `${as(field)}${message}`,
        unknown === undefined ? remedy : didYouMean(unknown.word, unknown.known),
      ),
    ),
    ...wrong(
      signerName === kubeletClientSigner &&
        commonName !== undefined &&
        !commonName.startsWith('system:node:'),
      `${as('signerName')}=${signerName} signs for nodes only, and ${as('commonName')}=${commonName} is none`,
      `write ${as('signerName')}=${clientSigner}`,
    ),
  ]
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

/** The name of this node, as it is given or else as the host's is; it may be none that a node can have. */
const nodeNameFrom = ({ hostnameOverride = hostname() }: CertificateSettings): string =>
  hostnameOverride.trim().toLowerCase()
