import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { json } from '../control-plane/client.js'
import { world } from '../node/world.js'
import { finishedHere, programHere } from './in-process.js'
import { logged } from './program.js'

const test = suite('a renewal by the program', { together: 3 })

test('renews in time with the certificate it has, two requests and a new key; status agrees with the log', {
  deadline: 20_000,
}, async (context) => {
  // The submit interval of ten seconds leaves a certificate of twelve just enough time.
  const there = await world(context, { clusterSigningDuration: 12 * second })
  const running = programHere(
    context,
    'run',
    `--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`,
    `--kubeconfig=${join(there.folder, 'kubeconfig')}`,
    `--cert-dir=${there.certDir}`,
    '--log-format=json',
  )
  const status = async () => {
    const { code, stdout } = await finishedHere('status', `--cert-dir=${there.certDir}`, '-o', 'json')
    assert.is(code, 0)
    return json(stdout)
  }
  const first = await logged(running, 'reason', 'Installed')
  const before = await status()
  assert.is(before.at('state'), 'Issued')
  assert.is(before.at('rotateAt'), first.at('rotateAt'))
  assert.is(before.at('certificate', 'serialNumber'), first.at('serialNumber'))
  assert.is(before.at('certificate', 'notAfter'), first.at('notAfter'))
  // In whole seconds: checking and storing lie between the receipt and its line in the log.
  const untilLogged = Date.parse(String(first.at('time'))) - Date.parse(String(before.at('receivedAt')))
  assert.ok(untilLogged >= 0 && untilLogged < 5_000, `${untilLogged} ms`)

  const calls = there.calls().length
  const due = await logged(running, 'to', 'RenewDue', { deadline: 13_000 })
  assert.is(due.at('reason'), 'RenewDue')
  assert.ok(Math.abs(Date.parse(String(due.at('time'))) - Date.parse(String(first.at('rotateAt')))) < 2_000)
  const second_ = await installedAfter(running, String(first.at('serialNumber')))
  const more = there
    .calls()
    .slice(calls)
    .filter(({ path }) => path.includes('certificatesigningrequests'))
  assert.equal(
    more.map(({ method, path }) => `${method}${path.includes('watch=1') ? ' watch' : ''}`),
    ['POST', 'GET watch'],
  )
  for (const call of more) assert.equal(call.certificateSerialNumber, O.some(first.at('serialNumber')))
  const after = await status()
  assert.is(after.at('certificate', 'serialNumber'), second_)
  assert.is.not(after.at('certificate', 'keyId'), before.at('certificate', 'keyId'))
})

const installedAfter = async (running: Parameters<typeof logged>[0], first: string): Promise<string> => {
  const later = {
    log: () =>
      running.log().filter((line) => line.at('reason') === 'Installed' && line.at('serialNumber') !== first),
  }
  return String((await logged(later, 'reason', 'Installed')).at('serialNumber'))
}
