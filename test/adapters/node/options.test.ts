/** What is of the wrong type, unknown or contradictory is an error with a code, the option's name and the cure. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  commandHook,
  openFleet,
  outputBundle,
  outputDirectory,
  outputKubeconfig,
  type RotationOptions,
  signalHook,
  startRotation,
} from '../../../adapters/node/index.js'
import { assert, suite } from '../../helper/index.js'
import { rotating, world } from './world.js'

const test = suite('options of the library')

/** Options as somebody gives them who has no TypeScript. */
const untyped = <A>(value: unknown): A => JSON.parse('{}', () => value)

const problemOf = async (options: unknown): Promise<string> => {
  try {
    const rotation = await startRotation(untyped<RotationOptions>(options))
    await rotation.stop()
    return 'it started'
  } catch (thrown) {
    return codeAndMessage(thrown)
  }
}

const codeAndMessage = (thrown: unknown): string =>
  thrown instanceof Error ? `${'code' in thrown ? thrown.code : 'no code'}: ${thrown.message}` : 'no Error'

const thrownBy = (call: () => unknown): string => {
  try {
    call()
    return 'nothing was thrown'
  } catch (thrown) {
    return codeAndMessage(thrown)
  }
}

test('each wrong type is told with the name of the option, and no directory is made', async ({
  temporaryDirectory,
}) => {
  const certDir = join(await temporaryDirectory(), 'pki')
  const template = {
    commonName: 'a',
    organizations: [],
    dnsNames: [],
    ipAddresses: [],
    uris: [],
    signerName: 'example.com/a',
    usages: ['client auth'],
  }
  const said = async (options: object) => problemOf({ certDir, ...options })
  const cases: ReadonlyArray<readonly [object, string]> = [
    [{ nodeName: 7 }, 'nodeName must be text, and is 7; give text'],
    [{ certDir: 5 }, 'certDir must be a path, and is 5; give a path'],
    [{ certDir: '' }, 'certDir must be a path, and is empty; give a path'],
    [{ bootstrapKubeconfig: 3 }, 'bootstrapKubeconfig must be a path, and is 3; give a path'],
    [{ certDirr: 'x' }, 'there is no option certDirr; did you mean certDir?'],
    [
      { authenticateWith: 'kubeconfig' },
      'authenticateWith must be a running rotation, and is text; give a running rotation, which has the functions cluster, access, reportRejected',
    ],
    [
      { authenticateWith: Promise.resolve({}) },
      'authenticateWith must be a running rotation, and is a promise; await it',
    ],
    [
      { credentials: {} },
      'credentials must be a source of credentials, and is another object; give a source of credentials, which has the functions current, wasRejected',
    ],
    [{ outputs: 'x' }, 'outputs must be a list, and is text; give a list'],
    [
      { outputs: ['/etc/x'] },
      'outputs[0] must be an output, as outputDirectory makes it, and is text; give an output, as outputDirectory makes it',
    ],
    [
      { hooks: [() => {}] },
      'hooks[0] must be a hook, as commandHook makes it, and is a function; give a hook, as commandHook makes it',
    ],
    [
      { ports: { clock: 1 } },
      'ports.clock must be a clock, and is 1; give a clock, which has the functions now, sleepUntil',
    ],
    [
      { signal: 'x' },
      'signal must be an AbortSignal, and is text; give an AbortSignal, which has the functions addEventListener, removeEventListener',
    ],
    [
      { addressDelay: -4 },
      'addressDelay must be a number of milliseconds, and is -4; give a number of milliseconds',
    ],
    [{ onWarning: 'log' }, 'onWarning must be a function, and is text; give a function'],
    [{ policy: { rotate: 'no' } }, 'policy.rotate must be true or false, and is text; give true or false'],
    [
      { policy: { authenticateWith: 'hold' } },
      'policy.authenticateWith "hold" is not known; did you mean held?',
    ],
    [
      { policy: { retrySoon: { initial: 5 } } },
      'policy.retrySoon.maximum must be a number of milliseconds, and is missing; give a number of milliseconds',
    ],
    [
      { template: { commonName: 'a', signerName: 'x' } },
      'template.organizations must be a list, and is missing; give a list',
    ],
    [
      { template: { ...template, organizations: 'system:masters' } },
      'template.organizations must be a list, and is text; give a list',
    ],
    [
      { template: { ...template, dnsNames: ['a', 5] } },
      'template.dnsNames[1] must be text, and is 5; give text',
    ],
    [{ nodeName: 'a', template }, 'nodeName and template are both given; give one of the two'],
  ]
  for (const [options, message] of cases) assert.is(await said(options), `InvalidOptions: ${message}`)
  assert.is(
    await problemOf(undefined),
    'InvalidOptions: the options must be an object, and is missing; give an object',
  )
  assert.equal(await readdir(join(certDir, '..')), [])
})

test('after a mistake the directory is free, and one rotation asks with one credential', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  const { certDir, bootstrapKubeconfig } = there
  const other = {
    certDir: join(certDir, '..', 'other'),
    template: rotation.facts().wanted,
    nodeName: 'worker-2',
  }
  const asked = { certDir: other.certDir, nodeName: 'worker-2', authenticateWith: rotation }
  const leaveOut = 'requests go out with the certificate of the other rotation'
  for (const name of ['bootstrapKubeconfig', 'kubeconfig'])
    assert.is(
      await problemOf({ ...asked, [name]: bootstrapKubeconfig }),
      `InvalidOptions: authenticateWith and ${name} are both given; leave out ${name}: ${leaveOut}`,
    )
  const credentials = { current: () => {}, wasRejected: () => {} }
  assert.match(await problemOf({ ...asked, credentials }), 'authenticateWith and credentials are both given')
  const broken = { certDir: other.certDir, nodeName: 'worker-2', bootstrapKubeconfig }
  const throwing = () => {
    throw new Error('of the embedder')
  }
  assert.match(await problemOf({ ...asked, addresses: throwing }), 'of the embedder')
  assert.is(await problemOf(broken), 'it started', 'and nobody has the directory')
})

test('what an output is made of is checked: nobody else is to read or write the key', () => {
  const mode = 'mode must be permissions from 0o400 to 0o770, none of them for others'
  const octal = 'write it in octal, such as 0o640: the private key is in there'
  for (const wrong of [9999, 640, 0o644, 0o606, 0, -1, 0.5, '0640'])
    assert.is(
      thrownBy(() => outputDirectory('/nowhere', untyped({ mode: wrong }))),
      `InvalidOptions: outputDirectory: ${mode}, and is ${typeof wrong === 'string' ? 'text' : wrong}; ${octal}`,
    )
  assert.match(
    thrownBy(() => outputBundle('/nowhere', untyped({ owner: 'root' }))),
    'InvalidOptions: outputBundle: owner must be an object, and is text',
  )
  assert.match(
    thrownBy(() => outputBundle('/nowhere', untyped({ owner: { uid: 0 } }))),
    'outputBundle: owner.gid must be a whole number from 0, and is missing',
  )
  assert.match(
    thrownBy(() => outputKubeconfig('/nowhere', untyped({ mod: 1 }))),
    'outputKubeconfig: there is no option mod; did you mean mode?',
  )
  for (const make of [outputDirectory, outputBundle, outputKubeconfig])
    assert.match(
      thrownBy(() => make('')),
      'the path must be a path, and is empty',
    )
})

test('hooks and fleets say what is wrong with their options', async () => {
  assert.match(
    thrownBy(() => commandHook(untyped({ command: 'nginx -s reload' }))),
    'InvalidOptions: commandHook: command must be a list, and is text',
  )
  assert.match(
    thrownBy(() => commandHook(untyped({ command: [] }))),
    'commandHook: command must not be empty',
  )
  assert.match(
    thrownBy(() => commandHook(untyped({ command: ['true'], limits: 5 }))),
    'commandHook: there is no option limits; did you mean limit?',
  )
  assert.match(
    thrownBy(() => signalHook(untyped({ signal: 'SIGFOO', pidFile: '/run/a.pid' }))),
    'signalHook: signal "SIGFOO" is not known',
  )
  assert.match(
    thrownBy(() => signalHook(untyped({ signal: 'SIGHUP' }))),
    'signalHook: pidFile must be a path',
  )
  assert.match(
    thrownBy(() => openFleet(untyped({ limits: { keys: 'x' } }))),
    'InvalidOptions: openFleet: limits.keys must be a whole number from 1, and is text',
  )
  const fleet = openFleet()
  await fleet.stop()
  assert.is(
    codeAndMessage(await fleet.start({ nodeName: 'a' }).catch((error: unknown) => error)),
    'InvalidOptions: the fleet was stopped; open another one: openFleet()',
  )
})
