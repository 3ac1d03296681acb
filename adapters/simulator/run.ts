/** Runs scenarios on worker threads, one for each policy, as many at a time as there are cores. */
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Milliseconds } from '../../src/model/time.js'
import { onSignal, type Signal } from '../../src/signal.js'
import { headOf, type PolicyReport, type Report } from '../../src/simulator/report.js'
import type { Scenario } from '../../src/simulator/scenario.js'
import { estimate } from './estimate.js'
import { isWork, type Message, work } from './worker.js'

/** Calls back with how far each policy has come, from the start, ms. After the signal what is known is reported. */
export const runScenario = async (
  scenario: Scenario,
  signal: Signal,
  onProgress: (policy: string, simulated: Milliseconds) => void = () => {},
): Promise<Report> => {
  const reports: Array<PolicyReport> = []
  const waiting = [...scenario.policies.keys()]
  const next = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const { name = '' } = scenario.policies[index] ?? {}
      const report = await live(scenario, index, signal, (simulated) => onProgress(name, simulated))
      reports[index] = report
    }
  }
  const threads = Math.min(availableParallelism(), scenario.policies.length)
  await Promise.all(Array.from({ length: threads }, next))
  return { ...headOf(scenario), policies: reports }
}

const live = (
  scenario: Scenario,
  index: number,
  signal: Signal,
  onProgress: (simulated: Milliseconds) => void,
): Promise<PolicyReport> =>
  new Promise((resolve, reject) => {
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const megabytes = Math.ceil((3 * estimate(scenario).memory) / 1e6) + 512
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { _tag: 'SimulatorWork', scenario, index, stop },
      resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 64 },
    })
    const forget = onSignal(signal, () => {
      stop[0] = 1
    })
    worker.on('message', (message: Message) => {
      if (message._tag === 'Progress') onProgress(message.simulated)
      else resolve(message.report)
    })
    worker.on('error', reject)
    worker.on('exit', () => {
      forget()
      reject(new Error('the simulation ended without a report'))
    })
  })

// The threads run this file, wherever it has been bundled into.
if (!isMainThread && isWork(workerData)) work(workerData, (message) => parentPort?.postMessage(message))
