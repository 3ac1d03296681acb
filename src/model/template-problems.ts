/** What cannot be asked for: found before a request is sent in vain. */
import * as O from 'fp-ts/lib/Option.js'
import { canonicalAddress } from './address.js'
import type { CertificateTemplate } from './template.js'
import { knownUsages } from './usages.js'

export interface TemplateProblem {
  readonly field: keyof CertificateTemplate
  /** What is wrong, after the name of the field: ` is missing`. */
  readonly message: string
  readonly remedy: string
  /** A word that is none of the known ones. */
  readonly unknown?: { readonly word: string; readonly known: ReadonlyArray<string> }
}

/** The fields of a template, as somebody without a compiler may give them. */
export type GivenTemplate = Readonly<Partial<Record<keyof CertificateTemplate, unknown>>>

const lists = ['organizations', 'dnsNames', 'ipAddresses', 'uris', 'usages'] as const

/**
 * Everything about a template that the API server refuses (pkg/apis/certificates/validation), or that no certificate can
 * have. A common name has no bound here: X.520 has 64 characters, names of nodes are longer (253), and Go takes them.
 */
export const templateProblems = (given: GivenTemplate): ReadonlyArray<TemplateProblem> => [
  ...(typeof given.commonName === 'string'
    ? []
    : [problem('commonName', ' must be text', 'name the subject; empty for none')]),
  ...lists.flatMap((field) => listProblems(field, given[field])),
  ...(typeof given.signerName === 'string' && isSignerName(given.signerName)
    ? []
    : [
        problem(
          'signerName',
          typeof given.signerName === 'string' ? `=${given.signerName} is none` : ' must be text',
          'write it like example.com/name: a domain with a dot, a slash, a name',
        ),
      ]),
  ...(given.expirationSeconds === undefined || isLifetime(given.expirationSeconds)
    ? []
    : [
        problem(
          'expirationSeconds',
          ` of ${JSON.stringify(given.expirationSeconds)} is not accepted by Kubernetes`,
          'write a whole number of seconds, from 600 to 2147483647',
        ),
      ]),
]

const problem = (field: TemplateProblem['field'], message: string, remedy: string): TemplateProblem => ({
  field,
  message,
  remedy,
})

/** Seconds that `spec.expirationSeconds` takes. */
export const isLifetime = (seconds: unknown): boolean =>
  typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 600 && seconds <= 0x7fffffff

const listProblems = (field: (typeof lists)[number], given: unknown): ReadonlyArray<TemplateProblem> => {
  if (!Array.isArray(given))
    return [problem(field, ' must be a list', 'write a list of texts, empty for none')]
  const texts = given.filter((one) => typeof one === 'string')
  if (texts.length < given.length || texts.includes(''))
    return [problem(field, ' must be a list of texts that are not empty', 'leave out what is no name')]
  switch (field) {
    case 'organizations':
      return []
    case 'dnsNames':
      return texts.flatMap((name) => {
        const wrong = dnsNameProblem(name)
        return wrong === undefined ? [] : [problem(field, `: ${name} ${wrong.message}`, wrong.remedy)]
      })
    case 'ipAddresses':
      return texts
        .filter((address) => O.isNone(canonicalAddress(address)))
        .map((address) => problem(field, `: ${address} is no IP address`, 'write names among the DNS names'))
    case 'uris':
      return texts
        .filter((uri) => !isUri(uri))
        .map((uri) =>
          problem(
            field,
            `: ${uri} is no URI`,
            'write it with its scheme, in ASCII: spiffe://example.com/agent',
          ),
        )
    case 'usages':
      return usageProblems(texts)
  }
}

const usageProblems = (usages: ReadonlyArray<string>): ReadonlyArray<TemplateProblem> => {
  if (usages.length === 0) return [problem('usages', ' must not be empty', 'name one, such as client auth')]
  return usages.flatMap((word, index): ReadonlyArray<TemplateProblem> => {
    if (!knownUsages.includes(word))
      return [
        {
          ...problem('usages', `: ${word} is no usage`, `the known ones are ${knownUsages.join(', ')}`),
          unknown: { word, known: knownUsages },
        },
      ]
    return usages.indexOf(word) === index
      ? []
      : [problem('usages', `: ${word} is there twice`, 'name it once')]
  })
}

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i

/**
 * Why a text is no DNS name of a certificate, as Kubernetes (`IsDNS1123Subdomain`, `IsWildcardDNS1123Subdomain`; in
 * whatever case) and Go (`validHostnamePattern` of crypto/x509) take them: labels of up to 63 letters, digits and dashes,
 * 253 characters in all, one `*` at most, which is the first label.
 */
export const dnsNameProblem = (
  name: string,
): { readonly message: string; readonly remedy: string } | undefined => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what ASCII is.
  if (!/^[\x00-\x7f]*$/.test(name)) return { message: 'is not ASCII', remedy: 'write it in punycode: xn--…' }
  if (name.length > 253)
    return { message: `has ${name.length} characters`, remedy: 'a DNS name has 253 at most' }
  const labels = name.split('.')
  const own = labels.length > 1 && labels[0] === '*' ? labels.slice(1) : labels
  if (own.every((one) => label.test(one))) return undefined
  return {
    message: 'is no DNS name',
    remedy: /^.+:\d+$/.test(name)
      ? 'leave out the port'
      : 'write letters, digits and dashes between dots; a * only as the first of them',
  }
}

/** RFC 3986 with a scheme: what Go parses when it reads a certificate. */
const isUri = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:(\/\/([^/?#@[\]]*@)?(\[[0-9a-f:.]+\]|[^/?#@:[\]]*)(:\d*)?(?=[/?#]|$)|(?!\/\/))[^[\]]*$/i.test(
    text,
  ) &&
  /^[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/.test(text) &&
  !/%(?![0-9a-f]{2})/i.test(text) &&
  !text.endsWith(':')

/** A domain of two labels and more, and a path: `ValidateSignerName` of Kubernetes. */
export const signerPattern =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$/

export const isSignerName = (name: string): boolean =>
  signerPattern.test(name) && name.indexOf('/') <= 253 && name.length <= 571
