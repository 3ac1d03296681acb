/**
 * How tests are written here: uvu, and what uvu 0.5 lacks. Each test has a deadline, each skip a reason,
 * a file that runs nothing fails, and so does one that leaves something open.
 *
 * ```ts
 * import { assert, eventually, sample, seed, suite } from './index.js'
 *
 * const test = suite('certificate store')
 *
 * test('keeps the old certificate when the new one is for another key', async ({ defer, temporaryDirectory }) => {
 *   const directory = await temporaryDirectory()   // removed after the test
 *   const server = await start(directory)
 *   defer(() => server.stop())                     // runs after the test, passed or failed, last first
 *   await eventually('the link is there', () => readLink(directory))
 *   assert.is(1, 1)
 * })
 * test('explores many sequences', { deadline: sample(10_000, 300_000) }, () => {
 *   fc.assert(property, { numRuns: sample(200, 20_000), seed })
 * })
 * test('lists requests with kubectl', { skip: hasKubectl ? undefined : 'no kubectl on this machine' }, …)
 * test.skip('survives a leap second', 'no way to make one here')
 * ```
 *
 * There is no `.run()` to forget: suites run once the test file is loaded.
 * All of them: `npm test`. Some: `npm test -- store`, or `node dist/test/helper/run.js store`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { Test } from 'uvu'
import { tell } from './report.js'

export * as assert from 'uvu/assert'

// Read by uvu when it is loaded: suites are run by whoever loads the files, here runTestFile.
Object.assign(globalThis, { UVU_DEFER: true })
const uvu = await import('uvu')

/** Set by `npm run test:thorough`: the full numbers, however long they take. */
export const thorough = process.env['THOROUGH'] === '1'

/** A number for `npm test`, which is to be quick, and one for `npm run test:thorough`. */
export const sample = (normal: number, full: number): number => (thorough ? full : normal)

/** The seed for random samples: the same in each run, another one with `SEED=n npm test`. */
export const seed = Number(process.env['SEED'] ?? 20_261_123)

/** Says what a test counted or measured: printed beneath its file, whether it passed or not. */
export const note = (text: string): void => {
  tell({ event: 'noted', note: text })
  console.log(text)
}

/** Set by mutation testing, which asks whether a test fails and not how many do. */
const bail = process.env['BAIL'] === '1'

export interface TestContext {
  /** Aborted when the deadline has passed. */
  readonly signal: AbortSignal
  /** Registers clean-up: run when the test has ended, however it ended, the last registered first. */
  readonly defer: (cleanUp: () => unknown) => void
  /** A new empty directory, removed after the test. */
  readonly temporaryDirectory: () => Promise<string>
}

export type TestBody = (context: TestContext) => unknown

export interface TestOptions {
  /** Milliseconds until the test fails; 30 000 if not given, which only something that hangs takes on a busy machine. */
  readonly deadline?: number
  /** Why this test cannot run here, or undefined when it can. */
  readonly skip?: string | undefined
}

export interface Suite {
  (name: string, body: TestBody): void
  (name: string, options: TestOptions, body: TestBody): void
  /** A test that is not run, and why. */
  readonly skip: (name: string, reason: string) => void
  /** Runs once before the suite's tests; when it fails, the whole file does. */
  readonly before: (hook: () => unknown) => void
  /** Runs once after the suite's tests. */
  readonly after: (hook: () => unknown) => void
}

const DEFAULT_DEADLINE = 30_000
/** How long a file may go on after its last test before it counts as having left something open. */
const GRACE = 3_000

/** Those of the file that is being loaded. */
let suites: Test<unknown>[] = []
/** How many tests the file has, the skipped ones among them. */
let registered = 0
/** Whether a file is being loaded or run by runTestFile. */
let isRunning = false

export interface SuiteOptions {
  /** So many tests of the suite may run side by side, for tests that wait more than they work; 1 if not given. */
  readonly together?: number
}

/** A named group of tests; a file may have several, they run one after the other. */
export const suite = (suiteName: string, { together = 1 }: SuiteOptions = {}): Suite => {
  const target = uvu.suite(suiteName)
  suites.push(target)
  // A test file as the main module. Importing that again yields the instance that is loading, so this awaits its top level.
  if (!isRunning) {
    isRunning = true
    setImmediate(() => runTestFile(process.argv[1] ?? ''))
  }
  const tests: (() => Promise<Error | undefined>)[] = []

  const skip = (name: string, reason: string): void => {
    if (reason.trim() === '') throw new Error(`"${name}" is skipped without a reason: say what is missing`)
    registered += 1
    target.skip()
    tell({ event: 'skipped', test: `${suiteName}: ${name}`, reason })
    console.log(`skipped "${name}": ${reason}`)
  }

  const test = (name: string, second: TestOptions | TestBody, third?: TestBody): void => {
    const [options, body] = typeof second === 'function' ? [{}, second] : [second, third]
    if (body === undefined) throw new Error(`"${name}" has no body: a test that cannot run is a test.skip`)
    if (options.skip !== undefined) {
      skip(name, options.skip)
      return
    }
    registered += 1
    const outcome = once(async () => {
      tell({ event: 'started', test: `${suiteName}: ${name}` })
      const failure = await runTest(body, options.deadline ?? DEFAULT_DEADLINE)
      tell({
        event: failure === undefined ? 'passed' : 'failed',
        test: `${suiteName}: ${name}`,
      })
      if (failure !== undefined && bail) {
        console.error(`\n"${suiteName}: ${name}" failed`)
        process.exit(1)
      }
      return failure
    })
    const place = tests.push(outcome) - 1
    target(name, async () => {
      for (const begin of tests.slice(place, place + together)) void begin()
      const failure = await outcome()
      if (failure !== undefined) throw failure
    })
  }

  const hook = (what: string, run: () => unknown) => () =>
    within(DEFAULT_DEADLINE, `the ${what} hook of "${suiteName}"`, run)
  return Object.assign(test, {
    skip,
    before: (run: () => unknown) => target.before(hook('before', run)),
    after: (run: () => unknown) => target.after(hook('after', run)),
  })
}

/** Begins a task when it is first asked for; whoever asks gets the same outcome. */
const once = <A>(task: () => Promise<A>): (() => Promise<A>) => {
  let outcome: Promise<A> | undefined
  return () => {
    outcome ??= task()
    return outcome
  }
}

/** Runs a test and its clean-up; every failure comes back as an Error, which is all that uvu can print. */
const runTest = async (body: TestBody, deadline: number): Promise<Error | undefined> => {
  const cleanUps: (() => unknown)[] = []
  const defer = (cleanUp: () => unknown): void => {
    cleanUps.unshift(cleanUp)
  }
  const stop = new AbortController()
  const temporaryDirectory = async (): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), 'kube-cert-rotation-'))
    defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
    return directory
  }
  let failure: Error | undefined
  try {
    await within(deadline, 'the test', () => body({ signal: stop.signal, defer, temporaryDirectory }))
  } catch (error) {
    failure = asError(error)
    stop.abort(failure)
  }
  for (const cleanUp of cleanUps) {
    try {
      await within(DEFAULT_DEADLINE, 'clean-up after the test', cleanUp)
    } catch (error) {
      failure ??= asError(error)
    }
  }
  return failure
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(`something was thrown that is no Error: ${inspect(thrown)}`)

const within = async (deadline: number, what: string, run: () => unknown): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${deadline} ms`)), deadline)
  })
  try {
    await Promise.race([Promise.resolve().then(run), late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Waits until `probe` answers with something else than `undefined` or `false`, and answers that.
 * `what` is the end of the sentence "waited in vain until …"; times in milliseconds.
 */
export const eventually = async <A>(
  what: string,
  probe: () => A | undefined | false | Promise<A | undefined | false>,
  { deadline = 20_000, interval = 10 }: { readonly deadline?: number; readonly interval?: number } = {},
): Promise<A> => {
  const end = performance.now() + deadline
  for (;;) {
    const answer = await probe()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() >= end) throw new Error(`waited ${deadline} ms in vain until ${what}`)
    await sleep(interval)
  }
}

/**
 * Loads a test file and runs its suites. The process fails when a test does, and when something keeps the process from
 * ending, or from taking the next file, after the last one. One file at a time, each once in a process.
 */
export const runTestFile = async (file: string): Promise<void> => {
  isRunning = true
  await import(pathToFileURL(file).href)
  if (suites.length > 0 && registered === 0) {
    console.error('This file ran no test.')
    process.exitCode = 1
  }
  UVU_QUEUE.splice(0, Infinity, [null])
  for (const target of suites) target.run()
  const outcome = process.exitCode
  await uvu.exec()
  process.exitCode ||= outcome
  suites = []
  registered = 0
  const late = setTimeout(failForWhatIsOpen, GRACE).unref()
  process.once('beforeExit', () => clearTimeout(late))
}

declare global {
  /** What uvu has to run: for each file its name, which is printed, and its suites. */
  var UVU_QUEUE: unknown[][]
}

const failForWhatIsOpen = (): void => {
  console.error(
    `All tests have ended, but something is still open: ${process.getActiveResourcesInfo().join(', ')}`,
  )
  process.exit(1)
}
