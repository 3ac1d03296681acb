/**
 * Whether a node's serving certificate is approved: what kube-controller-manager leaves to somebody else. Three verdicts,
 * each with a reason. Nobody else checks that the SANs of such a request belong to the node.
 */
import * as O from 'fp-ts/lib/Option.js'
import { canonicalAddress } from '../model/address.js'
import { printable } from '../model/printable.js'
import { kubeletServingSigner } from '../model/template.js'
import { nodeNameOf, type User } from './access.js'
import { kubeletServingDefect, type RequestedNames } from './kubelet.js'

/** A node, and what its serving certificate may be for. */
export interface DeclaredNode {
  readonly name: string
  /** Besides its name: IP addresses, ranges of them (`10.1.0.0/16`), DNS names, domains with all names below (`.example.com`). */
  readonly addresses: ReadonlyArray<string>
}

export interface ServingPolicy {
  readonly nodes: ReadonlyArray<DeclaredNode>
  /** The same of the API server and of services: never a node's, whatever is declared. */
  readonly reserved: ReadonlyArray<string>
}

/** A request as the policy sees it. */
export interface ServingRequest {
  readonly signerName: string
  readonly usages: ReadonlyArray<string>
  readonly names: RequestedNames
  /** `spec.username` and `spec.groups`, which the API server filled in. */
  readonly username: string
  readonly groups: ReadonlyArray<string>
}

/** `reason`: a word to search for; `message`: a sentence for people. */
export interface ServingVerdict {
  readonly _tag: 'Approve' | 'Deny' | 'NoOpinion'
  readonly reason: string
  readonly message: string
}

/** The verdict on a request. */
export const servingVerdict = (
  { nodes, reserved }: ServingPolicy,
  { signerName, usages, names, ...requester }: ServingRequest,
): ServingVerdict => {
  if (signerName !== kubeletServingSigner)
    return noOpinion('OtherSigner', `only requests for ${kubeletServingSigner} are judged here`)
  if (nodes.length === 0) return noOpinion('NothingDeclared', 'no node is declared')
  const nodeName = nodeNameOf(userOf(requester))
  if (nodeName === undefined)
    return denied('NotANode', `${shown(requester.username)} is no node in system:nodes`)
  if (names.commonName !== requester.username)
    return denied('OtherSubject', `${shown(requester.username)} asks for ${shown(names.commonName)}`)
  const defect = kubeletServingDefect(names, usages)
  if (O.isSome(defect)) return denied('NotAServingCertificate', defect.value)
  const node = nodes.find(({ name }) => name === nodeName)
  if (node === undefined) return noOpinion('NodeNotDeclared', `nothing is declared about node ${nodeName}`)
  const sans = [...names.dnsNames, ...names.ipAddresses]
  const taken = sans.find((san) => isReservedName(san) || isAmong(reserved, san))
  if (taken !== undefined)
    return denied(
      'ReservedName',
      `SAN ${shown(taken)} is one of the API server, of services or of every host`,
    )
  const foreign = sans.find((san) => !isAmong([node.name, ...node.addresses], san))
  if (foreign !== undefined)
    return denied('NotItsAddress', `SAN ${shown(foreign)} is not declared for node ${nodeName}`)
  return {
    _tag: 'Approve',
    reason: 'DeclaredAddresses',
    message: `the SANs are declared for node ${nodeName}`,
  }
}

const userOf = ({ username, groups }: Pick<ServingRequest, 'username' | 'groups'>): User => ({
  name: username,
  groups,
})

const shown = (text: string): string => printable(text, 100)

const noOpinion = (reason: string, message: string): ServingVerdict => ({
  _tag: 'NoOpinion',
  reason,
  message,
})
const denied = (reason: string, message: string): ServingVerdict => ({ _tag: 'Deny', reason, message })

/** Names by which clients reach the API server and services, or any host; and wildcards. */
const isReservedName = (san: string): boolean =>
  /^(localhost|kubernetes|kubernetes\.default)$|(^|\.)svc(\.|$)|\*/i.test(san) ||
  san.toLowerCase().endsWith('.cluster.local')

/** Whether a DNS name or IP address is one of the declared ones, in one of the ranges or below one of the domains. */
const isAmong = (declared: ReadonlyArray<string>, san: string): boolean => {
  const address = canonicalAddress(san)
  return declared.some((one) => {
    if (O.isSome(address)) return isWithin(one, address.value)
    const [name, wanted] = [san.toLowerCase(), one.toLowerCase()]
    return wanted.startsWith('.') ? name.endsWith(wanted) && name.length > wanted.length : name === wanted
  })
}

/** Whether an address, canonical, is this one, or in this range. */
const isWithin = (range: string, address: string): boolean => {
  const [, text = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const base = canonicalAddress(text)
  if (O.isNone(base)) return false
  const [network, bits] = [bitsOf(base.value), bitsOf(address)]
  return network.length === bits.length && bits.startsWith(network.slice(0, Number(length ?? network.length)))
}

/** The bits of a canonical address: 32 or 128 digits. */
const bitsOf = (address: string): string => {
  const [radix, width, parts] = address.includes(':')
    ? ([16, 16, address.split(':')] as const)
    : ([10, 8, address.split('.')] as const)
  return parts.map((part) => Number.parseInt(part, radix).toString(2).padStart(width, '0')).join('')
}
