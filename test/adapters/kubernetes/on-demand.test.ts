import { onDemand } from '../../../adapters/kubernetes/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { apiFor, bootstrap, clusterAt, fails, never, outstanding, setUp, succeeds } from './fixture.js'
import { json, status } from './scripted-server.js'

const test = suite('an API on demand')

test('is opened by what is asked, once for all that is asked, and closed after the last answer', async (context) => {
  const { server } = await setUp(context)
  let opened = 0
  const api = onDemand(() => {
    opened += 1
    return apiFor(context, clusterAt(server.url))
  })
  context.defer(api.close)
  assert.is(opened, 0)
  server.answer((_, response) => json(response, 200, {}))
  await Promise.all([1, 2].map(() => succeeds(api.probe(bootstrap, never))))
  assert.is(opened, 1)
  await eventually('its connections are closed', () => server.open() === 0)
  await succeeds(api.probe(bootstrap, never))
  assert.is(opened, 2)
})

test('ends what still waits when it is closed', async (context) => {
  const { server } = await setUp(context)
  const api = onDemand(() => apiFor(context, clusterAt(server.url)))
  server.answer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  })
  const waiting = fails(api.observe(bootstrap, outstanding, 'Pending', never))
  await eventually('it is watched', () => server.seen.length === 1)
  api.close()
  assert.is((await waiting)._tag, 'Unreachable')
})

test('remembers a failed observation: the request is read before it is watched again', async (context) => {
  const { server } = await setUp(context)
  const api = onDemand(() => apiFor(context, clusterAt(server.url)))
  context.defer(api.close)
  server.answer((_, response) => json(response, 503, status(503, 'not now')))
  for (const _ of [1, 2]) await fails(api.observe(bootstrap, outstanding, 'Pending', never))
  assert.equal(
    server.seen.map(({ query }) => query.get('watch')),
    ['1', null],
  )
})
