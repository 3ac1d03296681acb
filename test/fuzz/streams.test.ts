import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { createServer as tlsServer } from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { certificateSigningRequests } from '../../adapters/kubernetes/index.js'
import { observer } from '../../adapters/kubernetes/observe.js'
import { defaultTimeouts } from '../../adapters/kubernetes/timeouts.js'
import { watches } from '../../adapters/kubernetes/watches.js'
import { failure, interrupted } from '../../src/model/failure.js'
import { interruption } from '../../src/signal.js'
import { bootstrap, clusterAt, draft, never, outstanding, withToken } from '../adapters/kubernetes/fixture.js'
import { authority, serving } from '../faults/serving.js'
import { listen } from '../faults/tcp-proxy.js'
import { assert, suite } from '../helper/index.js'
import { isAnAnswer, survive } from './bounds.js'
import { type Material, material } from './material.js'
import { mutants } from './mutation.js'

const test = suite('what an API server sends, damaged: it is answered, and soon, in')
const deadline = 900_000

let kept: Material | undefined
test.before(async () => {
  kept = await material()
})
const given = (): Material => {
  if (kept === undefined) throw new Error('there is no material')
  return kept
}

/** A body of these bytes, in pieces of a size. */
const message = (bytes: Buffer, size: number): IncomingMessage => {
  const body = new IncomingMessage(new Socket())
  for (let from = 0; from < bytes.length; from += size) body.push(bytes.subarray(from, from + size))
  body.push(null)
  return body
}

const nothing = failure('Unavailable', 'soon', 'nobody is there', 'wait')

test('watches', { deadline }, async () => {
  await survive(mutants(given().watch), [300, 20_000], async (input) => {
    const { signal, interrupt } = interruption()
    let begun = 0
    const watch = () => async () => {
      begun += 1
      return begun > 1
        ? E.left(nothing)
        : E.right({
            _tag: 'Stream' as const,
            what: 'GET https://x',
            message: message(input, 1 + (input.length % 97)),
          })
    }
    const get = () => TE.left(nothing)
    const create = () => TE.left(interrupted)
    const observing = observer(
      {
        csrs: { watch, get, create },
        watches: watches(() => {}),
        redact: (text) => text,
        timeouts: defaultTimeouts,
        watchSeconds: 300,
        sleep: () => async () => {},
        warn: () => {},
      },
      { ...outstanding, resourceVersion: '10' },
      'somebody',
      input.length % 2 === 0,
    )
    const seen = await observing.observe('Pending', signal)()
    if (E.isRight(seen) || seen.left._tag !== 'Interrupted') {
      if (E.isLeft(seen) && seen.left._tag !== 'Interrupted') isAnAnswer(E.left(seen.left))
    }
    interrupt()
    observing.close()
  })
})

test('HTTP answers', { deadline }, async ({ defer }) => {
  const ca = await authority('CA')
  let next: Buffer = Buffer.alloc(0)
  const server = tlsServer(await serving(ca), (socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(next))
  })
  const port = await listen(server, 0)
  defer(() => server.close())
  const cluster = {
    ...clusterAt(`https://127.0.0.1:${port}`),
    certificateAuthority: { _tag: 'Some' as const, value: ca.pem },
  }
  const api = certificateSigningRequests({
    cluster: async () => E.right(cluster),
    bootstrap: () => async () => E.right(withToken(cluster)),
    timeouts: { connect: 5_000, head: 1_000, idle: 500, body: 1_000, silence: 500 },
  })
  defer(api.close)
  const body = given().served
  const whole = [
    `HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ndate: Sat, 01 Jan 2000 00:00:00 GMT\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"typ\r\n2\r\ne"\r\n0\r\n\r\n`,
    'HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 2\r\n\r\n{}',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  ]
  await survive(mutants(...whole), [150, 6_000], async (input) => {
    next = input
    const answer = await api.submit(bootstrap, draft, never)()
    if (E.isLeft(answer) && answer.left._tag !== 'Interrupted') isAnAnswer(E.left(answer.left))
    assert.match(answer._tag, /^(Left|Right)$/)
  })
})
