import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type Secret, secret } from '../../src/model/secret.js'

/** Whether we can go through a proxy with this URL; if not, why, without its text: a password may stand in it. */
export const checkProxyUrl = (url: Secret): E.Either<string, Secret> => {
  const text = url.reveal()
  if (!URL.canParse(text)) return E.left('is no URL')
  const { protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:'
    ? E.right(url)
    : E.left(`is a ${protocol} URL: only http and https proxies are supported`)
}

/** The proxy that the environment names for a server (`HTTPS_PROXY`, `NO_PROXY`), as Go's `x/net/http/httpproxy` has it. */
export const proxyFromEnvironment = (server: string, environment: NodeJS.ProcessEnv): O.Option<Secret> => {
  const url = environment['HTTPS_PROXY'] || environment['https_proxy'] || ''
  const except = environment['NO_PROXY'] || environment['no_proxy'] || ''
  return url === '' || isExempt(new URL(server), except)
    ? O.none
    : O.some(secret(url.includes('://') ? url : `http://${url}`))
}

/** Loopback is never proxied, whatever `NO_PROXY` says; of other names that mean it only `localhost` itself. */
const isExempt = ({ hostname, port }: URL, except: string): boolean => {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (host === 'localhost' || inNetwork('127.0.0.0/8', host) || inNetwork('::1', host)) return true
  return except
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .some((rule) => rule !== '' && matches(rule, host, port === '' ? '443' : port))
}

/** `*`, a network, an address or a name, the last two with a port or without. A name includes those below it. */
const matches = (rule: string, host: string, port: string): boolean => {
  if (rule === '*') return true
  if (rule.includes('/')) return inNetwork(rule, host)
  const [, name = rule, onlyPort = port] = /^(.*[^:]|.*\]):(\d+)$/.exec(isIP(rule) === 6 ? '' : rule) ?? []
  if (onlyPort !== port) return false
  const target = name.replace(/^\[|\]$/g, '')
  if (isIP(target) !== 0) return inNetwork(target, host)
  // `.example.com` and `*.example.com` are the names below it, without itself.
  const isBelow = target.startsWith('.') || target.startsWith('*.')
  const domain = domainToASCII(target.replace(/^\*?\./, ''))
  return domain !== '' && ((!isBelow && host === domain) || host.endsWith(`.${domain}`))
}

const inNetwork = (network: string, host: string): boolean => {
  const [address = '', prefix] = network.split('/')
  const version = isIP(address)
  if (version === 0 || version !== isIP(host)) return false
  const bits = Number(prefix ?? (version === 4 ? 32 : 128))
  if (!(Number.isInteger(bits) && bits >= 0 && bits <= (version === 4 ? 32 : 128))) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(address, bits, family)
  return list.check(host, family)
}
