/** `/livez`, `/readyz` and `/healthz` as Kubernetes' components answer them (`k8s.io/apiserver/pkg/server/healthz`). */
import type { Metrics } from '../../src/metrics/metrics.js'

/** What is asked about, and what is wrong with it; undefined: nothing. */
export interface Check {
  readonly name: string
  readonly problem: (metrics: Metrics) => string | undefined
}

/** That it answers at all shows that the event loop turns. */
const ping: Check = { name: 'ping', problem: () => undefined }

const rotation: Check = {
  name: 'rotation',
  problem: ({ states }) =>
    Object.values(states).some((count) => count > 0) ? undefined : 'no rotation is running',
}

const certificate: Check = {
  name: 'certificate',
  problem: ({ states, usable }) => {
    const rotations = Object.values(states).reduce((sum, count) => sum + count, 0)
    if (usable === rotations && rotations > 0) return undefined
    if (rotations <= 1) return 'no certificate works'
    return `${rotations - usable} of ${rotations} rotations have no certificate that works`
  },
}

const checks: Readonly<Record<string, ReadonlyArray<Check>>> = {
  livez: [ping, rotation],
  readyz: [ping, rotation, certificate],
  healthz: [ping, rotation, certificate],
}

export interface HealthAnswer {
  readonly code: 200 | 500
  readonly text: string
}

/** The answer to a path; undefined: it is none of the three. `?verbose` lists the checks, `?exclude=NAME` leaves one out. */
export const healthAnswer = (url: URL, metrics: () => Metrics): HealthAnswer | undefined => {
  const name = url.pathname.slice(1)
  const asked = Object.hasOwn(checks, name) ? checks[name] : undefined
  if (asked === undefined) return undefined
  const excluded = url.searchParams.getAll('exclude')
  const now = metrics()
  const results = asked.map((check) => ({
    line: `[+]${check.name} ok`,
    ...resultOf(check, excluded, now),
  }))
  const lines = results.map(({ line }) => line)
  if (results.some(({ isFailed }) => isFailed))
    return { code: 500, text: `${[...lines, `${name} check failed`].join('\n')}\n` }
  return url.searchParams.has('verbose')
    ? { code: 200, text: `${[...lines, `${name} check passed`].join('\n')}\n` }
    : { code: 200, text: 'ok' }
}

const resultOf = ({ name, problem }: Check, excluded: ReadonlyArray<string>, metrics: Metrics) => {
  if (excluded.includes(name)) return { line: `[+]${name} excluded: ok`, isFailed: false }
  const found = problem(metrics)
  return found === undefined ? { isFailed: false } : { line: `[-]${name} failed: ${found}`, isFailed: true }
}
