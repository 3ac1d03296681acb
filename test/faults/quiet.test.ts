/** Faults that the adapter gets around by itself: the certificate comes all the same, while they last. */
import { assert, eventually, sample, suite } from '../helper/index.js'
import * as answers from './answers.js'
import { openShop, type Shop, startFront } from './front.js'
import type { HttpFault } from './gateway.js'
import { patience, startAgent } from './world.js'

const test = suite('a rotation gets its certificates all the same, while the API', { together: sample(3, 6) })

let shop: Shop | undefined
test.before(async () => {
  shop = await openShop()
})
const open = (): Shop => {
  if (shop === undefined) throw new Error('the shop is closed')
  return shop
}

const { striking, status, stream, submissions, watches } = answers
const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }

/** `lost`: how often the trouble is told nevertheless: where it hits the watch that is open by then. */
const cases: ReadonlyArray<readonly [string, HttpFault, lost?: number]> = [
  ['resets each connection after a submission', striking(submissions, answers.resetAfterAnswer), 2],
  ['answers watches with 410', striking(watches, status(410, 'too old resource version'))],
  [
    'answers watches with an event 410',
    striking(watches, stream(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`)),
  ],
  ['answers watches with 403', striking(watches, status(403, 'cannot watch'))],
  ['answers watches with 404', striking(watches, status(404, 'not found'))],
  ['answers watches with 405', striking(watches, status(405, 'no'))],
  ['answers watches with silence', striking(watches, stream('', 'stays'))],
  ['answers watches with empty lines', striking(watches, stream('\n\r\n\n', 'stays'))],
  ['answers watches with half a line and silence', striking(watches, stream('{"type":"MOD', 'stays'))],
]

for (const [what, fault, lost = 0] of cases)
  test(what, { deadline: 600_000 }, async (context) => {
    const { world, door, place } = await startFront(context, open())
    door.set(fault)
    const agent = await startAgent(context, world, place, await context.temporaryDirectory(), 'a')
    const first = await eventually('there is a certificate', () => agent.rotation.current(), patience)
    agent.rotation.rotateNow()
    await eventually(
      'it is renewed',
      () => agent.rotation.current()?.keyId !== first.keyId && agent.rotation.state()._tag === 'Issued',
      patience,
    )
    const warnings = agent.told.filter(({ level }) => level === 'warn').map(({ message }) => message)
    assert.ok(warnings.length <= lost, `something is lost: ${warnings.join('; ')}`)
    assert.is(world.issued().length, 2)
    assert.ok(door.seen.length <= 12, `${door.seen.length} requests`)
  })

test('deletes the request before it is approved', { deadline: 60_000 }, async (context) => {
  const { world, door, place } = await startFront(context, open(), { autoApprove: false })
  const { controlPlane } = world
  const agent = await startAgent(context, world, place, await context.temporaryDirectory(), 'a')
  await agent.tells('Submitted')
  const [request] = await eventually('it is there', () => {
    const made = controlPlane.requests()
    return made.length === 1 && made
  })
  // As the cleaner does after a day.
  world.clock.set(25 * 3_600_000)
  controlPlane.clean()
  await agent.tells('Gone')
  controlPlane.approval.resume()
  await agent.rotation.issued()
  const [again, ...more] = controlPlane.requests()
  assert.is(more.length, 0)
  assert.is(again?.metadata.name, request?.metadata.name, 'the same key, the same name')
  assert.is.not(again?.metadata.uid, request?.metadata.uid)
  assert.ok(door.seen.length <= 12, `${door.seen.length} requests`)
})

test('ends each watch at once and says nothing, more and more slowly', {
  deadline: 60_000,
}, async (context) => {
  const { world, door, place } = await startFront(context, open(), { autoApprove: false })
  door.set(striking(watches, stream('')))
  const agent = await startAgent(context, world, place, await context.temporaryDirectory(), 'a')
  await agent.tells('Submitted')
  const asked = () => door.seen.filter(({ path }) => path.includes('watch=')).length
  const began = world.clock.now()
  await eventually('ten watches have ended', () => asked() >= 10, patience)
  const took = world.clock.now() - began
  assert.ok(took > 30_000, `ten watches took ${took} ms`)
  world.controlPlane.approval.resume()
  door.set(undefined)
  await agent.rotation.issued()
})

test('has a body without an end: a megabyte of it is read, and no more', {
  deadline: 60_000,
}, async (context) => {
  const { world, door, place } = await startFront(context, open())
  let sent = 0
  const count = (bytes: number) => {
    sent += bytes
  }
  door.set(answers.endless(count))
  const before = process.memoryUsage().rss
  const agent = await startAgent(context, world, place, await context.temporaryDirectory(), 'a')
  const { message } = await agent.tells('Unintelligible')
  assert.match(message, /the answer is larger than 1048576 bytes/)
  await agent.tells('Unintelligible', agent.told.length)
  const attempts = agent.told.filter(({ reason }) => reason === 'Unintelligible').length
  // What stands in sockets' buffers was sent and not read.
  assert.ok(sent < (attempts + 1) * 16 * 1024 * 1024, `${sent} bytes were taken in ${attempts} attempts`)
  assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024)
  door.set(undefined)
  await agent.rotation.issued()
})

test('has another request under the name of ours', { deadline: 60_000 }, async (context) => {
  const { world, door, place } = await startFront(context, open())
  let taken = 0
  // The name that is asked for belongs to somebody, once.
  door.set((exchange) => {
    if (exchange.method === 'POST' && taken++ === 0) status(409, 'already exists')(exchange)
    else if (exchange.method === 'GET' && !exchange.isWatch && taken === 1) {
      const metadata = { name: 'x', uid: 'u', resourceVersion: '1' }
      stream(JSON.stringify({ metadata, spec: { request: Buffer.from('another').toString('base64') } }))(
        exchange,
      )
    } else answers.passOn(exchange)
  })
  const agent = await startAgent(context, world, place, await context.temporaryDirectory(), 'a')
  await agent.tells('NameTaken')
  await agent.rotation.issued()
  assert.is(world.issued().length, 1)
})
