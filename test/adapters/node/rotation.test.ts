import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mock } from 'node:test'
import { inspect } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { memoryPorts, memoryStore } from '../../../adapters/memory/index.js'
import {
  clientTemplate,
  kubeletClientTemplate,
  type Limits,
  openFleet,
  startRotation,
  startRotationTask,
  type Transition,
} from '../../../adapters/node/index.js'
import { day, hour, instant, kubeletServingSigner, second } from '../../../src/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { rotating, until, whoami, world } from './world.js'

const test = suite('front door')

test('stop waits ten seconds for a store that does not answer, and says so', async () => {
  const memory = memoryPorts({ now: instant(Date.now()) })
  const warnings: Array<string> = []
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const rotation = await startRotation({
    nodeName: 'worker-1',
    ports: {
      ...memory,
      store: {
        ...memory.store,
        install: () => () => {
          asked()
          return new Promise<never>(() => {})
        },
      },
    },
    onWarning: (message) => warnings.push(message),
  })
  await isAsked
  mock.timers.enable({ apis: ['setTimeout'] })
  const stopped = rotation.stop()
  mock.timers.tick(9_999)
  assert.equal(warnings, [])
  mock.timers.tick(1)
  mock.timers.reset()
  await stopped
  assert.match(warnings.join(), 'it did not end within 10s of being told to')
})

test('gets a certificate from a bootstrap kubeconfig, a directory and a node name', async (context) => {
  const { plane, calls, bootstrapKubeconfig, certDir } = await world(context)
  const rotation = await startRotation({ bootstrapKubeconfig, certDir, nodeName: 'Worker-1' })
  context.defer(rotation.stop)
  const credential = await rotation.issued()
  assert.is(credential.commonName, 'system:node:worker-1')
  assert.equal(credential.organizations, ['system:nodes'])
  assert.ok(credential.notAfter.getTime() > Date.now() + 364 * day)
  assert.equal(
    calls().map(({ method, code }) => `${code} ${method}`),
    ['201 POST', '200 GET'],
  )
  assert.is(await whoami(plane, credential), 'system:node:worker-1')
  const used = calls().at(-1)
  assert.equal(used?.certificateSerialNumber, O.some(credential.serialNumber))
  assert.is(rotation.current()?.serialNumber, credential.serialNumber)
  assert.match(rotation.explain(), credential.serialNumber)
  assert.match(await readFile(join(certDir, 'kubelet-client-current.pem'), 'utf8'), credential.certificate)
})

test('tells each transition once, in order, to a listener and to every iterator', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  const collect = async () => {
    const found: Array<Transition> = []
    for await (const transition of rotation.transitions()) {
      found.push(transition)
      if (transition.reason === 'Installed') break
    }
    return found
  }
  const [first, second_] = await Promise.all([collect(), collect()])
  assert.equal(
    first.map(({ from, to, reason }) => `${from} ${to} ${reason}`),
    [
      'Bootstrapping Bootstrapping Loaded',
      'Bootstrapping Pending Submitted',
      'Pending Approved Approved',
      'Approved Issued Issued',
      'Issued Issued Installed',
    ],
  )
  assert.equal(second_, first)
  await eventually('the listener heard it too', () => rotation.seen.length >= first.length)
  assert.equal(rotation.seen.slice(0, first.length), first)
  const last = first.at(-1)
  assert.equal([last?.csr], there.names())
  assert.is(last?.serialNumber, rotation.current()?.serialNumber)
  assert.equal(last?.notAfter, rotation.current()?.notAfter)
  assert.ok(last?.rotateAt !== undefined && last.rotateAt < (last.notAfter ?? 0))
})

test('ends iterators, `issued` and `ended` when it is stopped', async (context) => {
  const there = await world(context, { autoApprove: false })
  const rotation = await rotating(context, there)
  const transitions = rotation.transitions()
  const issued = rotation.issued().then(
    () => 'issued',
    (error: NodeJS.ErrnoException) => error.code,
  )
  await until(rotation, 'Pending')
  await rotation.stop()
  await rotation.ended
  assert.is(await issued, 'Stopped')
  const told: Array<string> = []
  for await (const { to } of transitions) told.push(to)
  assert.equal(told, ['Bootstrapping', 'Pending'], 'what was not read yet is delivered')
  assert.equal(await rotation.transitions().next(), { done: true, value: undefined })
})

const stopsPromptly = async (stop: () => void, ended: Promise<unknown>) => {
  const began = performance.now()
  stop()
  await ended
  const took = performance.now() - began
  assert.ok(took < 500, `it took ${took} ms`)
}

for (const [name, prepare] of [
  ['before it began', { plane: {}, state: undefined }],
  ['while Pending', { plane: { autoApprove: false }, state: 'Pending' }],
  ['while Approved', { plane: { held: true }, state: 'Approved' }],
  ['while Issued', { plane: {}, state: 'Issued' }],
] as const) {
  test(`stops at once when its signal is given ${name}, and lets go of the directory`, async (context) => {
    const there = await world(context, 'autoApprove' in prepare.plane ? prepare.plane : {})
    if ('held' in prepare.plane) there.plane.signing.hold()
    const stopping = new AbortController()
    if (prepare.state === undefined) stopping.abort()
    const rotation = await rotating(context, there, { signal: stopping.signal })
    if (prepare.state !== undefined) await until(rotation, prepare.state)
    await stopsPromptly(() => stopping.abort(), rotation.ended)
    await rotating(context, there)
  })
}

test('stops at once while the API is out of reach', async (context) => {
  const there = await world(context)
  await there.plane.close()
  const stopping = new AbortController()
  const rotation = await rotating(context, there, { signal: stopping.signal })
  await eventually('it has failed once', () => rotation.seen.some(({ reason }) => reason === 'Unreachable'))
  await stopsPromptly(() => stopping.abort(), rotation.ended)
  const trouble = rotation.seen.find(({ reason }) => reason === 'Unreachable')
  assert.is(trouble?.level, 'warn')
  assert.match(trouble?.message ?? '', there.plane.url)
})

test('works the same with fp-ts, where nothing happens before it is run', async (context) => {
  const { bootstrapKubeconfig, certDir, calls } = await world(context)
  const commonName = pipe(
    startRotationTask({ bootstrapKubeconfig, certDir, nodeName: 'worker-1' }),
    TE.chainW((rotation) =>
      pipe(
        rotation.issuedTask,
        TE.chainFirstTaskK(() => rotation.stopTask),
      ),
    ),
    TE.map((credential) => credential.commonName),
  )
  assert.is(calls().length, 0)
  assert.equal(await commonName(), E.right('system:node:worker-1'))
})

test('takes up the pending request and its key after a restart', async (context) => {
  const there = await world(context, { autoApprove: false })
  const first = await rotating(context, there)
  await until(first, 'Pending')
  await first.stop()
  const [name = ''] = there.names()
  const second = await rotating(context, there)
  await until(second, 'Pending')
  assert.equal(there.names(), [name])
  await there.decide(name, 'Approved')
  await second.issued()
  assert.equal(there.names(), [name])
})

test('starts from what is in the directory, without a request', async (context) => {
  const there = await world(context)
  const first = await rotating(context, there)
  const { serialNumber } = await first.issued()
  await first.stop()
  const second = await rotating(context, there)
  assert.is((await second.issued()).serialNumber, serialNumber)
  assert.is(there.names().length, 1)
})

test('gives out what is wanted, and not what a copied directory has for another node', async (context) => {
  const there = await world(context)
  const first = await rotating(context, there)
  await first.issued()
  await first.stop()
  const at = { initial: 50, maximum: 50 }
  const policy = { submitInterval: second, retrySoon: at, retryLater: at }
  const other = await rotating(context, there, { nodeName: 'worker-2', policy })
  assert.is((await other.issued()).commonName, 'system:node:worker-2')
  // The API server lets a node ask for itself alone; then the bootstrap credential has its turn.
  assert.match(
    other.seen.map(({ message }) => message).join(),
    'can only create a node CSR with CN=system:node:worker-1',
  )
})

test('refuses a second rotation on the same directory, and names the holder', async (context) => {
  const there = await world(context)
  await rotating(context, there)
  const { bootstrapKubeconfig, certDir } = there
  const refused = await left(startRotationTask({ bootstrapKubeconfig, certDir, nodeName: 'worker-2' }))
  assert.is(refused._tag, 'StoreLocked')
  assert.match(refused.message, `process ${process.pid}`)
  const other = await right(
    startRotationTask({ bootstrapKubeconfig, certDir, certPrefix: 'agent', nodeName: 'worker-2' }),
  )
  await other.stop()
})

test('waits for a bootstrap kubeconfig that is supplied later', async (context) => {
  const there = await world(context)
  const bootstrapKubeconfig = join(there.folder, 'later.kubeconfig')
  const rotation = await rotating(context, there, {
    bootstrapKubeconfig,
    policy: { retrySoon: { initial: 50, maximum: 50 } },
  })
  await eventually('it says what is missing', () =>
    rotation.seen.some(
      ({ reason, message }) => reason === 'NoCredential' && message.includes(bootstrapKubeconfig),
    ),
  )
  await writeFile(bootstrapKubeconfig, there.plane.bootstrapKubeconfig(), { mode: 0o600 })
  await rotation.issued()
})

test('renews when it is asked to, with the certificate it has and a new key', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there, { policy: { submitInterval: second } })
  const before = await rotation.issued()
  rotation.rotateNow()
  const after = await eventually('it has another certificate', () => {
    const now = rotation.current()
    return now?.serialNumber === before.serialNumber ? undefined : now
  })
  assert.is.not(after.keyId, before.keyId)
  const posts = there
    .calls()
    .filter(({ method, path }) => method === 'POST' && path.includes('certificates.k8s.io'))
  assert.equal(posts.at(-1)?.certificateSerialNumber, O.some(before.serialNumber))
  assert.equal(rotation.seen.find(({ reason }) => reason === 'RotationRequested')?.to, 'RenewDue')
})

test('gets a new certificate with the bootstrap credential when one is reported as rejected', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there, { policy: { submitInterval: second } })
  const before = await rotation.issued()
  rotation.reportRejected(before)
  await eventually('it has another certificate', () => rotation.current()?.keyId !== before.keyId)
  const posts = there
    .calls()
    .filter(({ method, path }) => method === 'POST' && path.includes('certificates.k8s.io'))
  assert.equal(posts.at(-1)?.certificateSerialNumber, O.none)
})

test('waits without a template, and gets what is wanted once it is told', async (context) => {
  const there = await world(context)
  const { bootstrapKubeconfig, certDir } = there
  const rotation = await startRotation({ bootstrapKubeconfig, certDir, policy: { submitInterval: second } })
  context.defer(rotation.stop)
  const transitions = rotation.transitions()
  await transitions.next()
  assert.is(there.calls().length, 0)
  rotation.setTemplate(kubeletClientTemplate('worker-1'))
  assert.is((await rotation.issued()).commonName, 'system:node:worker-1')
  // The signer takes no DNS names: nobody approves that.
  rotation.setTemplate({ ...kubeletClientTemplate('worker-1'), dnsNames: ['worker-1'] })
  await until(rotation, 'Pending')
  assert.is(rotation.current()?.commonName, 'system:node:worker-1')
  rotation.setTemplate(kubeletClientTemplate('worker-1'))
  await until(rotation, 'Issued')
})

test('rotates a serving certificate with an external credential', async (context) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'admin.kubeconfig')
  await writeFile(kubeconfig, there.plane.adminKubeconfig(), { mode: 0o600 })
  const rotation = await rotating(context, there, {
    kubeconfig,
    certPrefix: 'kubelet-server',
    template: {
      ...kubeletClientTemplate('worker-1'),
      signerName: kubeletServingSigner,
      usages: ['digital signature', 'key encipherment', 'server auth'],
      dnsNames: ['worker-1'],
      ipAddresses: ['192.0.2.1'],
    },
    policy: { authenticateWith: 'external', submitInterval: second },
  })
  await until(rotation, 'Pending')
  await there.decide(there.names()[0] ?? '', 'Approved')
  const { commonName } = await rotation.issued()
  assert.is(commonName, 'system:node:worker-1')
  rotation.rotateNow()
  await until(rotation, 'Pending')
  const posts = there
    .calls()
    .filter(({ method, path }) => method === 'POST' && path.endsWith('/certificatesigningrequests'))
  assert.equal(
    posts.map(({ user }) => user),
    [O.some('kubernetes-admin'), O.some('kubernetes-admin')],
  )
  assert.is(await readFile(kubeconfig, 'utf8'), there.plane.adminKubeconfig(), 'it is only read')
})

test('reports a denied request with the reason that was given, and waits before the next', async (context) => {
  const there = await world(context, { autoApprove: false })
  const rotation = await rotating(context, there)
  await until(rotation, 'Pending')
  await there.decide(there.names()[0] ?? '', 'Denied', 'NotToday')
  const denied = await eventually('it is told', () => rotation.seen.find(({ reason }) => reason === 'Denied'))
  assert.match(denied.message, /NotToday: Denied by hand.*the next attempt is in \d+s/)
  assert.is(there.names().length, 1)
})

test('runs on ports in memory, with time that passes when it is told to', async (context) => {
  const memory = memoryPorts({
    now: instant(Date.parse('2026-01-01T00:00:00Z')),
    api: { signingDuration: day },
  })
  const rotation = await startRotation({ nodeName: 'worker-1', ports: memory })
  context.defer(rotation.stop)
  const told: Array<string> = []
  const listening = (async () => {
    for await (const { to } of rotation.transitions()) told.push(to)
  })()
  await memory.clock.settle()
  const first = rotation.current()
  assert.equal(told, ['Bootstrapping', 'Pending', 'Issued', 'Issued'])
  await memory.clock.advanceBy(22 * hour)
  assert.is.not(rotation.current()?.keyId, first?.keyId)
  await rotation.stop()
  await listening
})

test('swaps one port and keeps the others', async (context) => {
  const there = await world(context)
  const { store } = memoryPorts({ now: instant(Date.now()) })
  const { bootstrapKubeconfig } = there
  const rotation = await startRotation({ bootstrapKubeconfig, nodeName: 'worker-1', ports: { store } })
  context.defer(rotation.stop)
  const { certificate } = await rotation.issued()
  assert.is(store.contents().pairs[0]?.pem, certificate)
})

test('shows no secret when anything of it is inspected', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  const credential = await rotation.issued()
  const key = credential.tls()?.key?.split('\n')[1] ?? ''
  const token = there.plane.bootstrapToken.reveal().split('.')[1] ?? ''
  assert.ok(key.length > 20 && token.length > 10)
  const everything = [rotation, rotation.state(), credential, rotation.credentials.current(), rotation.seen]
  for (const value of everything) {
    const shown = `${inspect(value, { depth: Infinity, showHidden: true })} ${JSON.stringify(value)}`
    assert.not.match(shown, key)
    assert.not.match(shown, token)
    assert.not.match(shown, 'PRIVATE KEY')
  }
})

for (const [name, options, message] of [
  ['a nodeName that is none', { nodeName: 'not a name' }, /nodeName "not a name"/],
  ['both a nodeName and a template', { nodeName: 'a', template: clientTemplate('a', []) }, /both given/],
  ['no certDir', { certDir: undefined }, /certDir is missing/],
  ['neither kubeconfig', { bootstrapKubeconfig: undefined }, /where the API is/],
  ['a lifetime that Kubernetes refuses', { requestedLifetime: 60 * second }, /60 s/],
  [
    'a kind of key that there is not',
    { keyAlgorithm: 'RSA-1024' },
    /keyAlgorithm "RSA-1024" is not known; .*RSA-2048/,
  ],
  [
    'a kind of key beside a template',
    { keyAlgorithm: 'RSA-2048', template: clientTemplate('a', []) },
    /put keyAlgorithm into the template/,
  ],
  [
    'a template without its lists',
    { template: { commonName: 'a', signerName: 'example.com/x' } },
    /template(\.organizations| )/,
  ],
  [
    'a template that the API server would refuse',
    { template: { ...clientTemplate('a', []), usages: ['client-auth'] } },
    /template\.usages: client-auth is no usage; did you mean client auth\?/,
  ],
  ['a policy that cannot be', { policy: { renewFrom: 2 } }, /renewFrom/],
  ['a misspelt option', { nodename: 'a' }, /no option nodename; did you mean nodeName\?/],
  [
    'one of the policy',
    { policy: { probeIntervall: 5 } },
    /policy\.probeIntervall; .* policy\.probeInterval\?/,
  ],
  [
    'one of a backoff',
    { policy: { retrySoon: { initial: 1, max: 2 } } },
    /retrySoon\.max; .* policy\.retrySoon\.maximum\?/,
  ],
  [
    'a misspelt port',
    { ports: { store: memoryStore(), reqests: {} } },
    /ports\.reqests; .* ports\.requests\?/,
  ],
  ['a prefix that is no file name', { certPrefix: '../x' }, /cannot begin file names/],
] as const)
  test(`refuses ${name}, with a code`, async ({ defer, temporaryDirectory }) => {
    const folder = await temporaryDirectory()
    // Whoever runs the tests may have a kubeconfig of their own.
    const { HOME, KUBECONFIG } = process.env
    defer(() => Object.assign(process.env, { HOME }, KUBECONFIG === undefined ? {} : { KUBECONFIG }))
    process.env['HOME'] = folder
    delete process.env['KUBECONFIG']
    const usual = { nodeName: 'a', certDir: folder, bootstrapKubeconfig: join(folder, 'none') }
    const { nodeName: _, ...others } = usual
    const given = Object.fromEntries(
      Object.entries({ ...('template' in options ? others : usual), ...options }).filter(
        ([, value]) => value !== undefined,
      ),
    )
    const error = await startRotation(given).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.instance(error, Error)
    assert.match(inspect(error), message)
    assert.match(inspect(error), /code: '(InvalidOptions|StoreUnwritable)'/)
  })

test('refuses a misspelt option of a template, of a fleet and of its limits', async () => {
  const template = { ...clientTemplate('a', []), dnsnames: ['b'] }
  const outcome = await startRotationTask({ template, certDir: 'none', bootstrapKubeconfig: 'none' })()
  assert.match(inspect(outcome), /no option template\.dnsnames.*did you mean template\.dnsNames\?/s)
  const misspelt: { readonly limits: Partial<Limits> } = { limits: { ...{ handshaks: 2 }, keys: 1 } }
  assert.throws(() => openFleet({ ...{ limit: {} }, ...misspelt }), /no option limit; did you mean limits\?/)
  assert.throws(() => openFleet(misspelt), /no option limits\.handshaks; did you mean limits\.handshakes\?/)
})
