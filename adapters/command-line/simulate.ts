import { readFile, writeFile } from 'node:fs/promises'
import { freemem } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { inWords, minute } from '../../src/model/time.js'
import { reasonOf as reason } from '../platform/system-error.js'
import { command, complain } from './command.js'
import { parseDuration } from './duration.js'
import { type Flags, readFlagsAndFiles, type UsageError, usageError } from './flags.js'
import { terminalLine } from './terminal-line.js'

export const simulateFlags = {
  output: { value: 'text|json|csv', short: 'o', help: 'what is printed (default text)' },
  html: { value: 'FILE', help: 'write the report with pictures to this file too' },
  'time-limit': {
    value: 'DURATION',
    help: 'refuse a scenario that is estimated to take longer (default 30m)',
  },
} satisfies Flags<string>

export interface SimulateRequest {
  readonly file: string
  readonly output: 'text' | 'json' | 'csv'
  readonly html?: string
  /** ms */
  readonly timeLimit: number
}

const outputs = ['text', 'json', 'csv'] as const

export const readSimulate = (args: ReadonlyArray<string>): E.Either<UsageError, SimulateRequest> => {
  const read = readFlagsAndFiles(simulateFlags, args)
  if (E.isLeft(read)) return read
  const { given, files } = read.right
  const [file, another] = files
  if (file === undefined || another !== undefined)
    return E.left(usageError('one scenario is simulated at a time', 'name one file, such as SCENARIO.yaml'))
  const output = outputs.find((name) => name === (given.output ?? 'text'))
  if (output === undefined)
    return E.left(usageError(`-o ${given.output} is not known`, `write -o ${outputs.join(', or -o ')}`))
  const limit = given['time-limit'] === undefined ? E.right(30 * minute) : parseDuration(given['time-limit'])
  if (E.isLeft(limit)) return E.left(usageError(`--time-limit: ${limit.left}`, 'for instance 2h'))
  return E.right({
    file,
    output,
    timeLimit: limit.right,
    ...(given.html === undefined ? {} : { html: given.html }),
  })
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** Exit code 0: lived through; 1: it cannot be read, or is too large; what was interrupted is reported, with 130. */
const simulate = async (request: SimulateRequest, signal: AbortSignal): Promise<number> => {
  const { file, output, html, timeLimit } = request
  const { readScenario } = await import('../simulator/scenario.js')
  const text = await readFile(file, 'utf8').catch((error: unknown) => ({ why: reason(error) }))
  if (typeof text !== 'string') {
    complain(`reading ${file}: ${text.why}`, 'name a scenario, such as those in src/simulator/scenarios')
    return 1
  }
  const read = readScenario(text)
  if (E.isLeft(read)) {
    for (const { where, what } of read.left)
      process.stderr.write(`kube-cert-rotation: ${file}: ${where === '' ? 'it' : where} ${what}\n`)
    return 1
  }
  const scenario = read.right
  const { estimate } = await import('../simulator/estimate.js')
  const { availableParallelism } = await import('node:os')
  const { time, memory } = estimate(scenario)
  const together = Math.min(availableParallelism(), scenario.policies.length)
  const rounds = Math.ceil(scenario.policies.length / together)
  if (time * rounds > timeLimit || memory * together > freemem()) {
    complain(
      `${file}: it would take some ${inWords(time * rounds)} and ${gigabytes(memory * together)} of memory (free: ${gigabytes(freemem())})`,
      'simulate fewer nodes, a shorter time or longer certificates; the shape of the curves stays; or raise --time-limit',
    )
    return 1
  }
  const { runScenario } = await import('../simulator/run.js')
  const progress = new Map<string, number>()
  const line = terminalLine(process.stderr, () =>
    [...progress]
      .map(([policy, done]) => `${policy} ${Math.floor((100 * done) / scenario.duration)} %`)
      .join(', '),
  )
  const report = await runScenario(scenario, signal, (policy, done) => progress.set(policy, done)).finally(
    line.end,
  )
  const { csvOf, textOf } = await import('../simulator/text.js')
  const printed = {
    text: textOf,
    csv: csvOf,
    json: (all: typeof report) => `${JSON.stringify(all, undefined, 2)}\n`,
  }
  process.stdout.write(printed[output](report))
  if (html !== undefined) {
    const { pageOf } = await import('../simulator/page.js')
    try {
      await writeFile(html, await pageOf(report))
    } catch (error) {
      complain(`writing ${html}: ${reason(error)}`, 'name a file that can be written')
      return 1
    }
  }
  return signal.aborted ? 130 : 0
}

export const simulateCommand = command(simulateFlags, readSimulate, simulate, 'SCENARIO.yaml')
