import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder, and what must end when this process does. */
export interface Workplace {
  readonly folder: string
  /** What is told about a failure: the only part that outlives one. */
  readonly logs: string
  /** Registers what must be done when the process ends, however it ends; nothing asynchronous can be. */
  readonly atExit: (end: () => void) => void
}

/**
 * Makes the folder and binds it to the life of this process: at its end what was registered is done and the
 * folder removed; after a failure (an exit code other than 0) the logs stay, and it is said where. SIGINT,
 * SIGTERM and SIGHUP count as failures.
 */
export const createWorkplace = async (): Promise<Workplace> => {
  const folder = await mkdtemp(join(tmpdir(), 'kube-cert-rotation-e2e-'))
  const [logs, secret] = [join(folder, 'logs'), join(folder, 'data')]
  await mkdir(logs)
  await mkdir(secret)
  const ends: (() => void)[] = []
  process.once('exit', () => {
    for (const end of ends) end()
    const failed = process.exitCode !== undefined && process.exitCode !== 0
    // The components were just killed and may still be writing, hence the retries.
    rmSync(failed ? secret : folder, { recursive: true, force: true, maxRetries: 10 })
    if (failed) console.error(`The logs of etcd, kube-apiserver and kube-controller-manager are in ${logs}`)
  })
  for (const [signal, code] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
  return { folder: secret, logs, atExit: (end) => ends.push(end) }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

const taken = new Set<number>()

/**
 * A free port of 127.0.0.1, below those that outgoing connections are given: it must still be free when the
 * component that uses it was stopped and is started again.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (taken.has(port) || !(await listens(port))) continue
    taken.add(port)
    return port
  }
}
