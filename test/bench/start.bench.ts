/**
 * How long the program takes from the start of its process to its first certificate on disk, beside `node -e 0`:
 *
 * `npm run build && node dist/test/bench/start.bench.js [RUNS]` (10 unless told otherwise)
 *
 * Against the embedded control plane in another process, and a real one where KUBEBUILDER_ASSETS names its binaries. The
 * program as it is published, one file, and as it is compiled, module by module. Runs are in turns, so that what else
 * the machine does is shared by all. Processor time (Linux) is that of the whole process, its end included.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, watch } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bootCluster } from '../e2e/cluster.js'

const dist = join(import.meta.dirname, '../..')
const published = join(dist, 'kube-cert-rotation.mjs')
const compiled = join(dist, 'adapters/command-line/main.js')
const runs = Number(process.argv[2] ?? 10)
const folder = await mkdtemp(join(tmpdir(), 'start-bench-'))

interface Contender {
  readonly name: string
  /** Runs it once, to its end; ms until it came to what is measured. */
  readonly run: (environment?: NodeJS.ProcessEnv) => Promise<number>
  readonly times: Array<number>
  cpu: number
}
const contender = (name: string, run: Contender['run']): Contender => ({ name, run, times: [], cpu: 0 })

const toTheEnd = async (
  args: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv = {},
): Promise<number> => {
  const began = performance.now()
  const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, ...environment } })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`node ${args.join(' ')} exited ${code}`)
  return performance.now() - began
}

let agents = 0

const firstCertificate = async (
  program: string,
  bootstrap: string,
  environment?: NodeJS.ProcessEnv,
): Promise<number> => {
  agents += 1
  const directory = join(folder, `pki-${agents}`)
  const link = join(directory, 'kubelet-client-current.pem')
  await mkdir(directory, { mode: 0o700 })
  const began = performance.now()
  let took = Number.NaN
  const watcher = watch(directory, () => {
    if (Number.isNaN(took) && existsSync(link)) took = performance.now() - began
  })
  const files = ['--bootstrap-kubeconfig', bootstrap, '--kubeconfig', join(folder, `kubeconfig-${agents}`)]
  const flags = [...files, '--cert-dir', directory, '--hostname-override', `worker-${agents}`, '--once']
  await toTheEnd([program, 'run', ...flags], environment)
  watcher.close()
  return took
}

/** Processor time of all children that have ended, ms (proc(5): cutime and cstime). */
const cpuOfChildren = (): number => {
  if (!existsSync('/proc/self/stat')) return Number.NaN
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) * 10
}

/** How many files of JavaScript a run loads, by V8's coverage of them. */
const modulesOf = async ({ run }: Contender): Promise<number> => {
  const coverage = await mkdtemp(join(folder, 'coverage-'))
  await run({ NODE_V8_COVERAGE: coverage })
  const [report = ''] = await readdir(coverage)
  return (await readFile(join(coverage, report), 'utf8').catch(() => '')).match(/"url":"file:/g)?.length ?? 0
}

const compare = async (title: string, contenders: ReadonlyArray<Contender>): Promise<void> => {
  for (let turn = 0; turn <= runs; turn += 1)
    for (const each of contenders) {
      const before = cpuOfChildren()
      const time = await each.run()
      // The first turn fills the caches of the disk.
      if (turn === 0) continue
      each.times.push(time)
      each.cpu += cpuOfChildren() - before
    }
  const [base] = contenders
  console.log(`\n${title}, Node ${process.version}, ${runs} runs of each: ms, and times node -e 0`)
  for (const each of contenders) {
    const column = (of: (one: Contender) => number) =>
      `${of(each).toFixed(0).padStart(5)} (${(of(each) / of(base ?? each)).toFixed(1)})`
    const modules = each === base ? 0 : await modulesOf(each)
    console.log(
      `  ${each.name.padEnd(46)} median ${column(median)}  least ${column(({ times }) => Math.min(...times))}  processor ${column(({ cpu }) => cpu / runs)}  ${modules} files`,
    )
  }
}

const median = ({ times }: Contender): number =>
  times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN

const nothing = () => contender('node -e 0', (environment) => toTheEnd(['-e', '0'], environment))
const first = (name: string, program: string, bootstrap: string) =>
  contender(`first certificate, ${name}`, (environment) => firstCertificate(program, bootstrap, environment))
const loading = (name: string, file: string) =>
  contender(`import of ${name}`, (environment) => toTheEnd([file], environment))

const data = join(folder, 'control-plane')
const plane = spawn(
  process.execPath,
  [published, 'control-plane', '--secure-port', '0', '--data-dir', data],
  {
    stdio: 'ignore',
  },
)
try {
  await compare('start', [
    nothing(),
    contender('program --help', (environment) => toTheEnd([published, '--help'], environment)),
    loading('the library, as published', join(dist, 'bundle/index.js')),
    loading('the library, as compiled', join(dist, 'adapters/node/index.js')),
  ])
  const bootstrap = join(data, 'bootstrap.kubeconfig')
  while (!existsSync(bootstrap)) await sleep(100)
  await compare('embedded control plane', [
    nothing(),
    first('as published', published, bootstrap),
    first('as compiled', compiled, bootstrap),
  ])
  if (process.env['KUBEBUILDER_ASSETS'] !== undefined) {
    const cluster = await bootCluster()
    const token = await cluster.createBootstrapToken()
    const kubeconfig = await cluster.writeKubeconfig('bootstrap', { token })
    await compare(`Kubernetes ${cluster.version.text}`, [
      nothing(),
      first('as published', published, kubeconfig),
    ])
    await cluster.stop()
  }
} finally {
  plane.kill()
  await once(plane, 'exit')
  await rm(folder, { recursive: true, force: true })
}
