/**
 * The controller manager's part: approver, signers and cleaner over the storage. Approval and signing are two updates,
 * so a watcher sees Pending, Approved and Issued one after the other.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import { cleaningInterval } from '../../src/control-plane/index.js'
import { minute } from '../../src/model/time.js'
import { type Approver, decide, undecided, verdictOf } from './approving.js'
import { clean } from './cleaning.js'
import type { Manager } from './manager.js'
import { sign, toBeSigned } from './signing.js'
import type { SigningRequest } from './signing-request.js'

/** Something that can be made to wait, and to catch up. */
export interface Gate {
  readonly hold: IO<void>
  readonly resume: IO<void>
}

export interface Controllers {
  readonly approval: Gate
  readonly signing: Gate
  /** Looks at all requests again: approvers may decide otherwise now. */
  readonly lookAgain: IO<void>
  /** One run of the cleaner, which otherwise runs once an hour. */
  readonly clean: IO<void>
  readonly stop: IO<void>
}

/** Starts them, the first approver first; approval held when nothing is to be approved until it is resumed. */
export const startControllers = (
  manager: Manager,
  approvers: ReadonlyArray<Approver>,
  approving: boolean,
): Controllers => {
  const { storage, read, now } = manager
  const state = { stopped: false, approving, signing: true, cleanedAt: now() }

  /** The request as it is now, when it still is the one that was looked at. */
  const still = ({ metadata }: SigningRequest): SigningRequest | undefined => {
    const current = storage.get(metadata.name)
    return state.stopped || current?.metadata.uid !== metadata.uid ? undefined : current
  }

  const handle = async (seen: SigningRequest): Promise<void> => {
    const parsed = await read(seen.spec)()
    const request = still(seen)
    if (request === undefined || E.isLeft(parsed)) return
    if (state.approving && undecided(request)) {
      const verdict = await verdictOf(manager, approvers, request, parsed.right)
      const same = still(request)
      if (same !== undefined && undecided(same)) decide(manager, same, verdict)
    } else if (state.signing && toBeSigned(request)) await sign(manager, request, parsed.right, still)
  }

  /** After the answer to the change that set it off, as between processes. */
  const later = (request: SigningRequest): void => {
    setImmediate(() => void handle(request))
  }

  const lookAgain = (): void => storage.list().forEach(later)

  const watching = storage.watch(storage.version(), ({ type, request }) => {
    if (type !== 'DELETED') later(request)
  })

  const gate = (which: 'approving' | 'signing'): Gate => ({
    hold: () => {
      state[which] = false
    },
    resume: () => {
      state[which] = true
      lookAgain()
    },
  })

  const runCleaner = (): void => {
    state.cleanedAt = now()
    clean(manager)
  }
  const cleaner = setInterval(() => {
    if (now() - state.cleanedAt >= cleaningInterval) runCleaner()
  }, minute)
  cleaner.unref()

  return {
    approval: gate('approving'),
    signing: gate('signing'),
    lookAgain,
    clean: runCleaner,
    stop: () => {
      state.stopped = true
      clearInterval(cleaner)
      if (E.isRight(watching)) watching.right()
    },
  }
}
