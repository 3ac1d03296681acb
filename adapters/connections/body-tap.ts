import type { Readable } from 'node:stream'

/** Hears the pieces of a body as they arrive. Unlike a listener for `data` it does not make the body flow. */
export const tapBody = (body: Readable, hear: (chunk: Uint8Array) => void): void => {
  const { push } = body
  body.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) hear(chunk)
    return push.call(body, chunk, encoding)
  }
}
