import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import type { Secret } from '../../src/model/secret.js'
import { type Milliseconds, second } from '../../src/model/time.js'
import { asError, connectionFailure, connectionFailureOf } from './failure.js'
import type { Address } from './route.js'

/** How long a proxy may take where nobody says otherwise, ms. */
export const tunnelTimeout = 10 * second

/** Opens a tunnel to an address through a proxy (CONNECT, RFC 9110, 9.3.6); rejects with an error that has a code. */
export const tunnel = (
  proxyUrl: Secret,
  { host, port }: Address,
  timeout: Milliseconds,
  signal: AbortSignal,
): Promise<Socket> => {
  const text = proxyUrl.reveal()
  if (!/^https?:/i.test(text) || !URL.canParse(text))
    return Promise.reject(
      asError(
        connectionFailure('PROXY_UNSUPPORTED', 'the proxy is no http or https URL: no other is supported'),
      ),
    )
  const proxy = new URL(text)
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const user = decodeURIComponent(proxy.username)
  const password = decodeURIComponent(proxy.password)
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  const options: RequestOptions = {
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : proxy.port,
    path: target,
    headers: { host: target, ...(user === '' ? {} : { 'proxy-authorization': `Basic ${basic}` }) },
    agent: false,
    signal,
  }
  return new Promise((resolve, reject) => {
    const connect = proxy.protocol === 'https:' ? httpsRequest(options) : httpRequest(options)
    const timer = setTimeout(() => {
      connect.destroy(
        asError(connectionFailure('PROXY_TIMEOUT', `the proxy ${proxy.host} did not answer in time`)),
      )
    }, timeout)
    connect
      // Made anew without the alert that it may be: a proxy that refuses us says nothing about our certificate.
      .once('error', (error) => {
        const { code, reason } = connectionFailureOf(error)
        const isOurs = code.startsWith('PROXY_')
        reject(
          asError(
            isOurs
              ? connectionFailure(code, reason)
              : connectionFailure('PROXY_UNUSABLE', `the proxy ${proxy.host} cannot be used: ${reason}`),
          ),
        )
      })
      .once('close', () => {
        clearTimeout(timer)
        reject(asError(connectionFailure('PROXY_CLOSED', `the proxy ${proxy.host} closed the connection`)))
      })
      .once('response', ({ statusCode }) => refuse(statusCode))
      .once('connect', ({ statusCode }, socket) => {
        clearTimeout(timer)
        if (statusCode === 200) return resolve(socket)
        socket.destroy()
        refuse(statusCode)
      })
      .end()
    const refuse = (status: number | undefined): void => {
      const reason = `the proxy ${proxy.host} refused to connect to ${target}: status ${status}`
      connect.destroy(asError(connectionFailure('PROXY_REFUSED', reason)))
      reject(asError(connectionFailure('PROXY_REFUSED', reason)))
    }
  })
}
