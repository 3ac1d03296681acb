/**
 * A process that runs one test file after another, so that what they share is loaded once: the runner sends a path, and
 * whether the file is alone there, and gets `next` once the file's tests have passed and the process is as it was before.
 * In any other case the process ends, which says the same as where a file has a process of its own, and the runner starts
 * another.
 */
import { readFileSync } from 'node:fs'
import { runTestFile } from './index.js'

/** What a file might change for those after it, by what it is called. */
const state = (): ReadonlyMap<string, unknown> =>
  new Map<string, unknown>([
    ['the working directory', process.cwd()],
    ['the umask', process.umask()],
    ...Object.entries(process.env).map(([name, value]) => [`environment variable ${name}`, value] as const),
    ...process
      .eventNames()
      .filter((name) => /^SIG|^uncaught|^unhandled|^warning$/.test(String(name)))
      .map((name) => [`listeners of ${String(name)}`, process.listenerCount(name)] as const),
  ])

/** Processes that were started and have not ended, where it can be told: they end with this one. */
const hasChildren = (): boolean => {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8') !== ''
  } catch {
    return false
  }
}

let before = state()
let hasRun = false
/** The file has the process for itself, and may leave it as it likes. */
let isAlone = false

process.on('message', (message) => {
  // The process is to go on for what the file has open, and for nothing else.
  process.channel?.unref()
  before = state()
  hasRun = false
  const [path, alone] = Array.isArray(message) ? message : []
  isAlone = alone === true
  void runTestFile(String(path)).then(() => {
    hasRun = true
  })
})

/** Nothing is open any more. */
process.on('beforeExit', () => {
  if (!hasRun) process.exitCode ||= 1
  if (isAlone || !process.connected || process.exitCode || hasChildren()) return
  const after = state()
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (what) => before.get(what) !== after.get(what),
  )
  if (changed.length > 0) {
    console.error(`All tests have ended, and left the process changed: ${changed.join(', ')}`)
    process.exitCode = 1
    return
  }
  process.channel?.ref()
  process.send?.('next')
})
