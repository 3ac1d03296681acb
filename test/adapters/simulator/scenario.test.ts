import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { estimate } from '../../../adapters/simulator/estimate.js'
import { readScenario } from '../../../adapters/simulator/scenario.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { page, questions, root } from '../../src/simulator/answers.js'
import { scenarioOf } from '../../src/simulator/sample.js'

const test = suite('scenario file')

const problems = (yaml: string) => {
  const read = readScenario(yaml)
  return E.isLeft(read) ? read.left.map(({ where, what }) => `${where}: ${what}`) : []
}
const least = 'title: t\nduration: 1d\nnodes: { count: 3 }\n'

test('needs little, and has a default for everything else', () => {
  assert.equal(
    readScenario(least),
    E.right(
      scenarioOf({
        title: 't',
        duration: day,
        nodes: { count: 3, joinOver: 0, autoscaling: undefined, clockSkew: 0, restarts: [], suspensions: [] },
        policies: [{ _tag: 'Machine', name: 'default', policy: defaultPolicy }],
      }),
    ),
  )
})

test('reads units, parts, days and policies', () => {
  const read =
    readScenario(`${least}approval: { hours: { from: 9h, to: 17h30m, days: [Monday, Sunday] }, denied: 2.5% }
outages: [{ of: network, at: 1h, for: 90s, part: 10% }]
policies: [{ name: a, renewFrom: 50%, probeInterval: 0s }, { name: b, kind: client-go }]
`)
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left))
  const { approval, outages, policies } = read.right
  assert.equal(approval.hours, { from: 9 * hour, to: 17.5 * hour, days: [1, 0] })
  assert.is(approval.denied, 0.025)
  assert.equal(outages, [{ of: 'network', at: hour, lasting: 1.5 * minute, part: 0.1, starting: 0 }])
  assert.equal(policies, [
    { _tag: 'Machine', name: 'a', policy: { ...defaultPolicy, renewFrom: 0.5, probeInterval: 0 } },
    { _tag: 'ClientGo', name: 'b' },
  ])
})

test('tells every problem with its path, all at once', () => {
  const found = problems(`duration: 30
nodes: { count: -5, joinOver: 10, foo: 1 }
outages: [{ of: apii, at: 3h }]
policies: [{ name: a, renewFrom: 0.7 }]
api: 3
start: yesterday
`)
  const places = found.map((line) => line.split(':')[0])
  assert.equal(places.sort(), [
    'api',
    'duration',
    'nodes.count',
    'nodes.foo',
    'nodes.joinOver',
    'outages[0].for',
    'outages[0].of',
    'policies[0].renewFrom',
    'start',
    'title',
  ])
  assert.ok(found.some((line) => line.startsWith('duration: must be a duration with its unit')))
})

for (const [what, yaml, expected] of [
  ['text that is no YAML', 'a: [', 'is not YAML'],
  ['a list', '- 1', 'must be a mapping'],
  ['a time that is too short', least.replace('1d', '1s'), 'duration: must be a minute at least'],
  [
    'an outage after the end',
    `${least}outages: [{ of: api, at: 2d, for: 1h }]`,
    'outages[0].at: is after the end',
  ],
  [
    'restarts after the end',
    least.replace('count: 3', 'count: 3, restarts: [{ at: 1h }, { at: 2d }]'),
    'nodes.restarts[1].at: is after the end',
  ],
  [
    'a CA that is replaced after the end, at its place in the file',
    `${least}authorities: [{ replacedAt: 3d }, { replacedAt: 1h }]`,
    'authorities[0].replacedAt: is after the end',
  ],
  [
    'an outage that lasts no time',
    `${least}outages: [{ of: api, at: 1h, for: 0s }]`,
    'outages[0].for: must be above 0s',
  ],
  ['more years than there are', least.replace('1d', '9000000d'), 'duration: must end before the year 10000'],
  [
    'a name that would move the cursor of a terminal',
    `${least}policies: [{ name: "a\\e[2J" }]`,
    'policies[0].name: must be a line of printable text',
  ],
  ['an empty title', least.replace('title: t', 'title: ""'), 'title: must be a line of printable text'],
  ['an empty file', '', 'title: must be'],
  ['keys that are there twice', `${least}title: u`, 'is not YAML: Map keys must be unique'],
  [
    'aliases that multiply',
    `a: &a [x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f']
      .map((name, index) => `${name}: &${name} [${`*${'abcde'[index]}, `.repeat(8)}]`)
      .join('\n')}\n${least}`,
    'is too intricate YAML',
  ],
  [
    'a name that is there twice',
    `${least}policies: [{ name: a }, { name: a }]`,
    'policies[1].name: is there twice',
  ],
  [
    'a window that ends before it begins',
    `${least}policies: [{ name: a, renewFrom: 95% }]`,
    'policies[0]: renewFrom',
  ],
  [
    'hours that end before they begin',
    `${least}approval: { hours: { from: 9h, to: 8h } }`,
    'approval.hours: must begin',
  ],
  [
    'no day at all',
    `${least}approval: { hours: { from: 9h, to: 18h, days: [] } }`,
    'approval.hours.days: must not',
  ],
] as const)
  test(`objects to ${what}`, () => {
    const found = problems(yaml)
    assert.ok(
      found.some((line) => line.includes(expected)),
      found.join('\n'),
    )
  })

test('estimates more for more nodes, a longer time and shorter certificates', () => {
  const sample = scenarioOf()
  const base = estimate(sample)
  const more = { ...sample, nodes: { ...sample.nodes, count: 100_000 } }
  assert.ok(estimate(more).time > base.time && estimate(more).memory > base.memory)
  assert.ok(estimate({ ...sample, signer: { ...sample.signer, duration: hour } }).time > base.time)
  assert.ok(estimate({ ...sample, duration: 300 * day }).time > base.time)
  const { nodes } = sample
  const elastic = { ...sample, nodes: { ...nodes, autoscaling: { lowest: 0.5, every: hour } } }
  assert.ok(estimate(elastic).time > base.time)
})

test('every scenario that is shipped is read, and answered in the README', async () => {
  const folder = join(root, 'src/simulator/scenarios')
  const names = (await readdir(folder)).map((name) => name.replace('.yaml', ''))
  assert.equal(names.sort(), questions.map(([name]) => name).sort())
  for (const name of names)
    assert.equal(problems(await readFile(join(folder, `${name}.yaml`), 'utf8')), [], name)
})

test('the example in the README says everything that can be said', async () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(await readFile(page, 'utf8')) ?? []
  assert.equal(problems(example), [])
  // What a mapping may have is told by the objection to something else.
  const fields = problems(`${least}strange: 1\n`)[0]?.split('there are ')[1]?.split(', ') ?? []
  for (const field of fields) assert.ok(new RegExp(`^${field}:`, 'm').test(example), field)
})
