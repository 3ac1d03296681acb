import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { replayCommand } from '../../../adapters/command-line/replay.js'
import { second } from '../../../src/model/time.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { areHidden, formsOfKey, formsOfToken, keysIn } from '../../secrets/secrets.js'
import { json } from '../control-plane/client.js'
import { type World, world } from '../node/world.js'
import { finishedHere, inProcess, programHere } from './in-process.js'
import { logged, type Program, program } from './program.js'

const test = suite('replay')

const run = (context: TestContext, there: World, eventLog: string, start = programHere): Program =>
  start(
    context,
    'run',
    `--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`,
    `--kubeconfig=${join(there.folder, 'kubeconfig')}`,
    `--cert-dir=${there.certDir}`,
    '--hostname-override=worker-1',
    '--log-format=json',
    `--event-log=${eventLog}`,
  )

const linesIn = async (path: string): Promise<ReadonlyArray<string>> =>
  (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')

/** A log of a bootstrap and what came of it, by a process that was killed. */
const killed = (context: TestContext, there: World): Promise<string> =>
  logOf(there, (path) => run(context, there, path, program), 'SIGKILL')

/** Such a log by an agent that was stopped. */
const stopped = (context: TestContext, there: World): Promise<string> =>
  logOf(there, (path) => run(context, there, path), 'SIGTERM')

const logOf = async (
  there: World,
  start: (path: string) => Program,
  end: NodeJS.Signals,
): Promise<string> => {
  const path = join(there.folder, 'events')
  const running = start(path)
  await logged(running, 'reason', 'Installed')
  await eventually('it is written', async () => /"Installed"/.test(await readFile(path, 'utf8')))
  running.kill(end)
  await running.ended
  return path
}

test('shows the events, states and decisions of a process that was killed', async (context) => {
  const there = await world(context)
  const path = await killed(context, there)
  const { code, stdout, stderr } = await finishedHere('replay', path)
  assert.equal([code, stderr], [0, ''])
  const [name = ''] = there.names()
  const instant = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{3})?Z'
  for (const row of [
    `${instant} +log +the rotation starts`,
    ' +event +Loaded nothing',
    ' +state +Bootstrapping',
    ' +next +submit a new request with bootstrap',
    `${instant} +event +Submitted ${name} with bootstrap`,
    ' +why +request sent with the bootstrap credential, waiting for approval',
    ` +state +Pending ${name}`,
    ` +next +observe ${name} with bootstrap`,
    `${instant} +event +Installed`,
    ` +state +Issued [0-9a-f]+ \\(installed\\), until ${instant}`,
    ` +next +wait until ${instant}`,
    '\\d lines: what was decided is what this version decides',
  ])
    assert.match(stdout, new RegExp(`^${row}$`, 'm'))
  assert.is((await stat(path)).mode & 0o777, 0o600)
  areHidden(
    [...formsOfToken(there.plane.bootstrapToken.reveal()), ...keysIn(there.certDir).flatMap(formsOfKey)],
    { 'the event log': await readFile(path, 'utf8'), 'its replay': stdout },
  )
})

test('reads a log up to where it was cut, and the next process goes on after it', {
  deadline: 20_000,
}, async (context) => {
  const there = await world(context)
  const path = await killed(context, there)
  const before = await linesIn(path)
  await appendFile(path, (before.at(-1) ?? '').slice(0, 50))
  const cut = await inProcess(replayCommand, path)
  assert.is(cut.code, 0)
  const place = `${path}:${before.length + 1}`
  assert.match(cut.stdout, `${place} was not written to its end: it is read up to there\n`)

  const restarted = run(context, there, path)
  await logged(restarted, 'reason', 'Loaded')
  await eventually('it is written', async () => (await linesIn(path)).length >= before.length + 3)
  restarted.kill('SIGTERM')
  assert.is((await restarted.ended).code, 0)
  const both = await inProcess(replayCommand, path, '-o', 'json')
  assert.is(both.code, 0)
  const report = JSON.parse(both.stdout)
  assert.equal(report.cut, [place])
  assert.equal(report.entries.filter(({ because }: { because?: string }) => because !== undefined).length, 2)
  assert.is(report.entries.at(-1).recorded.state, 'Issued')
})

test('SIGHUP begins anew in the log too: nothing differs from what was decided', {
  deadline: 20_000,
}, async (context) => {
  const there = await world(context)
  const path = join(there.folder, 'events')
  const running = run(context, there, path)
  await logged(running, 'reason', 'Installed')
  const hasLine = (pattern: RegExp, times: number) => async () =>
    (await linesIn(path)).filter((line) => pattern.test(line)).length === times
  await eventually('it is written', hasLine(/"Installed"/, 1))
  running.kill('SIGHUP')
  await eventually('it is loaded again, and checked', hasLine(/"CredentialAccepted"/, 1))
  running.kill('SIGTERM')
  assert.is((await running.ended).code, 0)
  const shown = await inProcess(replayCommand, path, '-o', 'json')
  const report = JSON.parse(shown.stdout)
  assert.equal([shown.code, report.differences], [0, []])
  const reasons = report.entries
    .map(({ because }: { because?: string }) => because)
    .filter((because?: string) => because !== undefined)
  assert.equal(reasons, ['started', 'started'])
})

test('names the line that is broken: exit code 2', async (context) => {
  const there = await world(context)
  const path = await stopped(context, there)
  const lines = await linesIn(path)
  await writeFile(path, [...lines.slice(0, 2), '{"at"', ...lines.slice(2), ''].join('\n'))
  const broken = await inProcess(replayCommand, path)
  assert.equal([broken.code, broken.stdout], [2, ''])
  assert.match(broken.stderr, `kube-cert-rotation: ${path}:3: it is no JSON; name the files`)
  await writeFile(path, (await readFile(path, 'utf8')).replace('{"at"\n', '{"at":"now"}\n'))
  const wrong = await inProcess(replayCommand, path)
  assert.is(wrong.code, 2)
  assert.match(wrong.stderr, `${path}:3: at must be an instant`)
  const missing = await inProcess(replayCommand, `${path}-none`)
  assert.is(missing.code, 2)
  assert.match(missing.stderr, /reading .*-none: no such file or directory \(ENOENT\)/)
})

test('says where something else was decided: exit code 1', async (context) => {
  const there = await world(context)
  const path = await stopped(context, there)
  const lines = await linesIn(path)
  const altered = lines.map((line, index) =>
    index === 2 ? line.replace(/"action":"observe \S+ with bootstrap"/, '"action":"probe"') : line,
  )
  await writeFile(path, altered.map((line) => `${line}\n`).join(''))
  const shown = await inProcess(replayCommand, path)
  assert.is(shown.code, 1)
  const [name = ''] = there.names()
  const difference = `${path}:3: decision: was probe, would be observe ${name} with bootstrap`
  assert.match(shown.stdout, `DIFFERS ${difference}\n`)
  assert.match(
    shown.stdout,
    `1 line of ${lines.length - 1} differs from what this version decides, the first at ${path}:3`,
  )
  const report = await inProcess(replayCommand, '-o', 'json', path)
  assert.is(report.code, 1)
  assert.equal(JSON.parse(report.stdout).differences, [difference])
})

test('explains the situation at a time', async (context) => {
  const there = await world(context, { autoApprove: false })
  const path = join(there.folder, 'events')
  const running = run(context, there, path)
  await logged(running, 'to', 'Pending')
  await sleep(20)
  const between = new Date().toISOString()
  await sleep(20)
  const [name = ''] = there.names()
  await there.decide(name, 'Denied', 'NotToday')
  await logged(running, 'reason', 'Denied')
  await eventually('it is written', async () => /NotToday/.test(await readFile(path, 'utf8')))
  running.kill('SIGTERM')
  await running.ended

  const pending = await inProcess(replayCommand, path, '--at', between)
  assert.is(pending.code, 0)
  assert.match(pending.stdout, `\nstate   Pending ${name}\n`)
  assert.match(pending.stdout, `Request ${name} waits for approval`)
  assert.not.match(pending.stdout, 'NotToday')
  const later = new Date(Date.parse(between) + 5 * second).toISOString()
  const denied = await inProcess(replayCommand, path, '-o', 'json', `--at=${later}`)
  assert.is(denied.code, 0)
  const report = json(denied.stdout)
  assert.is(report.at('state'), 'Bootstrapping')
  assert.match(String(report.at('explanation')), /was denied \(NotToday: .*What helps: find out who/)
  const early = await inProcess(replayCommand, path, '--at=2026-01-01T00:00:00+01:00')
  assert.is(early.code, 2)
  assert.match(early.stderr, /nothing is known of 2025-12-31T23:00:00Z; name a time after 20.*the log begins/)
})

test('reads the file before and the file as one log', async (context) => {
  const there = await world(context)
  const path = await stopped(context, there)
  await writeFile(`${path}.1`, await readFile(path))
  const { code, stdout } = await inProcess(replayCommand, `${path}.1`, path)
  assert.is(code, 0)
  assert.is(stdout.match(/the rotation starts/g)?.length, 2)
})

test('is not needed for a rotation: run goes on without its file, and says so once', async (context) => {
  const there = await world(context)
  const running = run(context, there, join(there.folder, 'none/events'))
  await logged(running, 'reason', 'Installed')
  running.kill('SIGTERM')
  assert.equal(await running.ended, { code: 0, signal: null })
  const warnings = running.log().filter((line) => line.at('level') === 'warn')
  assert.is(warnings.length, 1)
  assert.match(String(warnings[0]?.at('msg')), /event log .*cannot be written: no such file or directory/)
})
