import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as O from 'fp-ts/lib/Option.js'
import { cryptoBackend } from '../../../adapters/crypto/index.js'
import { readCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { wallClock } from '../../../adapters/platform/clock.js'
import { keyring } from '../../../src/driver/keyring.js'
import { load } from '../../../src/driver/load.js'
import { instant, minute, rfc3339, second, wholeSecond } from '../../../src/model/time.js'
import { assert, eventually, note, sample, seed, suite, type TestContext } from '../../helper/index.js'
import { issued } from '../control-plane/client.js'
import { type World, world } from '../node/world.js'
import { right } from '../outcome.js'
import { type Program, program } from './program.js'

const test = suite('run, killed at random moments')
/** What its log has, in order. */
const words = ['keeps a certificate', 'Loaded', 'Submitted', 'Approved', 'Issued'] as const
const times = sample(4, 20)

/** Numbers from 0 up to 1 that are the same in each run (mulberry32). */
const random = (start: number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * A directory whose certificate works and is due for renewal: received before its `notBefore`, which the signer puts
 * five minutes back, so that most of its life has passed.
 */
const dueDirectory = async (context: TestContext, { plane }: World, certDir: string, round: number) => {
  const { cert, key } = await issued(context, plane, `earlier-${round}`, {
    commonName: 'system:node:worker-1',
  })
  const received = rfc3339(wholeSecond(instant(Date.now() - 6 * minute))).replaceAll(':', '-')
  const name = `kubelet-client-${received}.pem`
  await mkdir(certDir, { mode: 0o700 })
  await writeFile(join(certDir, name), cert + key, { mode: 0o600 })
  await symlink(join(certDir, name), join(certDir, 'kubelet-client-current.pem'))
}

/** The serial number of the certificate that would be used now; everything that is there has to be legible. */
const inUse = async (certDir: string): Promise<string | undefined> => {
  const store = { load: readCertificateDirectory({ directory: certDir }) }
  const { held, warnings } = await right(load({ store, crypto: cryptoBackend, clock: wallClock }, keyring()))
  assert.equal(
    warnings.filter((warning) => !warning.includes('there is no such directory')),
    [],
  )
  return O.isNone(held) ? undefined : held.value.certificate.serialNumber
}

/** What others who use the directory read. */
const currentIsWhole = async (certDir: string): Promise<void> => {
  const pair = await readFile(join(certDir, 'kubelet-client-current.pem'), 'utf8')
  assert.match(pair, /END CERTIFICATE-----\n-----BEGIN (EC )?PRIVATE KEY-----\n[^-]*-----END/)
}

/** Temporary files and locks are gone once no process is there any more, beside the directory too. */
const nothingIsLeftOver = async (certDir: string): Promise<void> => {
  const names = [...(await readdir(certDir)), ...(await readdir(dirname(certDir)))]
  assert.equal(
    names.filter((name) => /\.tmp$|\.lock-/.test(name)),
    [],
  )
}

test(`asks once for each certificate and keeps the old one until the new one is there, ${times} times`, {
  deadline: sample(60_000, 300_000),
}, async (context) => {
  const next = random(seed)
  const there = await world(context, { clusterSigningDuration: 30 * second })
  const asked = () => there.names().filter((name) => name.startsWith('csr-')).length
  const start = (certDir: string): Program =>
    program(
      context,
      'run',
      `--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`,
      `--kubeconfig=${certDir}.kubeconfig`,
      `--cert-dir=${certDir}`,
      '--hostname-override=worker-1',
      '--log-format=json',
    )
  const moments = { 'before the request': 0, 'with a request': 0, 'with the new certificate': 0 }
  for (let round = 0; round < times; round++) {
    const certDir = join(there.folder, `pki-${round}`)
    if (round % 2 === 1) await dueDirectory(context, there, certDir, round)
    const [before, requests] = [await inUse(certDir), asked()]

    const killed = start(certDir)
    // A random moment after a random word of its log: so it can be any, however busy the machine is.
    const word = words[Math.floor(next() * words.length)] ?? ''
    await eventually(`it says ${word}`, () => killed.stdout().includes(word), {
      deadline: 10_000,
      interval: 1,
    })
    await sleep(next() * 50)
    killed.kill('SIGKILL')
    await killed.ended
    const then = await inUse(certDir)
    if (before !== undefined)
      assert.ok(then !== undefined, 'the old certificate is in use until the new one is')
    const made = asked() - requests
    const moment =
      then !== before ? 'with the new certificate' : made > 0 ? 'with a request' : 'before the request'
    moments[moment] += 1

    const restarted = start(certDir)
    const renewed = await eventually(
      'it has a new certificate',
      async () => {
        const now = await inUse(certDir)
        return now === before ? undefined : now
      },
      { interval: 100 },
    )
    const inItsPlace = new RegExp(`"reason":"(Loaded|Installed)".*${renewed}`)
    await eventually('it is in its place', () => inItsPlace.test(restarted.stdout()))
    restarted.kill('SIGTERM')
    assert.is((await restarted.ended).code, 0)
    await nothingIsLeftOver(certDir)
    await currentIsWhole(certDir)
    assert.is(asked() - requests, 1, `requests in round ${round}, killed ${moment}`)
    if (moment === 'with the new certificate') assert.is(renewed, then)
  }
  note(
    `killed ${Object.entries(moments)
      .map(([moment, count]) => `${count} times ${moment}`)
      .join(', ')}`,
  )
})
