/** How connections get to an API server: through a proxy perhaps, and by a name that is not the one in its URL. */
import { isIP } from 'node:net'
import * as tls from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import type { Cluster } from '../../src/ports.js'

/** An API server, the name to expect in its certificate, and the proxy on the way. */
export type Route = Pick<Cluster, 'server' | 'tlsServerName' | 'proxyUrl'>

/** Where a connection goes; of an IPv6 address without brackets. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The address in an `https` URL. */
export const addressOf = (url: string | URL): Address => {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) }
}

/** The route, where this is the way to the server that it is for: what a cluster says counts for no other server. */
export const routeTo = (route: O.Option<Route>, { host, port }: Address): Route | undefined => {
  if (O.isNone(route)) return undefined
  const server = addressOf(route.value.server)
  return server.host === host.toLowerCase() && server.port === port ? route.value : undefined
}

/** TLS with a server whose certificate is for this name or IP address. */
export const knownAs = (
  name: string,
): Required<Pick<tls.ConnectionOptions, 'servername' | 'checkServerIdentity'>> => ({
  // RFC 6066, 3: an IP address is no server name.
  servername: isIP(name) === 0 ? name : '',
  checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
})

/** The same for a route; nothing where the name is that of the URL. */
export const namedBy = (route: Route | undefined): Partial<ReturnType<typeof knownAs>> =>
  route === undefined || O.isNone(route.tlsServerName) ? {} : knownAs(route.tlsServerName.value)
