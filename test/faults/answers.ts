/** Ways in which an API server, or what stands before it, answers badly. */
import { type Exchange, type HttpFault, pass } from './gateway.js'

type Headers = Readonly<Record<string, string>>

/** Answers with a `Status` object. */
export const status =
  (
    code: number,
    message: string,
    { headers = {}, details = {} }: { readonly headers?: Headers; readonly details?: object } = {},
  ): HttpFault =>
  ({ response }) => {
    const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message, details }
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }

export const web: HttpFault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Sign in</body></html>')
}

/** JSON by its name, and nothing but its beginning. */
export const broken: HttpFault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind":"Certif')
}

export const silence: HttpFault = () => {}

export const reset: HttpFault = (exchange) => exchange.reset()

/** It has taken effect, and nobody hears of it. */
export const resetInsteadOfAnswer: HttpFault = async ({ forward, reset }) => {
  await bytesOf(await forward())
  reset()
}

export const resetWithinAnswer: HttpFault = async ({ forward, response, reset }) => {
  const answer = await forward()
  const bytes = await bytesOf(answer)
  response.writeHead(answer.statusCode ?? 0, answer.headers)
  response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(reset, 20))
}

/** The whole answer, and then no connection any more. */
export const resetAfterAnswer: HttpFault = async ({ forward, response, reset }) => {
  const answer = await forward()
  const bytes = await bytesOf(answer)
  response.writeHead(answer.statusCode ?? 0, answer.headers)
  response.end(bytes, () => setTimeout(reset, 20))
}

/** A byte now and then, for ever. */
export const dripping: HttpFault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const drip = setInterval(() => response.write(' '), 50)
  response.on('close', () => clearInterval(drip))
}

export const standing: HttpFault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{')
}

/** A body without an end, as fast as it is taken; `count` is told how much was. */
export const endless =
  (count: (bytes: number) => void): HttpFault =>
  ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(64 * 1024, ' ')
    const fill = () => {
      if (response.destroyed) return
      count(chunk.length)
      if (response.write(chunk)) setImmediate(fill)
      else response.once('drain', fill)
    }
    fill()
  }

/** A watch that says this, and ends or stays open. */
export const stream =
  (text: string, then: 'ends' | 'stays' | 'is reset' = 'ends'): HttpFault =>
  ({ response, reset }) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (then === 'ends') response.end(text)
    else response.write(text, () => (then === 'is reset' ? setTimeout(reset, 20) : undefined))
  }

/** Strikes some requests and lets the others pass. */
export const striking =
  (when: (exchange: Exchange) => boolean, fault: HttpFault): HttpFault =>
  (exchange) =>
    when(exchange) ? fault(exchange) : void pass(exchange)

export const submissions = ({ method }: Exchange): boolean => method === 'POST'
export const watches = ({ isWatch }: Exchange): boolean => isWatch

const bytesOf = async (message: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Nothing is wrong. */
export const passOn: HttpFault = (exchange) => void pass(exchange)
