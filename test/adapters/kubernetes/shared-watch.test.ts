import type { ServerResponse } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import type { OutstandingRequest } from '../../../src/model/request.js'
import { interruption } from '../../../src/signal.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { bootstrap, never, outstanding, served, setUp, succeeds } from './fixture.js'
import { type Handler, json, status } from './scripted-server.js'

const test = suite('observing several requests')

const numbered = (number: number): OutstandingRequest => ({
  ...outstanding,
  name: `csr-${number}`,
  uid: `uid-${number}`,
})
const object = (number: number, conditions: ReadonlyArray<string>, more: { readonly uid?: string } = {}) => ({
  ...served(conditions, conditions.length > 0 ? { certificate: 'QQ==' } : {}),
  metadata: { name: `csr-${number}`, uid: more.uid ?? `uid-${number}`, resourceVersion: '11' },
})
const line = (type: string, what: object): string => `${JSON.stringify({ type, object: what })}\n`
const numberIn = (path: string): number => Number(/csr-(\d+)$/.exec(path)?.[1])

/** A server that answers reads, and keeps watches open: those of one request, and those of the collection. */
const keeping = (read: (number: number) => object = (number) => object(number, [])) => {
  const own: Array<ServerResponse> = []
  const collection: Array<ServerResponse> = []
  const answer: Handler = (seen, response) => {
    if (seen.query.get('watch') !== '1') return json(response, 200, read(numberIn(seen.path)))
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    return (seen.query.has('fieldSelector') ? own : collection).push(response)
  }
  return { own, collection, answer }
}

test('watches one by its name and all others once for all', async (context) => {
  const { server, api } = await setUp(context)
  const { own, collection, answer } = keeping()
  server.answer(answer)
  const sights = [0, 1, 2, 3, 4].map((number) =>
    succeeds(api.observe(bootstrap, numbered(number), 'Pending', never)),
  )
  await eventually('the late ones have read theirs', () => server.seen.length === 5)
  assert.equal(
    server.seen
      .map(({ query, path }) => query.get('fieldSelector') ?? (query.has('watch') ? 'all' : path.at(-1)))
      .sort(),
    ['2', '3', '4', 'all', 'metadata.name=csr-0'],
  )
  assert.is(server.seen.find(({ query }) => !query.has('fieldSelector'))?.query.get('resourceVersion'), '10')
  for (const number of [1, 2, 3, 4]) collection[0]?.write(line('MODIFIED', object(number, ['Approved'])))
  own[0]?.write(line('MODIFIED', object(0, ['Approved'])))
  for (const sight of await Promise.all(sights)) assert.is(sight._tag, 'Issued')
  await eventually('both watches are closed', () => own[0]?.destroyed && collection[0]?.destroyed)
  assert.equal([own.length, collection.length], [1, 1])
})

test('tells a late one what had happened before it came', async (context) => {
  const { server, api } = await setUp(context)
  const { answer } = keeping((number) => object(number, number === 3 ? ['Approved'] : []))
  server.answer(answer)
  for (const number of [1, 2]) void api.observe(bootstrap, numbered(number), 'Pending', never)()
  await eventually('both are watched', () => server.seen.length === 2)
  assert.is((await succeeds(api.observe(bootstrap, numbered(3), 'Pending', never)))._tag, 'Issued')
})

test('reads a request before it believes that it is gone: another of its name may have been', async (context) => {
  const { server, api } = await setUp(context)
  const { collection, answer } = keeping()
  server.answer(answer)
  for (const number of [1, 2]) void api.observe(bootstrap, numbered(number), 'Pending', never)()
  await eventually('both are watched', () => server.seen.length === 2)
  const sight = succeeds(api.observe(bootstrap, numbered(3), 'Pending', never))
  await eventually('it was read', () => server.seen.length === 3)
  collection[0]?.write(line('DELETED', object(3, ['Denied'], { uid: 'uid-of-before' })))
  await eventually('it was read again', () => server.seen.length === 4)
  collection[0]?.write(line('MODIFIED', object(3, ['Approved'])))
  assert.is((await sight)._tag, 'Issued')
})

test('goes on for the others when one leaves, and when the watch ends', async (context) => {
  const { server, api } = await setUp(context, { sleep: () => async () => {} })
  const { collection, answer } = keeping()
  server.answer(answer)
  const { signal, interrupt } = interruption()
  void api.observe(bootstrap, numbered(1), 'Pending', never)()
  const leaving = api.observe(bootstrap, numbered(2), 'Pending', signal)()
  const staying = [3, 4].map((number) => succeeds(api.observe(bootstrap, numbered(number), 'Pending', never)))
  await eventually('all are watched', () => server.seen.length === 4 && collection.length === 1)
  interrupt()
  assert.ok(E.isLeft(await leaving))
  assert.not.ok(collection[0]?.destroyed)
  collection[0]?.end(line('BOOKMARK', { metadata: { resourceVersion: '20' } }))
  await eventually('it is watched again', () => collection.length === 2)
  assert.is(server.seen.at(4)?.query.get('resourceVersion'), '20')
  for (const number of [3, 4]) collection[1]?.write(line('MODIFIED', object(number, ['Approved'])))
  for (const sight of await Promise.all(staying)) assert.is(sight._tag, 'Issued')
})

test('opens the watch for those who wait for it when the one who began is stopped', async (context) => {
  const { server, api } = await setUp(context)
  const { collection, answer } = keeping()
  let held: ServerResponse | undefined
  server.answer((seen, response, request) => {
    if (seen.query.has('fieldSelector') || held !== undefined) return answer(seen, response, request)
    held = response
    return undefined
  })
  void api.observe(bootstrap, numbered(1), 'Pending', never)()
  await eventually('the first is watched', () => server.seen.length === 1)
  const { signal, interrupt } = interruption()
  const stopped = api.observe(bootstrap, numbered(2), 'Pending', signal)()
  await eventually('the collection is asked for', () => held)
  const waiting = succeeds(api.observe(bootstrap, numbered(3), 'Pending', never))
  interrupt()
  assert.ok(E.isLeft(await stopped))
  await eventually('it is asked for again', () => collection[0])
  collection[0]?.write(line('MODIFIED', object(3, ['Approved'])))
  assert.is((await waiting)._tag, 'Issued')
})

test('watches each by its name where the collection may not be watched', async (context) => {
  const { server, api } = await setUp(context)
  const { own, answer } = keeping()
  server.answer((seen, response, request) =>
    seen.query.has('fieldSelector')
      ? answer(seen, response, request)
      : json(response, 403, status(403, 'cannot watch resource')),
  )
  const sights = [1, 2, 3].map((number) =>
    succeeds(api.observe(bootstrap, numbered(number), 'Pending', never)),
  )
  await eventually('all are watched', () => own.length === 3)
  assert.is(server.seen.length, 4)
  for (const watch of own)
    for (const number of [1, 2, 3]) watch.write(line('MODIFIED', object(number, ['Approved'])))
  for (const sight of await Promise.all(sights)) assert.is(sight._tag, 'Issued')
})

test('reads each when the server has forgotten the version of the watch', async (context) => {
  const { server, api } = await setUp(context)
  let isIssued = false
  const { collection, answer } = keeping((number) => object(number, isIssued ? ['Approved'] : []))
  server.answer(answer)
  void api.observe(bootstrap, numbered(1), 'Pending', never)()
  const sights = [2, 3].map((number) => succeeds(api.observe(bootstrap, numbered(number), 'Pending', never)))
  await eventually('all are watched', () => server.seen.length === 3 && collection.length === 1)
  isIssued = true
  collection[0]?.write(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', metadata: {} }))
  for (const sight of await Promise.all(sights)) assert.is(sight._tag, 'Issued')
})

test('is one watch as before where one is observed after the other', async (context) => {
  const { server, api } = await setUp(context)
  const { own, answer } = keeping()
  server.answer(answer)
  for (const number of [1, 2]) {
    const sight = succeeds(api.observe(bootstrap, numbered(number), 'Pending', never))
    await eventually('it is watched', () => own.length === number)
    own[number - 1]?.write(line('MODIFIED', object(number, ['Approved'])))
    assert.is((await sight)._tag, 'Issued')
  }
  assert.ok(server.seen.every(({ query }) => query.has('fieldSelector')))
})
