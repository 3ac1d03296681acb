/** What the operating system tells the program. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { type World, world } from '../node/world.js'
import { finished, logged, main, type Program, program, start } from './program.js'

const test = suite('signals', { together: 2 })

const flagsFor = ({ bootstrapKubeconfig, certDir }: World): ReadonlyArray<string> => [
  `--bootstrap-kubeconfig=${bootstrapKubeconfig}`,
  `--cert-dir=${certDir}`,
  '--hostname-override=worker-1',
  '--log-format=json',
]
const run = (context: TestContext, there: World, ...more: ReadonlyArray<string>): Program =>
  program(context, 'run', ...flagsFor(there), ...more)

/** How often a line of the log is like this. */
const lines = ({ log }: Program, message: RegExp): number =>
  log().filter((line) => message.test(String(line.at('msg')))).length

test('SIGHUP tries at once with the token that is there now', { deadline: 30_000 }, async (context) => {
  const there = await world(context)
  const good = there.plane.bootstrapKubeconfig()
  const token = there.plane.bootstrapToken.reveal()
  await writeFile(there.bootstrapKubeconfig, good.replace(token, 'aaaaaa.0123456789abcdef'))
  const running = run(context, there)
  await eventually('it has been refused twice', () => lines(running, /401/) >= 2, { deadline: 15_000 })
  await writeFile(there.bootstrapKubeconfig, good)
  const began = performance.now()
  running.kill('SIGHUP')
  await logged(running, 'reason', 'Installed', { deadline: 15_000 })
  assert.ok(performance.now() - began < 10_000, 'a refused token is tried again after half a minute')
  assert.is(lines(running, /^SIGHUP: reads the kubeconfigs/), 1)
})

test('SIGHUP asks for no other certificate, and what is wrong then ends nothing', {
  deadline: 40_000,
}, async (context) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'kubeconfig')
  const running = run(context, there, `--kubeconfig=${kubeconfig}`)
  await logged(running, 'reason', 'Installed', { deadline: 15_000 })
  const posts = () => there.calls().filter(({ method }) => method === 'POST').length
  const before = there.calls().length
  running.kill('SIGHUP')
  await eventually('the API is asked', () => there.calls().length > before, { deadline: 10_000 })
  assert.is(posts(), 1)
  running.kill('SIGTERM')
  assert.equal(await running.ended, { code: 0, signal: null })
})

test('SIGUSR2 says in the log how things stand, and where it means nothing it is told', {
  deadline: 30_000,
}, async (context) => {
  const there = await world(context)
  const running = run(context, there)
  await logged(running, 'reason', 'Installed', { deadline: 15_000 })
  running.kill('SIGUSR2')
  await eventually('it is explained', () => lines(running, /^SIGUSR2: .*in use until/) === 1)
  const plane = program(context, 'control-plane', '--secure-port=0', `--data-dir=${join(there.folder, 'cp')}`)
  await eventually('it listens', () => plane.stdout().includes('API server at'), { deadline: 10_000 })
  for (const signal of ['SIGUSR2', 'SIGHUP'] as const) {
    plane.kill(signal)
    await eventually('it is told', () => plane.stderr().includes(`${signal} means nothing to this command`))
  }
  plane.kill('SIGTERM')
  assert.is((await plane.ended).code, 0)
})

/** Makes something hang in the program that cannot be called off. */
const hanging = (context: TestContext, there: World, code: string): Program =>
  start(
    context,
    process.execPath,
    '--import',
    `data:text/javascript,${encodeURIComponent(code)}`,
    main,
    'run',
    ...flagsFor(there),
  )

test('SIGTERM ends it whatever is left open, and within ten seconds whatever hangs', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const open = hanging(context, there, 'setInterval(() => {}, 1000)')
  await logged(open, 'reason', 'Installed', { deadline: 15_000 })
  open.kill('SIGTERM')
  assert.equal(await open.ended, { code: 0, signal: null })
  const stuck = hanging(
    context,
    there,
    `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'
     fs.promises.unlink = () => new Promise(() => {}); syncBuiltinESMExports(); setInterval(() => {}, 1000)`,
  )
  await eventually('it runs', () => stuck.log().length > 1, { deadline: 15_000 })
  stuck.kill('SIGTERM')
  assert.equal(await stuck.ended, { code: 1, signal: null })
  assert.match(stuck.stderr(), 'it did not end within 10s of being told to')
})

test('--timeout ends --once with an exit code of its own, and says why there is no certificate', {
  deadline: 30_000,
}, async (context) => {
  const there = await world(context, { autoApprove: false })
  const { code, stdout } = await finished(context, 'run', ...flagsFor(there), '--once', '--timeout=2s')
  assert.is(code, 3)
  assert.match(stdout, /no certificate within 2s: /)
})
