/** The real program under a clock that is set while it runs (Debian's `faketime`; a clock port that jumps is elsewhere). */

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ControlPlane, startControlPlane } from '../../adapters/control-plane/index.js'
import { day, hour, instant, type Milliseconds, minute, second } from '../../src/model/time.js'
import { main } from '../adapters/command-line/program.js'
import { assert, eventually, suite, type TestContext, thorough } from '../helper/index.js'
import { right } from './world.js'

const test = suite('the program, when the clock', { together: 4 })

const library = readdirSync('/usr/lib', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `/usr/lib/${name}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path))

const missing =
  library === undefined ? 'there is no faketime here (Debian: apt-get install faketime)' : undefined
const skip = missing ?? (thorough ? undefined : 'it waits for minutes: npm run test:thorough')

/** What the program logs. */
interface Line {
  readonly from?: string
  readonly to?: string
  readonly reason?: string
  readonly msg: string
}

interface Machine {
  readonly controlPlane: ControlPlane
  /** Sets the clock of the program, and of the server too unless that was right. */
  readonly set: (by: Milliseconds, whose?: 'both' | 'ours') => void
  readonly run: (...flags: ReadonlyArray<string>) => Program
}

interface Program {
  readonly lines: ReadonlyArray<Line>
  /** Waits for a line after those that were there when `since` was taken; within a minute, and a little for the work. */
  readonly tells: (reason: string, since: number) => Promise<Line>
  readonly signal: (name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM') => void
  readonly ended: Promise<number | null>
}

const machine = async (context: TestContext): Promise<Machine> => {
  const directory = await context.temporaryDirectory()
  const [timeFile, dataDir] = [join(directory, 'time'), join(directory, 'cp')]
  let ours = 0
  let theirs = 0
  writeFileSync(timeFile, '+0')
  const now = () => instant(Date.now() + theirs)
  const controlPlane = right(await startControlPlane({ now, dataDir, clusterSigningDuration: hour })())
  context.defer(controlPlane.close)
  const flags = [
    '--bootstrap-kubeconfig',
    join(dataDir, 'bootstrap.kubeconfig'),
    '--cert-dir',
    join(directory, 'pki'),
  ]
  return {
    controlPlane,
    set: (by, whose = 'both') => {
      ours += by
      if (whose === 'both') theirs += by
      writeFileSync(timeFile, `${ours < 0 ? '' : '+'}${Math.round(ours / second)}`)
    },
    run: (...more) => {
      const child = spawn(
        process.execPath,
        [
          main,
          'run',
          ...flags,
          '--hostname-override',
          'a',
          '--log-format',
          'json',
          '--probe-interval',
          '0',
          ...more,
        ],
        {
          env: {
            ...process.env,
            LD_PRELOAD: library,
            FAKETIME_TIMESTAMP_FILE: timeFile,
            FAKETIME_NO_CACHE: '1',
            // Node's timers run on the monotonic clock, which nobody sets; with a false one it hangs.
            FAKETIME_DONT_FAKE_MONOTONIC: '1',
          },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      context.defer(() => child.kill('SIGKILL'))
      let text = ''
      const lines: Array<Line> = []
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (text + chunk).split('\n')
        text = parts.pop() ?? ''
        for (const part of parts) lines.push(JSON.parse(part))
      })
      return {
        lines,
        tells: (reason, since) =>
          eventually(`it tells ${reason}`, () => lines.slice(since).find((line) => line.reason === reason), {
            deadline: 65_000,
            interval: 100,
          }),
        signal: (name) => child.kill(name),
        ended: new Promise((resolve) => child.once('close', resolve)),
      }
    },
  }
}

const requests = ({ controlPlane }: Machine): number => controlPlane.requests().length

test('is past its end at the start, obtains another certificate', {
  skip: missing,
  deadline: 30_000,
}, async (context) => {
  const one = await machine(context)
  assert.is(await one.run('--once').ended, 0)
  one.set(3 * day)
  const again = one.run('--once')
  assert.is(await again.ended, 0)
  assert.match(again.lines.map(({ msg }) => msg).join('\n'), /expired at/)
  assert.is(requests(one), 2)
})

test('goes past the rotation time, renews within a minute', { skip, deadline: 120_000 }, async (context) => {
  const one = await machine(context)
  const program = one.run()
  await program.tells('Installed', 0)
  const since = program.lines.length
  one.set(55 * minute)
  await program.tells('Installed', since)
  assert.ok(program.lines.slice(since).some(({ to }) => to === 'RenewDue'))
  assert.is(requests(one), 2)
})

test('goes past the end, obtains another certificate within a minute', {
  skip,
  deadline: 120_000,
}, async (context) => {
  const one = await machine(context)
  const program = one.run()
  await program.tells('Installed', 0)
  const since = program.lines.length
  one.set(2 * hour)
  await program.tells('Installed', since)
  assert.ok(program.lines.slice(since).some(({ to }) => to === 'Bootstrapping'))
})

test('is set back to before the certificate, says so within a minute, and asks for nothing', {
  skip,
  deadline: 240_000,
}, async (context) => {
  const one = await machine(context)
  const program = one.run()
  await program.tells('Installed', 0)
  const since = program.lines.length
  one.set(-2 * hour, 'ours')
  const line = await eventually(
    'it says so',
    () => program.lines.slice(since).find(({ to }) => to === 'Bootstrapping'),
    {
      deadline: 65_000,
    },
  )
  assert.match(line.msg, /is not valid before .* by this machine's clock/)
  one.set(2 * hour, 'ours')
  await eventually(
    'it is in use again',
    () => program.lines.slice(since).find(({ from, to }) => from === 'Bootstrapping' && to === 'Issued'),
    {
      deadline: 65_000,
    },
  )
  assert.is(requests(one), 1)
})

test('went on for a day while the machine was suspended, obtains another certificate within a minute', {
  skip,
  deadline: 120_000,
}, async (context) => {
  const one = await machine(context)
  const program = one.run()
  await program.tells('Installed', 0)
  const since = program.lines.length
  program.signal('SIGSTOP')
  one.set(day)
  program.signal('SIGCONT')
  await program.tells('Installed', since)
  program.signal('SIGTERM')
  assert.is(await program.ended, 0)
})
