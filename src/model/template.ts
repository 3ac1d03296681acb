import { eqStrict } from 'fp-ts/lib/Eq.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { sameAddress } from './address.js'
import type { Addresses } from './addresses.js'
import type { Certificate, Names } from './certificate.js'
import { defaultKeyAlgorithm, KeyAlgorithm } from './key-algorithm.js'
import { printable } from './printable.js'

/** The signer of the kubelet's client certificates. */
export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
/** The signer of the kubelet's serving certificates. */
export const kubeletServingSigner = 'kubernetes.io/kubelet-serving'
/** The signer of any other client certificate for the API server. */
export const clientSigner = 'kubernetes.io/kube-apiserver-client'

const texts = t.readonlyArray(t.string)

/** The codec of a template, as files of ours carry it. */
export const CertificateTemplate = t.intersection([
  t.type({
    /** The CN of the subject. */
    commonName: t.string,
    /** The O attributes of the subject: the user's groups. */
    organizations: texts,
    dnsNames: texts,
    ipAddresses: texts,
    uris: texts,
    /** `spec.signerName`. */
    signerName: t.string,
    /** `spec.usages`, such as `digital signature`, `key encipherment`, `client auth`. */
    usages: texts,
  }),
  t.partial({
    /** `spec.expirationSeconds`: a wish in seconds, at least 600; servers before 1.22 ignore it. */
    expirationSeconds: t.number,
    /** The kind of the private key; absent: a new one is ECDSA-P256, and a certificate with any other will do. */
    keyAlgorithm: KeyAlgorithm,
  }),
])

/** What we want: the certificate to ask for, in the terms of the CertificateSigningRequest API (`certificates.k8s.io/v1`). */
export type CertificateTemplate = t.TypeOf<typeof CertificateTemplate>

/**
 * The usages of a certificate by the kind of its key, in the form that is approved wherever there are such keys. Before
 * 1.25 `key encipherment` has to be among them, and it means nothing for an EC or Ed25519 key; the versions that know
 * ML-DSA approve without it, as RFC 9881 demands.
 */
export const usagesFor = (
  purpose: 'client auth' | 'server auth',
  keyAlgorithm: KeyAlgorithm = defaultKeyAlgorithm,
): ReadonlyArray<string> =>
  keyAlgorithm.startsWith('ML-DSA-')
    ? ['digital signature', purpose]
    : ['digital signature', 'key encipherment', purpose]

const client = (keyAlgorithm: KeyAlgorithm | undefined) => ({
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  usages: usagesFor('client auth', keyAlgorithm),
  ...(keyAlgorithm === undefined ? {} : { keyAlgorithm }),
})

/** The client certificate of a kubelet: CN `system:node:NAME`, O `system:nodes`, no SANs. */
export const kubeletClientTemplate = (
  nodeName: string,
  keyAlgorithm?: KeyAlgorithm,
): CertificateTemplate => ({
  ...client(keyAlgorithm),
  signerName: kubeletClientSigner,
  commonName: `system:node:${nodeName}`,
  organizations: ['system:nodes'],
})

/** The serving certificate of a kubelet: the names of its client certificate, and its addresses as SANs. */
export const kubeletServingTemplate = (
  nodeName: string,
  { dnsNames, ipAddresses }: Addresses,
  keyAlgorithm?: KeyAlgorithm,
): CertificateTemplate => ({
  ...kubeletClientTemplate(nodeName, keyAlgorithm),
  signerName: kubeletServingSigner,
  dnsNames,
  ipAddresses,
  usages: usagesFor('server auth', keyAlgorithm),
})

/** A client certificate for somebody who is not a node; somebody else has to approve it. */
export const clientTemplate = (
  commonName: string,
  organizations: ReadonlyArray<string>,
  keyAlgorithm?: KeyAlgorithm,
): CertificateTemplate => ({
  ...client(keyAlgorithm),
  signerName: clientSigner,
  commonName,
  organizations,
})

/**
 * What a certificate lacks of the template, a clause each; nothing when it satisfies it. Extra names are fine. The cases
 * are those of client-go's `certSatisfiesTemplateLocked` (util/certificate/certificate_manager.go), and URIs; and
 * `client auth` or `server auth` when it is wanted and the certificate says what it is for (RFC 5280, 4.2.1.12: without
 * the extension it is for anything); and another kind of key, where the template says which.
 */
export const missingFrom = (wanted: CertificateTemplate, certificate: Certificate): ReadonlyArray<string> => {
  const missing = missingNames(wanted, certificate)
  const purposes = certificate.extendedKeyUsages
  if (O.isSome(purposes))
    for (const usage of wanted.usages)
      if (usage.endsWith(' auth') && !purposes.value.includes(usage))
        missing.push(`usage ${usage} is missing`)
  if (isOtherKey(wanted, certificate))
    missing.push(`key is ${certificate.keyAlgorithm}, wanted is ${wanted.keyAlgorithm}`)
  return missing
}

/** Unknown in what was written down before kinds were told apart. */
const isOtherKey = (
  { keyAlgorithm: wanted }: Pick<CertificateTemplate, 'keyAlgorithm'>,
  { keyAlgorithm }: Pick<Certificate, 'keyAlgorithm'>,
): boolean => wanted !== undefined && keyAlgorithm !== undefined && wanted !== keyAlgorithm

const missingNames = (wanted: Names, names: Names): Array<string> => {
  const missing: Array<string> = []
  if (wanted.commonName !== names.commonName)
    missing.push(`common name is ${printable(names.commonName, 100)}, wanted is ${wanted.commonName}`)
  demand(missing, 'organization', wanted.organizations, names.organizations)
  demand(missing, 'DNS name', wanted.dnsNames, names.dnsNames)
  demand(missing, 'IP address', wanted.ipAddresses, names.ipAddresses, sameAddress)
  demand(missing, 'URI', wanted.uris, names.uris)
  return missing
}

/** Adds those that are wanted and not there. */
const demand = (
  missing: Array<string>,
  kind: string,
  want: ReadonlyArray<string>,
  have: ReadonlyArray<string>,
  same: (a: string, b: string) => boolean = eqStrict.equals,
): void => {
  for (const name of want)
    if (!have.includes(name) && !have.some((other) => same(name, other)))
      missing.push(`${kind} ${name} is missing`)
}

/** Whether a certificate for the `asked` template would still be accepted when `wanted` is. */
export const covers = (asked: CertificateTemplate, wanted: CertificateTemplate): boolean =>
  asked.signerName === wanted.signerName &&
  wanted.usages.every((usage) => asked.usages.includes(usage)) &&
  missingNames(wanted, asked).length === 0 &&
  !isOtherKey(wanted, { keyAlgorithm: asked.keyAlgorithm ?? defaultKeyAlgorithm })

/** Whether two templates ask for the same, in whatever order. */
export const isSameTemplate = (one: CertificateTemplate, other: CertificateTemplate): boolean =>
  covers(one, other) && covers(other, one) && one.expirationSeconds === other.expirationSeconds
