import { execFile, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startControlPlane } from '../../adapters/control-plane/index.js'
import { main } from '../adapters/command-line/program.js'
import * as answers from '../faults/answers.js'
import { openShop, startFront } from '../faults/front.js'
import { right, startAgent } from '../faults/world.js'
import { assert, eventually, suite } from '../helper/index.js'
import { areHidden, formsOfKey, formsOfToken, keysIn, seenOf } from './secrets.js'

const test = suite('no token and no private key is seen')

test('in what a rotation tells, of a bootstrap, failures and a renewal', {
  deadline: 60_000,
}, async (context) => {
  const { world, door, place } = await startFront(context, await openShop(), { autoApprove: false })
  const { controlPlane } = world
  const token = controlPlane.bootstrapToken.reveal()
  const directory = await context.temporaryDirectory()
  const pki = join(directory, 'pki')
  const keys = new Set<string>()
  const seen: Record<string, string> = {}
  const texts: Array<string> = []

  // A server that repeats whatever it is told.
  door.set((exchange) => {
    const { authorization = '' } = exchange.request.headers
    answers.status(403, `no: ${authorization} ${token} ${exchange.body.toString('utf8')}`)(exchange)
  })
  const agent = await startAgent(context, world, place, directory, 'a')
  const { rotation } = agent
  const notice = () => {
    for (const key of keysIn(pki)) keys.add(key)
    texts.push(
      rotation.explain(),
      seenOf(rotation),
      seenOf(rotation.state()),
      seenOf(rotation.current()),
      seenOf(rotation.credentials.current()),
    )
  }
  await agent.tells('Forbidden')
  notice()
  door.set(undefined)
  await agent.tells('Submitted')
  notice()
  // An approver who repeats it, as far as a server may know it.
  door.set((exchange) => {
    if (!exchange.isWatch) return answers.passOn(exchange)
    const [request] = controlPlane.requests()
    const conditions = [
      {
        type: 'Denied',
        status: 'True',
        reason: `x${token}`,
        message: `${token}\u001b[2J\n${'y'.repeat(50_000)}`,
      },
    ]
    return answers.stream(
      `${JSON.stringify({ type: 'MODIFIED', object: { ...request, status: { conditions } } })}\n`,
    )(exchange)
  })
  const denied = await agent.tells('Denied')
  assert.match(denied.message, '[token]')
  assert.not.match(denied.message, /\p{Cc}/u)
  assert.ok(denied.message.length < 2_000)
  notice()
  door.set(undefined)
  controlPlane.approval.resume()
  await rotation.issued()
  notice()
  const from = agent.told.length
  rotation.rotateNow()
  await agent.tells('Installed', from)
  notice()
  // A token with a character that no token has, and a kubeconfig that is broken where the token stands.
  for (const [number, text] of [
    [
      1,
      `users: [{name: u, user: {token: "${token}\\n"}}]\nclusters: [{name: c, cluster: {server: "${place.server}"}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n`,
    ],
    [2, `token: "${token}\nusers: ]`],
  ] as const) {
    const other = await context.temporaryDirectory()
    const broken = await startAgent(context, world, place, other, `b${number}`, { policy: {} })
    writeFileSync(join(other, 'bootstrap.kubeconfig'), text)
    const { message } = await broken.tells('NoCredential')
    texts.push(message, seenOf(broken.rotation.state()), seenOf(broken.told))
  }
  seen['what was told'] = seenOf(agent.told)
  seen['warnings'] = agent.warnings.join('\n')
  seen['what can be inspected'] = texts.join('\n')
  assert.ok(keys.size >= 2)
  areHidden([...formsOfToken(token), ...[...keys].flatMap(formsOfKey)], seen)
})

test('in what the program prints, is called with, and has in its environment', {
  deadline: 60_000,
}, async (context) => {
  const directory = await context.temporaryDirectory()
  const controlPlane = right(await startControlPlane({ dataDir: join(directory, 'cp') })())
  context.defer(controlPlane.close)
  const pki = join(directory, 'pki')
  const flags = [
    '--bootstrap-kubeconfig',
    join(directory, 'cp/bootstrap.kubeconfig'),
    '--kubeconfig',
    join(directory, 'kubeconfig'),
    '--cert-dir',
    pki,
    '--hostname-override',
    'a',
  ]
  const seen: Record<string, string> = {}
  for (const format of ['text', 'json']) {
    const child = spawn(process.execPath, [main, 'run', ...flags, '--log-format', format], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    context.defer(() => child.kill('SIGKILL'))
    let printed = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
      })
    await eventually('it has a certificate', () => /Issued/.test(printed), { deadline: 20_000 })
    seen[`arguments (${format})`] = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
    seen[`environment (${format})`] = readFileSync(`/proc/${child.pid}/environ`, 'utf8')
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('close', resolve))
    seen[`output (${format})`] = printed
  }
  const run = promisify(execFile)
  for (const more of [[], ['-o', 'json']]) {
    const { stdout, stderr } = await run(process.execPath, [main, 'status', '--cert-dir', pki, ...more])
    seen[`status ${more}`] = stdout + stderr
  }
  const keys = keysIn(pki)
  assert.ok(keys.length > 0)
  areHidden([...formsOfToken(controlPlane.bootstrapToken.reveal()), ...keys.flatMap(formsOfKey)], seen)
})
