import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as t from 'io-ts'
import { assert, suite } from '../../helper/index.js'
import { finishedHere, programHere } from './in-process.js'
import { finished } from './program.js'

const test = suite('simulate')

const scenario = `title: A day <of> three nodes & "one" outage
duration: 20d
nodes: { count: 3 }
signer: { duration: 24h }
outages: [{ of: api, at: 5d, for: 1h }]
policies: [{ name: default }, { name: "client-go, as it is", kind: client-go }]
`

const Report = t.type({
  nodes: t.number,
  policies: t.array(
    t.type({
      policy: t.string,
      simulated: t.number,
      requests: t.type({ total: t.number, peak: t.number }),
      series: t.type({ bin: t.number, create: t.array(t.number) }),
    }),
  ),
})

test('prints a table whose numbers are those of the JSON document, and writes a page that has them', async (context) => {
  const folder = await context.temporaryDirectory()
  const file = join(folder, 'scenario.yaml')
  const html = join(folder, 'report.html')
  await writeFile(file, scenario)
  const table = await finished(context, 'simulate', file, '--html', html)
  assert.is(table.code, 0, table.stderr)
  const json = await finished(context, 'simulate', '-o', 'json', file)
  const report: unknown = JSON.parse(json.stdout)
  if (!Report.is(report)) throw new Error('the document is another one')
  const [ours, others] = report.policies
  if (ours === undefined || others === undefined) throw new Error('a policy is missing')
  assert.match(table.stdout, new RegExp(`^requests +${ours.requests.total} +${others.requests.total}$`, 'm'))
  assert.match(
    table.stdout,
    new RegExp(`busiest second +${ours.requests.peak} +${others.requests.peak}$`, 'm'),
  )
  assert.is(ours.series.create.length, Math.ceil(ours.simulated / ours.series.bin))

  const page = await readFile(html, 'utf8')
  assert.ok(page.includes('A day &lt;of&gt; three nodes &amp; &quot;one&quot; outage'))
  assert.ok(page.includes(`"${ours.requests.total}"`))
  // It loads nothing, and nothing that was put in ends a script.
  assert.not.match(page, /<(?:script|link|img)[^>]*\b(?:src|href)=|url\(|@import|\bfetch\(/)
  assert.is(page.match(/<\/script>/g)?.length, 2)
  assert.not.match(page, /\{\{\w+\}\}|\/\*\{\w+\}\*\//)

  const csv = await finished(context, 'simulate', '--output=csv', file)
  const [head = '', ...lines] = csv.stdout.trimEnd().split('\n')
  assert.is(head, 'policy,from_ms,to_ms,create,watch,get,list,probe,installed,nodes,without,objects')
  assert.is(lines.length, 2 * ours.series.create.length)
  assert.ok(lines.at(-1)?.startsWith('"client-go, as it is",'))
})

test('tells every problem of a scenario, and begins nothing', async (context) => {
  const file = join(await context.temporaryDirectory(), 'scenario.yaml')
  await writeFile(file, 'title: t\nduration: 1\nnodes: { count: 0 }\n')
  const { code, stderr, stdout } = await finishedHere('simulate', file)
  assert.is(code, 1)
  assert.is(stdout, '')
  assert.match(stderr, 'duration must be a duration with its unit')
  assert.match(stderr, 'nodes.count must be a whole number')
})

test('refuses what would take too long or too much memory, and says how much', async (context) => {
  const file = join(await context.temporaryDirectory(), 'scenario.yaml')
  await writeFile(file, 'title: t\nduration: 3650d\nnodes: { count: 50000000 }\n')
  const { code, stderr } = await finishedHere('simulate', file)
  assert.is(code, 1)
  assert.match(stderr, /it would take some \d+[dhm].* and \d+\.\d GB of memory/)
})

test('names the file that cannot be read, and what was wrong with the flags', async () => {
  const missing = await finishedHere('simulate', '/there/is/none.yaml')
  assert.is(missing.code, 1)
  assert.match(missing.stderr, '/there/is/none.yaml')
  for (const [args, expected] of [
    [[], 'one scenario is simulated at a time'],
    [['a', 'b'], 'one scenario is simulated at a time'],
    [['a', '-o', 'xml'], '-o xml is not known'],
    [['a', '--time-limit=soon'], '--time-limit'],
  ] as const) {
    const { code, stderr } = await finishedHere('simulate', ...args)
    assert.is(code, 2)
    assert.match(stderr, expected)
  }
})

test('reports what is known when it is interrupted', async (context) => {
  const file = join(await context.temporaryDirectory(), 'scenario.yaml')
  await writeFile(file, 'title: t\nduration: 3650d\nnodes: { count: 20000 }\nsigner: { duration: 1h }\n')
  const running = programHere(context, 'simulate', '--time-limit=1000h', file)
  setTimeout(() => running.kill('SIGINT'), 500)
  const { code } = await running.ended
  assert.is(code, 130)
  assert.match(running.stdout(), 'Interrupted: default is known for the first')
  assert.match(running.stdout(), /^requests +\d+$/m)
})
