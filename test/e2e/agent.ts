import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { TestContext } from '../helper/index.js'
import type { Cluster } from './cluster.js'
import type { Node } from './node.js'
import { program } from './package.js'
import { createStory, type Story } from './story.js'

const Line = t.intersection([
  t.type({ time: t.string, level: t.string, msg: t.string }),
  t.partial({
    from: t.string,
    to: t.string,
    reason: t.string,
    csr: t.string,
    serialNumber: t.string,
    notAfter: t.string,
    rotateAt: t.string,
    certificate: t.string,
  }),
])
/** A line of the program's log (`--log-format json`). */
export type Line = t.TypeOf<typeof Line>

/** The program at work on a node. */
export interface Agent extends Story<Line> {
  readonly pid: number
  readonly stderr: () => string
  readonly signal: (name: NodeJS.Signals) => void
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | NodeJS.Signals>
}

const parse = (text: string): Line => {
  const line = Line.decode(JSON.parse(text))
  if (isRight(line)) return line.right
  throw new Error(`not a line of the log as it is documented: ${text}`)
}

/** `kube-cert-rotation run` on a node; ended with the test. What it says is kept beside the components' logs. */
export const startAgent = (
  context: TestContext,
  cluster: Cluster,
  node: Node,
  ...flags: readonly string[]
): Agent =>
  startRun(context, cluster, node, [
    `--bootstrap-kubeconfig=${node.bootstrapKubeconfig}`,
    `--kubeconfig=${node.kubeconfig}`,
    `--cert-dir=${node.certDir}`,
    `--hostname-override=${node.name}`,
    '--log-format=json',
    ...flags,
  ])

/** The same with these flags alone. */
export const startRun = (
  { defer, signal }: TestContext,
  cluster: Cluster,
  node: Node,
  flags: readonly string[],
): Agent => {
  const child = spawnProgram(node, ['run', ...flags])
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  const { story, tell, end } = createStory<Line>(node.name)
  let stderr = ''

  const log = createWriteStream(join(dirname(cluster.etcd.log), `${node.name}.log`), { flags: 'a' })
  if (child.stdout !== null)
    createInterface(child.stdout).on('line', (text) => {
      log.write(`${text}\n`)
      tell(parse(text))
    })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log.write(text)
    stderr += text
  })
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, name) => {
      const how = code ?? name ?? 1
      process.off('exit', kill)
      end(`${how} ${stderr}`)
      log.end(() => resolve(how))
    })
  })

  const stop = (name: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> => {
    child.kill(name)
    return ended
  }
  defer(async () => {
    if (signal.aborted)
      console.error(`${node.name} said:\n${story.steps.slice(-20).map(summary).join('\n')}\n${stderr}`)
    await stop('SIGKILL')
  })
  return {
    ...story,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    signal: (name) => {
      child.kill(name)
    },
    ended,
    stop,
  }
}

const summary = ({ time, level, from, to, reason, msg }: Line): string =>
  `  ${time} ${level} ${from ?? ''} → ${to ?? ''} ${reason ?? ''}: ${msg}`

const spawnProgram = (node: Node, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [program(), ...args], {
    cwd: node.folder,
    env: { PATH: process.env['PATH'], HOME: node.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** Another command of the program on a node, to its end. */
export const runProgram = async (
  node: Node,
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string }> => {
  const child = spawnProgram(node, args)
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  return { code, stdout }
}

const Report = t.intersection([
  t.type({ state: t.string, usable: t.boolean, explanation: t.string, warnings: t.array(t.string) }),
  t.partial({
    certificate: t.type({ serialNumber: t.string, commonName: t.string, notAfter: t.string }),
    receivedAt: t.string,
    rotateAt: t.string,
    pendingRequest: t.type({ name: t.string }),
    renewalWindow: t.type({
      start: t.string,
      end: t.string,
      source: t.string,
      reason: t.string,
      meaning: t.string,
    }),
  }),
])

/** What `kube-cert-rotation status -o json` says of a node, and its exit code. */
export const readStatus = async (
  node: Node,
): Promise<{ readonly code: number; readonly report: t.TypeOf<typeof Report> }> => {
  const { code, stdout } = await runProgram(node, ['status', `--cert-dir=${node.certDir}`, '-o', 'json'])
  const report = Report.decode(JSON.parse(stdout))
  if (isRight(report)) return { code, report: report.right }
  throw new Error(`status printed ${stdout}`)
}
