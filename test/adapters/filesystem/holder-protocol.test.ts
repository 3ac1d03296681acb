import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { askAt } from '../../../adapters/filesystem/holder-protocol.js'
import {
  type Answerer,
  askHolderOfCertificateDirectory,
  holderOfCertificateDirectory,
  openCertificateDirectory,
  unknownQuestion,
} from '../../../adapters/filesystem/index.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { left, right } from '../outcome.js'

const test = suite('questions to a holder')

const echo: Answerer = (question) =>
  question.ask === 'echo' ? TE.right(JSON.stringify(question)) : TE.left(unknownQuestion(question.ask))

const held = async (context: TestContext, answerer?: Answerer) => {
  const directory = await context.temporaryDirectory()
  const store = await right(
    openCertificateDirectory({ directory, ...(answerer === undefined ? {} : { answerer }) }),
  )
  context.defer(store.release)
  return { directory, store }
}

const socketIn = (directory: string): string =>
  join(directory, readdirSync(directory).find((name) => name.includes('.lock-')) ?? '')

/** Everything that is said by whoever listens there, to what is sent. */
const said = async (path: string, text?: string): Promise<string> => {
  const socket = connect(path).setEncoding('utf8')
  let heard = ''
  socket.on('data', (chunk: string) => {
    heard += chunk
  })
  if (text !== undefined) socket.write(text)
  await once(socket, 'close')
  return heard
}

test('are answered, with what belongs to them', async (context) => {
  const { directory } = await held(context, echo)
  const answer = await right(askHolderOfCertificateDirectory({ directory }, { ask: 'echo', why: 'x' }))
  assert.equal(answer, O.some('{"ask":"echo","why":"x"}'))
})

test('find nobody where nobody holds the directory, nor one that is not there', async (context) => {
  const { directory, store } = await held(context, echo)
  await store.release()
  const ask = (of: string) => right(askHolderOfCertificateDirectory({ directory: of }, { ask: 'echo' }))
  assert.equal(await ask(directory), O.none)
  assert.equal(await ask(join(directory, 'none')), O.none)
})

test('that are not known, or no questions, are answered with an error', async (context) => {
  const { directory } = await held(context, echo)
  const error = await left(askHolderOfCertificateDirectory({ directory }, { ask: 'dance' }))
  assert.is(error._tag, 'UnknownQuestion')
  assert.match(error.message, '"dance"')
  const path = socketIn(directory)
  for (const [line, kind] of [
    ['what?', 'BadQuestion'],
    ['{"ask":"echo"}', 'BadQuestion'],
    ['{"ask":"echo","to":"another"}', 'NotHeld'],
  ] as const) {
    const [, answer = ''] = (await said(path, `${line}\n`)).split('\n')
    assert.is(JSON.parse(answer).error.kind, kind, line)
  }
})

test('that never end are not listened to', async (context) => {
  const { directory } = await held(context, echo)
  const [, answer = ''] = (await said(socketIn(directory), 'x'.repeat(100_000))).split('\n')
  assert.is(JSON.parse(answer).error.kind, 'BadQuestion')
})

test('that are begun and not ended keep no connection open, however the peer goes on', async (context) => {
  const { directory } = await held(context, echo)
  const begun = performance.now()
  const socket = connect({ path: socketIn(directory), allowHalfOpen: true }).resume()
  const drip = setInterval(() => socket.write('x'), 50)
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(drip)
  assert.ok(performance.now() - begun < 15_000)
})

test('to a directory that answers none have an error', async (context) => {
  const { directory } = await held(context)
  const error = await left(askHolderOfCertificateDirectory({ directory }, { ask: 'echo' }))
  assert.is(error._tag, 'NotHeld')
})

test('reach the directory that is meant, also where many share a socket', async (context) => {
  const name =
    (text: string): Answerer =>
    () =>
      TE.right(text)
  const one = await held(context, name('one'))
  const two = await held(context, name('two'))
  for (const [{ directory }, expected] of [
    [one, 'one'],
    [two, 'two'],
  ] as const)
    assert.equal(await right(askHolderOfCertificateDirectory({ directory }, { ask: 'x' })), O.some(expected))
})

test('change nothing for a reader of an earlier version, who sends nothing and reads to the end', async (context) => {
  const { directory } = await held(context, echo)
  const holder = JSON.parse(await said(socketIn(directory)))
  assert.equal([holder.pid, holder.holds], [process.pid, true])
})

test('are given up in time, also where a holder never stops to say something', async (context) => {
  const path = join(await context.temporaryDirectory(), 'socket')
  const endless = createServer((socket) => {
    const drip = setInterval(() => socket.write('x'), 20)
    socket.on('error', () => {}).on('close', () => clearInterval(drip))
  })
  context.defer(() => endless.close())
  endless.listen(path)
  await once(endless, 'listening')
  assert.is((await left(askAt(path, { to: 'x', ask: 'echo' }, 200)))._tag, 'Unanswered')
})

test('to a holder of an earlier version, who says its line and closes, have an error; it is still known', async (context) => {
  const directory = await context.temporaryDirectory()
  const self = { program: 'p', hostname: 'h', pid: 1, since: '2026-01-01T00:00:00Z', holds: true }
  const old = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(JSON.stringify(self))
  })
  context.defer(() => old.close())
  old.listen(join(directory, 'kubelet-client.lock-0123456789abcdef'))
  await once(old, 'listening')
  assert.is((await left(askHolderOfCertificateDirectory({ directory }, { ask: 'echo' })))._tag, 'Unanswered')
  const taken = O.toUndefined(await right(holderOfCertificateDirectory({ directory })))
  assert.is(taken?.holder?.pid, 1)
})
