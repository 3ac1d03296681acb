import * as O from 'fp-ts/lib/Option.js'
import { canonicalAddress } from './address.js'
import type { Names } from './certificate.js'

/** Under which names and addresses a node serves: the SANs of its serving certificate, sorted, each once. */
export type Addresses = Pick<Names, 'dnsNames' | 'ipAddresses'>

export const noAddresses: Addresses = { dnsNames: [], ipAddresses: [] }

/** IP addresses where a text is one, DNS names (in lower case) otherwise. */
export const addressesFrom = (texts: ReadonlyArray<string>): Addresses => {
  const [dnsNames, ipAddresses] = [new Set<string>(), new Map<string, string>()]
  for (const text of texts) {
    const address = canonicalAddress(text)
    if (O.isNone(address)) dnsNames.add(text.toLowerCase())
    else if (!ipAddresses.has(address.value)) ipAddresses.set(address.value, text)
  }
  return { dnsNames: [...dnsNames].sort(), ipAddresses: [...ipAddresses.values()].sort() }
}

/** An element of `status.addresses` of a Node (`k8s.io/api/core/v1`, type NodeAddress). */
export interface NodeAddress {
  readonly type: string
  readonly address: string
}

/**
 * The addresses of a Node by the rules of the kubelet (`pkg/kubelet/certificate/kubelet.go`, `addressesToHostnamesAndIPs`):
 * `Hostname` is an IP address or a DNS name, `InternalIP` and `ExternalIP` are IP addresses, `InternalDNS` and
 * `ExternalDNS` are DNS names. None as long as there is no IP address among them: those of a cloud come later than the
 * host's name.
 */
export const nodeAddressesOf = (addresses: ReadonlyArray<NodeAddress>): Addresses => {
  const of = (...types: ReadonlyArray<string>) =>
    addresses
      .filter(({ type, address }) => types.includes(type) && address !== '')
      .map(({ address }) => address)
  const isAddress = (text: string) => O.isSome(canonicalAddress(text))
  const found = addressesFrom([
    ...of('Hostname'),
    ...of('InternalIP', 'ExternalIP').filter(isAddress),
    ...of('InternalDNS', 'ExternalDNS').filter((text) => !isAddress(text)),
  ])
  return found.ipAddresses.length === 0 ? noAddresses : found
}

export const isSameAddresses = (one: Addresses, other: Addresses): boolean =>
  JSON.stringify([one.dnsNames, one.ipAddresses]) === JSON.stringify([other.dnsNames, other.ipAddresses])

/** Whether there is nothing that a certificate could be for. */
export const isNoAddresses = ({ dnsNames, ipAddresses }: Addresses): boolean =>
  dnsNames.length + ipAddresses.length === 0
