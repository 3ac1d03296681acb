/** Runs compiled test files, each entry in a process of its own, and counts what really ran. */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { REPORT_VARIABLE, readReport } from './report.js'

export interface TestFile {
  /** As it is printed. */
  readonly name: string
  readonly path: string
  /** More files to be run in the same process. */
  readonly others?: ReadonlyArray<string>
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
  const worker = async (): Promise<void> => {
    for (let file = next(); file !== undefined; file = next()) {
      const result = await runFile(file, options)
      results.push(result)
      options.onResult?.(result)
    }
  }
  await Promise.all(Array.from({ length: options.parallel }, worker))
  return results
}

/** Output goes to a file rather than a pipe: a process left behind by a test would keep a pipe open. */
const runFile = async (
  { name, path, others = [] }: TestFile,
  { fileLimit, environment, signal }: RunOptions,
): Promise<FileResult> => {
  const directory = mkdtempSync(join(tmpdir(), 'kube-cert-rotation-run-'))
  const report = join(directory, 'report')
  const outputFile = join(directory, 'output')
  const output = openSync(outputFile, 'w')
  const began = performance.now()
  try {
    const environmentOfFile = { ...process.env, ...environment, [REPORT_VARIABLE]: report }
    const end = await runProcess([path, ...others], output, fileLimit, environmentOfFile, signal)
    const events = readReport(report)
    const named = (event: 'started' | 'passed' | 'failed') =>
      events.flatMap((told) => (told.event === event ? [told.test] : []))
    const [passed, failed] = [named('passed'), named('failed')]
    const running = named('started').filter((test) => ![...passed, ...failed].includes(test))
    const during = running.length > 0 ? `, during "${running.join('", "')}"` : ''
    const defect =
      end !== 0 && (failed.length === 0 || during !== '')
        ? `${describe(end, fileLimit)}${during}`
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
      output: readFileSync(outputFile, 'utf8'),
      seconds: (performance.now() - began) / 1000,
    }
  } finally {
    closeSync(output)
    rmSync(directory, { recursive: true, force: true })
  }
}

type End = number | 'too long' | 'interrupted' | NodeJS.Signals

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

const together = join(import.meta.dirname, 'together.js')

/** Each file leads a process group, so that whatever it started ends with it. */
const runProcess = (
  paths: ReadonlyArray<string>,
  output: number,
  limit: number,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<End> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', ...(paths.length > 1 ? [together] : []), ...paths],
      {
        detached: true,
        env,
        stdio: ['ignore', output, output],
      },
    )
    const signalGroup = (name: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch {
        // nobody is left in the group
      }
    }
    const killGroup = (): void => signalGroup('SIGKILL')
    let end: End | undefined
    let impatience: NodeJS.Timeout | undefined
    const cutShort = (why: End) => (): void => {
      end ??= why
      signalGroup('SIGTERM')
      impatience ??= setTimeout(killGroup, GRACE)
    }
    const interrupt = cutShort('interrupted')
    const timer = setTimeout(cutShort('too long'), limit)
    signal?.addEventListener('abort', interrupt, { once: true })
    process.once('exit', killGroup)
    child.once('error', reject)
    child.once('exit', (code, name) => {
      clearTimeout(timer)
      clearTimeout(impatience)
      signal?.removeEventListener('abort', interrupt)
      process.off('exit', killGroup)
      killGroup()
      resolve(end ?? code ?? name ?? 1)
    })
  })
