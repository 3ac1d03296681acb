/** Runs compiled test files, a few processes at a time that each run one after another, and counts what really ran. */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Event, REPORT_VARIABLE, readReport } from './report.js'

export interface TestFile {
  /** As it is printed. */
  readonly name: string
  readonly path: string
  /** It is run in a process of its own. */
  readonly alone?: boolean
}

export interface FileResult {
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly {
    readonly test: string
    readonly reason: string
  }[]
  readonly notes: readonly string[]
  /** Why the file failed as a whole, beyond the failures of its tests. */
  readonly defect: string | undefined
  readonly output: string
  readonly seconds: number
}

export interface RunOptions {
  /** Milliseconds until a file is killed. A test's own deadline comes first, unless it blocks the process. */
  readonly fileLimit: number
  readonly environment?: NodeJS.ProcessEnv
  /** Ends the files that run, in the same way as the limit does. */
  readonly signal?: AbortSignal
}

/** Runs files, `parallel` at a time, and reports each as it ends; none is begun once the signal is given. */
export const runFiles = async (
  files: readonly TestFile[],
  options: RunOptions & {
    readonly parallel: number
    readonly onResult?: (result: FileResult) => void
  },
): Promise<readonly FileResult[]> => {
  const results: FileResult[] = []
  const queue = [...files]
  const next = (): TestFile | undefined => (options.signal?.aborted === true ? undefined : queue.shift())
  const lane = async (): Promise<void> => {
    let worker: Worker | undefined
    for (let file = next(); file !== undefined; file = next()) {
      if (worker === undefined || file.alone || worker.hasEnded()) {
        await worker?.end()
        worker = startWorker(options)
      }
      const result = await runFile(worker, file, options.fileLimit)
      if (file.alone) await worker.end()
      results.push(result)
      options.onResult?.(result)
    }
    await worker?.end()
  }
  await Promise.all(Array.from({ length: options.parallel }, lane))
  return results
}

const runFile = async (
  worker: Worker,
  { name, path, alone = false }: TestFile,
  limit: number,
): Promise<FileResult> => {
  const began = performance.now()
  const { end, events, output } = await worker.run(path, alone)
  const named = (event: 'started' | 'passed' | 'failed') =>
    events.flatMap((told) => (told.event === event ? [told.test] : []))
  const [passed, failed] = [named('passed'), named('failed')]
  const running = named('started').filter((test) => ![...passed, ...failed].includes(test))
  const during = running.length > 0 ? `, during "${running.join('", "')}"` : ''
  const defect =
    end !== 0 && (failed.length === 0 || during !== '')
      ? `${describe(end, limit)}${during}`
      : events.length === 0
        ? 'ran no test'
        : end === 0 && failed.length > 0
          ? 'exited 0 with failed tests'
          : undefined
  return {
    file: name,
    passed: passed.length,
    failed: failed.length + (defect === undefined ? 0 : 1),
    skipped: events.filter((event) => event.event === 'skipped'),
    notes: events.flatMap((event) => (event.event === 'noted' ? [event.note] : [])),
    defect,
    output,
    seconds: (performance.now() - began) / 1000,
  }
}

/** An exit code, a signal, or why it was ended or not begun. */
type End = number | string

const describe = (end: End, fileLimit: number): string =>
  end === 'too long'
    ? `was killed: it did not end within ${fileLimit / 1000} s`
    : end === 'interrupted'
      ? 'was interrupted'
      : typeof end === 'number'
        ? `exited ${end}`
        : `was ended by ${end}`

/** Between SIGTERM, on which a file may tidy up, and SIGKILL. In ms. */
const GRACE = 2_000

/** A process that runs files one after another: worker.ts. */
interface Worker {
  /** Runs a file; what it told and printed meanwhile. `end` is 0 also when the process goes on. */
  readonly run: (
    path: string,
    alone: boolean,
  ) => Promise<{ readonly end: End; readonly events: ReadonlyArray<Event>; readonly output: string }>
  /** Whether it takes no more files. */
  readonly hasEnded: () => boolean
  /** Lets it end by itself, and removes what it left. */
  readonly end: () => Promise<void>
}

/**
 * It leads a process group, so that whatever its files started ends with it. Output goes to a file rather than a pipe:
 * a process left behind by a test would keep a pipe open.
 */
const startWorker = ({ fileLimit, environment, signal }: RunOptions): Worker => {
  const directory = mkdtempSync(join(tmpdir(), 'kube-cert-rotation-run-'))
  const report = join(directory, 'report')
  const outputFile = join(directory, 'output')
  const outputs = openSync(outputFile, 'w')
  const child = spawn(process.execPath, ['--enable-source-maps', join(import.meta.dirname, 'worker.js')], {
    detached: true,
    env: { ...process.env, ...environment, [REPORT_VARIABLE]: report },
    stdio: ['ignore', outputs, outputs, 'ipc'],
  })
  closeSync(outputs)
  const signalGroup = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // nobody is left in the group
    }
  }
  const killGroup = (): void => signalGroup('SIGKILL')
  process.once('exit', killGroup)
  let why: 'too long' | 'interrupted' | undefined
  let impatience: NodeJS.Timeout | undefined
  const cutShort = (reason: typeof why) => (): void => {
    why ??= reason
    signalGroup('SIGTERM')
    impatience ??= setTimeout(killGroup, GRACE)
  }
  const interrupt = cutShort('interrupted')
  signal?.addEventListener('abort', interrupt, { once: true })
  let hasEnded = false
  const ended = new Promise<End>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, name) => resolve(why ?? code ?? name ?? 1))
  }).then((end) => {
    hasEnded = true
    clearTimeout(impatience)
    signal?.removeEventListener('abort', interrupt)
    process.off('exit', killGroup)
    killGroup()
    return end
  })
  let [reported, printed] = [0, 0]
  return {
    run: async (path, alone) => {
      const timer = setTimeout(cutShort('too long'), fileLimit)
      const wantsNext = new Promise<0>((resolve) => child.once('message', () => resolve(0)))
      child.send([path, alone], () => {})
      const end = await Promise.race([ended, wantsNext])
      clearTimeout(timer)
      child.removeAllListeners('message')
      const [events, output] = [readReport(report).slice(reported), readFileSync(outputFile)]
      const told = output.subarray(printed).toString()
      ;[reported, printed] = [reported + events.length, output.length]
      return { end, events, output: told }
    },
    hasEnded: () => hasEnded,
    end: async () => {
      if (child.connected) child.disconnect()
      // It may have coverage to write.
      if (!hasEnded) impatience ??= setTimeout(killGroup, 5 * GRACE)
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
