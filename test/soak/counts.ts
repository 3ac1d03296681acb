import { readdirSync } from 'node:fs'
import { heap } from '../fuzz/bounds.js'

/** What a process has open, and what it keeps. */
export interface Counts {
  /** Bytes, after everything was let go of that can be. */
  readonly heap: number
  /** Open file descriptors. */
  readonly files: number
  /** Sockets, pipes, timers and the like that Node counts as active, by kind. */
  readonly active: ReadonlyMap<string, number>
}

export const counts = (): Counts => {
  const active = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) active.set(kind, (active.get(kind) ?? 0) + 1)
  return { heap: heap(), files: readdirSync('/proc/self/fd').length, active }
}
