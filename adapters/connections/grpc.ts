/** A channel for `@grpc/grpc-js`, by its public means: one real channel for each certificate. */
import {
  Channel,
  type ChannelOptions,
  type ClientOptions,
  credentials,
  type StatusObject,
  status,
  type VerifyOptions,
} from '@grpc/grpc-js'
import * as O from 'fp-ts/lib/Option.js'
import { misuse } from '../platform/options.js'
import type { Following } from './follow.js'
import type { Generation } from './generation.js'
import type { RequestLine } from './long-lived.js'
import { demandFollowing } from './options.js'
import { noticeAlert } from './rejection.js'
import { addressOf, type Route } from './route.js'

/** What the `channelFactoryOverride` of grpc-js makes. */
type FollowingChannel = ReturnType<NonNullable<ClientOptions['channelFactoryOverride']>>
type Call = ReturnType<FollowingChannel['createCall']>

/** A channel made with one generation, and the calls on it. */
interface Line {
  readonly generation: Generation
  readonly channel: Channel
  readonly call: (...parameters: Parameters<Channel['createCall']>) => Call
  readonly close: () => void
}

/**
 * Options that make a client follow a credential: `new Greeter(address, credentials.createSsl(),
 * channelOptions(following))`. What is given as credentials beside them is passed over. A call keeps its channel until
 * it is over; for which streaming calls a grace period counts, `longLived` of `follow` says by their paths
 * (`/package.Service/Method`). A connectionCounts counts channels. Status `UNAUTHENTICATED` is taken as a refused certificate.
 */
export const channelOptions = (
  following: Following,
  verify: VerifyOptions = {},
): Required<Pick<ClientOptions, 'channelFactoryOverride'>> => {
  demandFollowing('channelOptions', following)
  return {
    channelFactoryOverride: (address, _, options) => followingChannel(following, address, verify, options),
  }
}

const followingChannel = (
  following: Following,
  address: string,
  verify: VerifyOptions,
  options: ChannelOptions,
): FollowingChannel => {
  const lines = new Set<Line>()
  const route = () => routeOf(following, address)
  let closed = false
  const current = (): Line => {
    if (closed) throw new Error('the channel has been closed')
    const generation = following.current()
    const line =
      [...lines].find((open) => open.generation === generation) ??
      openLine(
        following,
        (context) =>
          new Channel(address, credentials.createFromSecureContext(context, verify), {
            ...namedAs(route()),
            ...options,
          }),
        (gone) => lines.delete(gone),
        () => behindProxy(route()),
      )
    lines.add(line)
    return line
  }
  return {
    createCall: (...parameters) => current().call(...parameters),
    close: () => {
      closed = true
      for (const line of [...lines]) line.close()
    },
    getTarget: () => current().channel.getTarget(),
    getConnectivityState: (tryToConnect) => current().channel.getConnectivityState(tryToConnect),
    watchConnectivityState: (...parameters) => current().channel.watchConnectivityState(...parameters),
    getChannelzRef: () => current().channel.getChannelzRef(),
  }
}

const openLine = (
  following: Following,
  open: (context: Generation['context']) => Channel,
  onGone: (line: Line) => void,
  problemOnTheWay: () => Error | undefined,
): Line => {
  const generation = following.current()
  const channel = open(generation.context)
  const calls = new Map<Call, RequestLine>()
  let retired = false

  const close = () => {
    onGone(line)
    leave()
    channel.close()
  }
  // A channel that is closed fails the calls that have no connection yet: so not before all are over.
  const settle = () => {
    if (retired && calls.size === 0) close()
  }
  const cancel = (which: (line: RequestLine) => boolean) => {
    for (const [call, its] of calls)
      if (which(its))
        call.cancelWithStatus(status.UNAVAILABLE, 'the certificate of this connection was replaced')
  }
  const leave = generation.enter({
    retire: () => {
      retired = true
      settle()
    },
    endStreams: () => cancel(following.longLived),
    destroy: () => {
      cancel(() => true)
      close()
    },
  })

  const line: Line = {
    generation,
    channel,
    close,
    call: (...parameters) => {
      const call = channel.createCall(...parameters)
      calls.set(call, { method: 'POST', path: parameters[0] })
      const problem = generation.problem() ?? problemOnTheWay()
      const { start } = call
      call.start = (metadata, listener) => {
        start.call(call, metadata, {
          onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
          onReceiveMessage: (message) => listener.onReceiveMessage(message),
          onReceiveStatus: (end) => {
            calls.delete(call)
            noticeEnd(end, generation.rejected)
            listener.onReceiveStatus(end)
            settle()
          },
        })
        if (problem === undefined) return
        // The server has rejected nothing, where there is a certificate.
        const code = O.isNone(generation.credential) ? status.UNAUTHENTICATED : status.UNAVAILABLE
        call.cancelWithStatus(code, problem.message)
      }
      return call
    },
  }
  return line
}

/** The way to a target of grpc-js, such as `host:port` or `dns:///host:port`. */
const routeOf = ({ routeTo }: Following, target: string): Route | undefined => {
  const url = `https://${target.replace(/^dns:(\/\/[^/]*\/)?/, '')}`
  return URL.canParse(url) ? routeTo(addressOf(url)) : undefined
}

const namedAs = (route: Route | undefined): ChannelOptions =>
  route === undefined || O.isNone(route.tlsServerName)
    ? {}
    : { 'grpc.ssl_target_name_override': route.tlsServerName.value }

const behindProxy = (route: Route | undefined): Error | undefined =>
  route === undefined || O.isNone(route.proxyUrl)
    ? undefined
    : misuse(
        `${route.server} is reached through a proxy (proxy-url, HTTPS_PROXY), which is not supported for gRPC here`,
        'use another stack, or a kubeconfig without a proxy',
      )

const noticeEnd = ({ code, details }: StatusObject, rejected: (reason: string) => void): void => {
  if (code === status.UNAUTHENTICATED) rejected('status UNAUTHENTICATED')
  if (code === status.PERMISSION_DENIED && details.includes('system:anonymous'))
    rejected('status PERMISSION_DENIED for system:anonymous')
  if (code === status.UNAVAILABLE) noticeAlert(new Error(details), rejected)
}
