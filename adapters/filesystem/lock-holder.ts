import { hostname } from 'node:os'
import { basename } from 'node:path'
import * as t from 'io-ts'

/** Who holds a lock, for people. In containers every process is number 1, but each has a host name of its own. */
export const Holder = t.readonly(
  t.type({
    program: t.string,
    hostname: t.string,
    pid: t.number,
    /** RFC 3339. */
    since: t.string,
    /** Whether it holds the lock, or is only about to find out. */
    holds: t.boolean,
  }),
)
export type Holder = t.TypeOf<typeof Holder>

export const thisProcess = (holds: boolean): Holder => ({
  program: basename(process.argv[1] ?? process.execPath),
  hostname: hostname(),
  pid: process.pid,
  since: new Date().toISOString(),
  holds,
})

/** Who it is, for people; undefined: somebody who does not say. */
export const holderInWords = (holder: Omit<Holder, 'holds'> | undefined): string =>
  holder === undefined
    ? 'a process that does not say who it is'
    : `${printable(holder.program)}, process ${holder.pid} on ${printable(holder.hostname)}, since ${printable(holder.since)}`

/** It comes from another process. */
const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100)
