import * as E from 'fp-ts/lib/Either.js'
import type { Address } from '../metrics/listener.js'

const loopback = '127.0.0.1'

/**
 * Reads where to listen: `HOST:PORT`, `[::1]:PORT`, or `:PORT` for loopback alone (other programs mean every address by
 * that); `0` for nowhere. To be reached from other machines it has to be said: `0.0.0.0:PORT`.
 */
export const parseBindAddress = (text: string): E.Either<string, Address | undefined> => {
  if (text === '0') return E.right(undefined)
  const [, bracketed, host, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  return digits === undefined || port > 65_535
    ? E.left(`${JSON.stringify(text)} is no address with a port`)
    : E.right({ host: bracketed ?? (host || loopback), port })
}
