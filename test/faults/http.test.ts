import type { FailureTag } from '../../src/model/failure.js'
import { sample, suite } from '../helper/index.js'
import * as answers from './answers.js'
import { openShop, type Shop, startFront } from './front.js'
import type { HttpFault } from './gateway.js'
import { survive } from './surviving.js'
import { inFull, timeouts } from './world.js'

const test = suite('a rotation, while the API', { together: sample(3, 18) })

let shop: Shop | undefined
test.before(async () => {
  shop = await openShop()
})
const open = (): Shop => {
  if (shop === undefined) throw new Error('the shop is closed')
  return shop
}

type Case = readonly [what: string, fault: HttpFault, reason: FailureTag, says: RegExp]
const { status } = answers

const everywhere: ReadonlyArray<Case> = [
  [
    'answers 301',
    status(301, '', { headers: { location: 'https://localhost:1/' } }),
    'Unintelligible',
    /301 .*redirects are not followed/,
  ],
  ['answers 400', status(400, 'no'), 'Invalid', /400 Bad Request: no/],
  ['answers 401', status(401, 'Unauthorized'), 'CredentialRejected', /401 Unauthorized/],
  [
    'answers 403',
    status(403, 'certificatesigningrequests is forbidden: User "a"'),
    'Forbidden',
    /403 .*(?:system:node-bootstrapper|Node authorizer)/,
  ],
  [
    'answers 403 to nobody',
    status(403, 'User "system:anonymous" cannot create'),
    'CredentialRejected',
    /403 .*system:anonymous/,
  ],
  [
    'answers 404',
    status(404, 'the server could not find the requested resource'),
    'NotServed',
    /404 Not Found/,
  ],
  ['answers 422', status(422, 'spec.usages: Unsupported value'), 'Invalid', /422 .*spec\.usages/],
  ['answers 429', status(429, 'too many requests'), 'Unavailable', /429 Too Many Requests/],
  [
    'answers 429 and when to come again',
    status(429, 'slow', { headers: { 'retry-after': '90' } }),
    'Unavailable',
    // A minute and a half, and up to half as much more, so that a fleet does not come back at one moment.
    /429 .*the next attempt is in (1m [3-5]\ds|2m\b)/,
  ],
  ['answers 500', status(500, 'etcd'), 'Unavailable', /500 Internal Server Error: etcd/],
  ['answers 503', status(503, 'starting'), 'Unavailable', /503 Service Unavailable/],
  ['answers with a web page', answers.web, 'Unintelligible', /text\/html/],
  ['resets before it answers', answers.reset, 'Unreachable', /the connection was reset/],
  ...inFull<Case>(
    [
      'answers 308',
      status(308, '', { headers: { location: 'https://localhost:1/' } }),
      'Unintelligible',
      /308 .*redirects are not followed/,
    ],
    [
      'answers 429 and to come again in a year',
      status(429, 'slow', { headers: { 'retry-after': '31536000' } }),
      'Unavailable',
      /429 .*the next attempt is in 10m$/,
    ],
    ['answers 504', status(504, 'slow'), 'Unavailable', /504 Gateway Timeout/],
    ['answers 299', status(299, 'hm'), 'Unintelligible', /./],
    ['says nothing', answers.silence, 'Unreachable', new RegExp(`no answer within ${timeouts.head} ms`)],
  ),
]

for (const [what, fault, reason, says] of everywhere)
  test(`${what} whatever is asked, keeps what it has, and goes on`, {
    deadline: 300_000,
  }, async (context) => {
    const { world, door, place } = await startFront(context, open())
    await survive(context, world, place, {
      begin: () => door.set(fault),
      end: () => door.set(undefined),
      reason,
      says,
    })
  })

const toSubmissions: ReadonlyArray<Case> = [
  [
    '409, for a name that is free',
    status(409, 'already exists', { details: { name: 'a' } }),
    'Unavailable',
    /the name was taken, and is free again/,
  ],
  ['half an object', answers.broken, 'Unintelligible', /is no JSON/],
  [
    'something else',
    answers.stream('{"kind":"Pod","metadata":{}}'),
    'Unintelligible',
    /no CertificateSigningRequest/,
  ],
  // The request is there, and is taken up as ours: two in the end, no third.
  ['nothing, having done it,', answers.resetInsteadOfAnswer, 'Unreachable', /the connection was reset/],
  ['half of it, having done it,', answers.resetWithinAnswer, 'Unreachable', /cut off|reset|closed/],
  ...inFull<Case>(
    [
      'a byte now and then',
      answers.dripping,
      'Unreachable',
      new RegExp(`took more than ${timeouts.body} ms`),
    ],
    [
      'its beginning alone',
      answers.standing,
      'Unreachable',
      new RegExp(`stood still for ${timeouts.idle} ms`),
    ],
  ),
]

for (const [what, fault, reason, says] of toSubmissions)
  test(`answers a submission with ${what} keeps what it has, and goes on`, {
    deadline: 300_000,
  }, async (context) => {
    const { world, door, place } = await startFront(context, open())
    const begin = () => door.set(answers.striking(answers.submissions, fault))
    await survive(context, world, place, { begin, end: () => door.set(undefined), reason, says })
  })

const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`

const toWatches: ReadonlyArray<Case> = [
  ['500', status(500, 'etcd'), 'Unavailable', /500/],
  ['401', status(401, 'Unauthorized'), 'CredentialRejected', /401/],
  ['a web page', answers.web, 'Unintelligible', /text\/html/],
  ['a reset', answers.stream('', 'is reset'), 'Unreachable', /reset/],
  [
    'half a line',
    answers.stream('{"type":"MODIFIED","object":{"metad'),
    'Unintelligible',
    /it ended within a line/,
  ],
  [
    'a line that is no JSON',
    answers.stream('MODIFIED\n'),
    'Unintelligible',
    /a line of the watch is no event/,
  ],
  [
    'an object that is no request',
    answers.stream(event('MODIFIED', { metadata: { name: 7 } })),
    'Unintelligible',
    /no CertificateSigningRequest/,
  ],
  [
    'an error',
    answers.stream(event('ERROR', { kind: 'Status', code: 500, message: 'etcdserver: leader changed' })),
    'Unavailable',
    /leader changed/,
  ],
  ...inFull<Case>(
    ['429', status(429, 'slow'), 'Unavailable', /429/],
    ['half a line and a reset', answers.stream('{"type":"MODI', 'is reset'), 'Unreachable', /reset/],
    ['a line without an end', answers.endless(() => {}), 'Unintelligible', /a line is longer than/],
  ),
]

/** Reads come to nothing either: one would tell what the watch cannot. */
const toEveryLook =
  (fault: HttpFault): HttpFault =>
  (exchange) =>
    exchange.isWatch ? fault(exchange) : status(503, 'etcd')(exchange)

for (const [what, fault, reason, says] of toWatches)
  test(`answers a watch with ${what}, keeps what it has, and goes on`, {
    deadline: 300_000,
  }, async (context) => {
    const { world, door, place } = await startFront(context, open())
    const begin = () => door.set(answers.striking(({ method }) => method === 'GET', toEveryLook(fault)))
    const end = () => door.set(undefined)
    await survive(context, world, place, { begin, end, reason, says, state: 'Pending' })
  })
