/**
 * What an identity costs beside others in one process, against the embedded control plane in another:
 *
 * `npx tsc -b && node dist/test/bench/fleet.bench.js [IDENTITIES]...` (1 and 1000 unless told otherwise; 1 is the base)
 *
 * For each number: the time until all are issued and until all are renewed at once, the delay of the event loop
 * meanwhile (p99), and at rest, after the idle connections have closed and a garbage collection: resident memory, heap,
 * open files and timers; and what each identity beyond the first one takes.
 */
import { fork, type Serializable, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import * as t from 'io-ts'
import { openFleet, type RunningRotation } from '../../adapters/node/index.js'

const Measured = t.type({
  issued: t.number,
  issuedDelay: t.number,
  renewed: t.number,
  renewedDelay: t.number,
  rss: t.number,
  heap: t.number,
  files: t.number,
  timers: t.number,
})
type Measured = t.TypeOf<typeof Measured>

const second = 1_000

/** In a process of its own: so many identities, bootstrapped, renewed, and at rest. */
const live = async (count: number, folder: string, bootstrapKubeconfig: string): Promise<Measured> => {
  const fleet = openFleet()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const timed = async (work: () => Promise<unknown>): Promise<readonly [number, number]> => {
    delay.reset()
    delay.enable()
    const began = performance.now()
    await work()
    delay.disable()
    return [(performance.now() - began) / second, delay.percentile(99) / 1e6]
  }
  const members: Array<RunningRotation> = []
  const [issued, issuedDelay] = await timed(async () => {
    const starting = Array.from({ length: count }, (_, index) =>
      fleet.start({ bootstrapKubeconfig, certDir: join(folder, `node-${index}`), nodeName: `node-${index}` }),
    )
    members.push(...(await Promise.all(starting)))
    await Promise.all(members.map((member) => member.issued()))
  })
  const [renewed, renewedDelay] = await timed(() => Promise.all(members.map(renewal)))
  // Idle connections close after half a minute.
  await sleep(45 * second)
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.()
    await sleep(second)
  }
  const { rss, heapUsed } = process.memoryUsage()
  const files = (await readdir('/proc/self/fd')).length
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  await fleet.stop()
  return { issued, issuedDelay, renewed, renewedDelay, rss, heap: heapUsed, files, timers }
}

const renewal = (member: RunningRotation): Promise<void> =>
  new Promise((resolve) => {
    const before = member.current()?.keyId
    const leave = member.credentials.subscribe(() => {
      if (member.current()?.keyId === before) return
      leave()
      resolve()
    })
    member.rotateNow()
  })

const child = async (): Promise<void> => {
  const [, , , count = '1', folder = '', kubeconfig = ''] = process.argv
  process.send?.(await live(Number(count), folder, kubeconfig))
  process.disconnect()
}

const parent = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-bench-'))
  const data = join(folder, 'control-plane')
  const main = join(import.meta.dirname, '../../adapters/command-line/main.js')
  const plane = spawn(process.execPath, [main, 'control-plane', '--secure-port', '0', '--data-dir', data], {
    stdio: 'ignore',
  })
  const bootstrap = join(data, 'bootstrap.kubeconfig')
  while (!(await readFile(bootstrap).catch(() => undefined))) await sleep(100)
  try {
    const counts = process.argv.slice(2).map(Number)
    const [base = 1, ...more] = counts.length > 0 ? [1, ...counts] : [1, 1_000]
    const first = await measured(base, join(folder, 'base'), bootstrap)
    print(base, first)
    for (const count of more) {
      const found = await measured(count, join(folder, String(count)), bootstrap)
      print(count, found, first)
    }
  } finally {
    plane.kill()
    await once(plane, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
}

const measured = async (count: number, folder: string, kubeconfig: string): Promise<Measured> => {
  const running = fork(import.meta.filename, ['--child', String(count), folder, kubeconfig], {
    execArgv: ['--expose-gc'],
  })
  const exited = once(running, 'exit')
  const [message]: Array<Serializable> = await once(running, 'message')
  await exited
  if (!Measured.is(message)) throw new Error('the fleet did not measure itself')
  return message
}

const print = (count: number, found: Measured, base?: Measured): void => {
  const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} kB`
  console.log(`${count} ${count === 1 ? 'identity' : 'identities'}, Node ${process.version}`)
  console.log(
    `  issued after   ${found.issued.toFixed(2)} s, event-loop delay p99 ${found.issuedDelay.toFixed(1)} ms`,
  )
  console.log(
    `  renewed after  ${found.renewed.toFixed(2)} s, event-loop delay p99 ${found.renewedDelay.toFixed(1)} ms`,
  )
  console.log(
    `  at rest        ${kilobytes(found.rss)} resident, ${kilobytes(found.heap)} heap, ${found.files} files, ${found.timers} timers`,
  )
  if (base === undefined) return
  const each = (of: (one: Measured) => number) => (of(found) - of(base)) / (count - 1)
  console.log(
    `  each further   ${kilobytes(each(({ rss }) => rss))} resident, ${kilobytes(each(({ heap }) => heap))} heap, ${each(({ files }) => files).toFixed(3)} files, ${each(({ timers }) => timers).toFixed(3)} timers`,
  )
}

await (process.argv[2] === '--child' ? child() : parent())
