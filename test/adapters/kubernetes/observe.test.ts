import type { ServerResponse } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import type { Sleep } from '../../../adapters/kubernetes/index.js'
import { interruption } from '../../../src/signal.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { bootstrap, ca, draft, fails, held, never, outstanding, served, setUp, succeeds } from './fixture.js'
import { type Handler, json, status } from './scripted-server.js'

const test = suite('observing a request')

const begin = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
}
const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`
const isWatch = (seen: Parameters<Handler>[0]): boolean => seen.query.get('watch') === '1'

/** Answers watches with `events` and ends them, reads with `object`. */
const script = (events: (from: string, count: number) => string, object: object = served()): Handler => {
  let count = 0
  return (seen, response) => {
    if (!isWatch(seen)) return json(response, 200, object)
    begin(response)
    count += 1
    return response.end(events(seen.query.get('resourceVersion') ?? '', count))
  }
}

const issued = served(['Approved'], { certificate: 'QQ==', version: '13' })

/** Ends at once; remembers how long it was asked to sleep. */
const noSleep = (): { readonly sleep: Sleep; readonly slept: Array<number> } => {
  const slept: Array<number> = []
  return {
    slept,
    sleep: (duration) => async () => {
      slept.push(duration)
    },
  }
}

test('sees approval and issue on one watch that starts from the version of the creation', async (context) => {
  const { server, api } = await setUp(context)
  const watches: Array<ServerResponse> = []
  server.answer((seen, response) => {
    if (!isWatch(seen)) return json(response, 201, served())
    watches.push(response)
    begin(response)
    return response.write(line('MODIFIED', served(['Approved'], { version: '12' })))
  })
  await succeeds(api.submit(bootstrap, draft, never))
  assert.equal(await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)), { _tag: 'Approved' })
  watches[0]?.write(line('MODIFIED', issued))
  assert.equal(await succeeds(api.observe(bootstrap, outstanding, 'Approved', never)), {
    _tag: 'Issued',
    certificate: 'QQ==',
  })
  assert.equal(
    server.seen.map(({ method, connection }) => `${method} on ${connection}`),
    ['POST on 1', 'GET on 1'],
  )
  const query = Object.fromEntries(server.seen[1]?.query ?? [])
  const { timeoutSeconds, ...rest } = query
  assert.equal(rest, {
    watch: '1',
    fieldSelector: 'metadata.name=csr-1',
    resourceVersion: '10',
    allowWatchBookmarks: 'true',
  })
  assert.ok(Number(timeoutSeconds) >= 300 && Number(timeoutSeconds) <= 600)
  await eventually('the watch is closed', () => watches[0]?.destroyed)
})

test('sees approval and issue that arrive together, and a line that arrives in pieces', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => {
    begin(response)
    const text = line('MODIFIED', served(['Approved'])) + line('MODIFIED', issued)
    response.write(text.slice(0, -40))
    setTimeout(() => response.write(text.slice(-40)), 20)
  })
  assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'Approved')
  assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Approved', never)))._tag, 'Issued')
  assert.is(server.seen.length, 1)
})

test('reports denial and failure with their reasons', async (context) => {
  const { server, api } = await setUp(context)
  for (const [conditions, tag] of [
    [['Denied'], 'Denied'],
    [['Approved', 'Failed'], 'Failed'],
  ] as const) {
    server.answer(script(() => line('MODIFIED', served(conditions))))
    assert.equal(await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)), {
      _tag: tag,
      reason: 'because',
      message: 'so',
    })
  }
})

test('calls a request gone that was deleted, or created anew under its name', async (context) => {
  const { server, api } = await setUp(context)
  for (const event of [
    line('DELETED', served()),
    line('ADDED', served([], { uid: 'uid-2' })),
    line('MODIFIED', served(['Approved'], { uid: 'uid-2' })),
  ]) {
    server.answer(script(() => event))
    assert.equal(await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)), { _tag: 'Gone' })
  }
})

test('passes over what is about other requests, bookmarks, unknown events and old news', async (context) => {
  const { server, api } = await setUp(context)
  const other = { ...served(['Denied']), metadata: { name: 'csr-2', uid: 'x', resourceVersion: '11' } }
  const noise = [
    line('ADDED', other),
    line('BOOKMARK', { metadata: { resourceVersion: '11' } }),
    line('BOOKMARK', {}),
    line('NEWS', {}),
    '\n',
    line('MODIFIED', served()),
    line('MODIFIED', served(['Approved'])),
  ]
  server.answer(script(() => noise.join('') + line('MODIFIED', issued)))
  assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Approved', never)))._tag, 'Issued')
})

test('goes on from the last version it saw when a watch ends', async (context) => {
  const { server, api } = await setUp(context, noSleep())
  server.answer(
    script((from) =>
      from === '10'
        ? line('MODIFIED', served([], { version: '11' }))
        : from === '11'
          ? line('BOOKMARK', { metadata: { resourceVersion: '12' } })
          : line('MODIFIED', issued),
    ),
  )
  assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'Issued')
  assert.equal(
    server.seen.map(({ query }) => query.get('resourceVersion')),
    ['10', '11', '12'],
  )
})

test('waits longer and longer when watches end at once', async (context) => {
  const { sleep, slept } = noSleep()
  const { server, api } = await setUp(context, { sleep })
  server.answer(script((_, count) => (count === 12 ? line('MODIFIED', issued) : '')))
  await succeeds(api.observe(bootstrap, outstanding, 'Pending', never))
  assert.equal(slept, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000])
})

for (const [how, expire] of [
  [
    'an event',
    (response: ServerResponse) => response.end(line('ERROR', status(410, 'too old', { reason: 'Expired' }))),
  ],
  ['its status', (response: ServerResponse) => response.end()],
] as const)
  test(`reads the request and watches again when the version has expired, as ${how} tells`, async (context) => {
    const { server, api } = await setUp(context, noSleep())
    server.answer((seen, response) => {
      if (!isWatch(seen)) return json(response, 200, served([], { version: '20' }))
      if (seen.query.get('resourceVersion') === '20') {
        begin(response)
        return response.end(line('MODIFIED', issued))
      }
      if (how === 'its status') return json(response, 410, status(410, 'too old'))
      begin(response)
      return expire(response)
    })
    assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'Issued')
    assert.equal(
      server.seen.map((seen) => (isWatch(seen) ? seen.query.get('resourceVersion') : 'read')),
      ['10', 'read', '20'],
    )
  })

test('reads the request before it is watched again after a failure, whoever watches it then', async (context) => {
  const { server, api } = await setUp(context)
  for (const identity of [bootstrap, held(ca.sign('/CN=system:node:a'))]) {
    server.answer((_, response) => json(response, 401, status(401, 'Unauthorized')))
    await fails(api.observe(bootstrap, outstanding, 'Pending', never))
    const before = server.seen.length
    server.answer(script(() => line('MODIFIED', issued), served([], { version: '3' })))
    assert.is((await succeeds(api.observe(identity, outstanding, 'Pending', never)))._tag, 'Issued')
    assert.equal(
      server.seen.slice(before).map((seen) => (isWatch(seen) ? seen.query.get('resourceVersion') : 'read')),
      ['read', '3'],
    )
  }
})

test('reads the request when a watch says nothing for too long, or only half a line', async (context) => {
  const { server, api } = await setUp(context, { timeouts: { silence: 100 }, ...noSleep() })
  for (const beginning of ['', '{"type":']) {
    server.answer((seen, response) => {
      if (!isWatch(seen)) return json(response, 200, issued)
      begin(response)
      if (beginning === '') return undefined
      const drip = setInterval(() => response.write(' '), 20)
      response.write(beginning)
      return response.on('close', () => clearInterval(drip))
    })
    assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'Issued')
  }
})

test('calls a request gone that cannot be read any more', async (context) => {
  const { server, api } = await setUp(context, { timeouts: { silence: 50 } })
  server.answer((seen, response) =>
    isWatch(seen)
      ? begin(response)
      : json(response, 404, status(404, 'not found', { details: { name: 'csr-1' } })),
  )
  assert.equal(await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)), { _tag: 'Gone' })
})

for (const code of [403, 404, 405])
  test(`polls, more and more slowly, where watching is answered ${code}`, async (context) => {
    const { sleep, slept } = noSleep()
    const warnings: Array<string> = []
    const { server, api } = await setUp(context, { sleep, warn: (message) => warnings.push(message) })
    let reads = 0
    server.answer((seen, response) => {
      if (seen.query.has('watch')) return json(response, code, status(code, 'cannot watch'))
      reads += 1
      return json(response, 200, reads < 9 ? served() : reads < 11 ? served(['Approved']) : issued)
    })
    assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'Approved')
    assert.equal(slept.map(Math.round), [2_000, 3_000, 4_500, 6_750, 10_125, 15_000, 15_000, 15_000])
    assert.is((await succeeds(api.observe(bootstrap, outstanding, 'Approved', never)))._tag, 'Issued')
    assert.is(server.seen.filter(({ query }) => query.has('watch')).length, code === 404 ? 2 : 1)
    assert.is(warnings.length, 1)
  })

test('does not poll where the credential is refused', async (context) => {
  const { server, api } = await setUp(context)
  for (const [code, message] of [
    [401, 'Unauthorized'],
    [403, 'User "system:anonymous" cannot watch'],
  ] as const) {
    server.answer((_, response) => json(response, code, status(code, message)))
    assert.is((await fails(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'CredentialRejected')
  }
  assert.is(server.seen.length, 2)
})

for (const [what, body, tag, message] of [
  ['half a line', '{"type":"MODIFIED","obj', 'Unintelligible', 'ended within a line'],
  ['what is no JSON', 'hello\n', 'Unintelligible', 'no event'],
  ['an event without an object', line('MODIFIED', {}), 'Unintelligible', 'must be a'],
  ['an overload', line('ERROR', status(429, 'slow down')), 'Unavailable', 'slow down'],
  ['an error without a code', line('ERROR', {}), 'Unavailable', '500'],
  ['an expired credential', line('ERROR', status(401, 'Unauthorized')), 'CredentialRejected', '401'],
  ['a line without an end', 'x'.repeat(1024 * 1024 + 1), 'Unintelligible', 'longer than'],
] as const)
  test(`fails on a watch that brings ${what}`, async (context) => {
    const { server, api } = await setUp(context)
    server.answer(script(() => body))
    const error = await fails(api.observe(bootstrap, outstanding, 'Pending', never))
    assert.is(error._tag, tag)
    assert.match(error.message, message)
  })

test('fails on a watch that is a web page, and on one that is cut off', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'))
  const page = await fails(api.observe(bootstrap, outstanding, 'Pending', never))
  assert.is(page._tag, 'Unintelligible')
  assert.match(page.message, 'text/html')
  server.answer((_, response) => {
    begin(response)
    setImmediate(() => response.destroy())
  })
  assert.is((await fails(api.observe(bootstrap, outstanding, 'Pending', never)))._tag, 'Unreachable')
})

test('ends at once when interrupted, and leaves no connection behind', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => begin(response))
  const { signal, interrupt } = interruption()
  const observing = api.observe(bootstrap, outstanding, 'Pending', signal)()
  await eventually('the watch is open', () => server.seen.length === 1)
  interrupt()
  assert.equal(await observing, E.left({ _tag: 'Interrupted' }))
  await eventually('no connection is open', () => server.open() === 0)
  assert.equal(
    await api.observe(bootstrap, outstanding, 'Pending', signal)(),
    E.left({ _tag: 'Interrupted' }),
  )
  assert.is(server.seen.length, 1)
})

test('ends at once when interrupted between two polls', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((seen, response) =>
    seen.query.has('watch') ? json(response, 403, status(403, 'no')) : json(response, 200, served()),
  )
  const { signal, interrupt } = interruption()
  const observing = api.observe(bootstrap, outstanding, 'Pending', signal)()
  await eventually('it has polled', () => server.seen.length === 2)
  interrupt()
  assert.equal(await observing, E.left({ _tag: 'Interrupted' }))
})

test('watches anew, with the other credential, when the identity changes', async (context) => {
  const { server, api } = await setUp(context)
  const pair = ca.sign('/CN=system:node:a')
  server.answer((_, response) => {
    begin(response)
    response.write(line('MODIFIED', served(['Approved'])))
  })
  await succeeds(api.observe(bootstrap, outstanding, 'Pending', never))
  await succeeds(api.observe(held(pair), outstanding, 'Pending', never))
  assert.equal(
    server.seen.map(({ certificate, authorization }) => certificate ?? authorization?.slice(0, 6)),
    ['Bearer', 'system:node:a'],
  )
  await eventually('one watch is left', () => server.open() === 1)
})
