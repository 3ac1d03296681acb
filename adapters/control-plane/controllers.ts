/**
 * The controller manager's part: approver, signer and cleaner over the storage. Approval and signing are two updates, so
 * a watcher sees Pending, Approved and Issued one after the other.
 */
import { X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  approval,
  type Binding,
  cleaningInterval,
  deletionReason,
  permitted,
  type StoredCondition,
  signing,
  validity,
  withTimes,
} from '../../src/control-plane/index.js'
import { type Instant, instant, type Milliseconds, minute, rfc3339, wholeSecond } from '../../src/time.js'
import { type Authority, createCertificate, type ParsedRequest } from '../crypto/index.js'
import { endOf, newSerialNumber } from './authority.js'
import type { ControlPlaneEvent } from './event.js'
import type { RequestReader } from './request-reader.js'
import { has, type SigningRequest } from './signing-request.js'
import type { Storage } from './storage.js'

export interface ControllerOptions {
  readonly storage: Storage
  readonly read: RequestReader
  readonly now: IO<Instant>
  readonly tell: (event: ControlPlaneEvent) => void
  readonly bindings: ReadonlyArray<Binding>
  readonly authority: IO<Authority>
  readonly signingDuration: Milliseconds
  readonly flavour: '1.20' | '1.22'
  readonly autoApprove: boolean
}

/** Something that can be made to wait, and to catch up. */
export interface Gate {
  readonly hold: IO<void>
  readonly resume: IO<void>
}

export interface Controllers {
  readonly approval: Gate
  readonly signing: Gate
  /** One run of the cleaner, which otherwise runs once an hour. */
  readonly clean: IO<void>
  readonly stop: IO<void>
}

export const startControllers = (options: ControllerOptions): Controllers => {
  const { storage, read, now, tell } = options
  const state = { stopped: false, approving: options.autoApprove, signing: true, cleanedAt: now() }

  /** The request as it is now, when it still is the one that was looked at. */
  const still = ({ metadata }: SigningRequest): SigningRequest | undefined => {
    const current = storage.get(metadata.name)
    return state.stopped || current?.metadata.uid !== metadata.uid ? undefined : current
  }

  const withCondition = (
    request: SigningRequest,
    condition: StoredCondition,
  ): ReadonlyArray<StoredCondition> => [
    ...request.status.conditions,
    ...withTimes([], [condition], rfc3339(wholeSecond(now()))),
  ]

  const approve = (request: SigningRequest, parsed: ParsedRequest): void => {
    const { name } = request.metadata
    const { signerName, usages, username, groups } = request.spec
    const decision = approval({ signerName, usages, names: parsed, username }, (subresource) =>
      permitted(
        options.bindings,
        { name: username, groups },
        {
          _tag: 'Resource',
          verb: 'create',
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          subresource,
        },
      ),
    )
    if (decision._tag === 'Refused') {
      const reason = `recognized as ${decision.tried.join(' and ')} but subject access review was not approved`
      tell({ _tag: 'NotApproved', at: now(), name, reason })
    }
    if (decision._tag !== 'Approve') return
    const { reason, message } = decision
    const conditions = withCondition(request, { type: 'Approved', status: 'True', reason, message })
    storage.update(request, { ...request, status: { ...request.status, conditions } })
    tell({ _tag: 'Approved', at: now(), name })
  }

  const sign = async (request: SigningRequest, parsed: ParsedRequest): Promise<void> => {
    const { name } = request.metadata
    const { signerName, usages, expirationSeconds } = request.spec
    const decision = signing({ signerName, usages, names: parsed })
    if (decision._tag === 'NotOurs') return
    if (decision._tag === 'Fail') {
      const { reason, message } = decision
      const conditions = withCondition(request, { type: 'Failed', status: 'True', reason, message })
      storage.update(request, { ...request, status: { ...request.status, conditions } })
      tell({ _tag: 'Failed', at: now(), name, message })
      return
    }
    const authority = options.authority()
    const dates = validity({
      now: now(),
      signingDuration: options.signingDuration,
      expirationSeconds: O.fromNullable(expirationSeconds),
      authorityEnd: endOf(authority),
      flavour: options.flavour,
    })
    const notSigned = (reason: string): void => tell({ _tag: 'NotSigned', at: now(), name, reason })
    if (E.isLeft(dates)) return notSigned(dates.left)
    const serialNumber = newSerialNumber()
    const certificate = await createCertificate(authority, {
      ...parsed,
      ...dates.right,
      serialNumber,
      usages: decision.usages,
    })()
    const current = still(request)
    if (current === undefined || current.status.certificate !== '') return
    if (E.isLeft(certificate)) return notSigned(certificate.left.message)
    const base64 = Buffer.from(certificate.right).toString('base64')
    storage.update(current, { ...current, status: { ...current.status, certificate: base64 } })
    tell({ _tag: 'Issued', at: now(), name, serialNumber, notAfter: dates.right.notAfter })
  }

  const undecided = (request: SigningRequest): boolean =>
    !has(request, 'Approved') && !has(request, 'Denied') && request.status.certificate === ''
  const toBeSigned = (request: SigningRequest): boolean =>
    has(request, 'Approved') &&
    !has(request, 'Denied') &&
    !has(request, 'Failed') &&
    request.status.certificate === ''

  const handle = async (seen: SigningRequest): Promise<void> => {
    const parsed = await read(seen.spec)
    const request = still(seen)
    if (request === undefined || E.isLeft(parsed)) return
    if (state.approving && undecided(request)) approve(request, parsed.right)
    else if (state.signing && toBeSigned(request)) await sign(request, parsed.right)
  }

  /** After the answer to the change that set it off, as between processes. */
  const later = (request: SigningRequest): void => {
    setImmediate(() => void handle(request))
  }

  const unsubscribe = storage.watch(storage.version(), ({ type, request }) => {
    if (type !== 'DELETED') later(request)
  })

  const gate = (which: 'approving' | 'signing'): Gate => ({
    hold: () => {
      state[which] = false
    },
    resume: () => {
      state[which] = true
      storage.list().forEach(later)
    },
  })

  const clean = (): void => {
    state.cleanedAt = now()
    for (const request of storage.list()) {
      const reason = deletionReason(toClean(request), now())
      if (O.isNone(reason)) continue
      storage.delete(request)
      tell({ _tag: 'Cleaned', at: now(), name: request.metadata.name, reason: reason.value })
    }
  }
  const cleaner = setInterval(() => {
    if (now() - state.cleanedAt >= cleaningInterval) clean()
  }, minute)
  cleaner.unref()

  return {
    approval: gate('approving'),
    signing: gate('signing'),
    clean,
    stop: () => {
      state.stopped = true
      clearInterval(cleaner)
      if (E.isRight(unsubscribe)) unsubscribe.right()
    },
  }
}

const at = (time: string | undefined): Instant => instant(Date.parse(time ?? ''))

const certificateEnd = ({ status }: SigningRequest): O.Option<Instant> =>
  status.certificate === ''
    ? O.none
    : O.tryCatch(() => at(new X509Certificate(Buffer.from(status.certificate, 'base64')).validTo))

const toClean = (request: SigningRequest) => ({
  createdAt: at(request.metadata.creationTimestamp),
  conditions: request.status.conditions.map(({ type, lastUpdateTime }) => ({
    type,
    updatedAt: at(lastUpdateTime),
  })),
  certificateEnd: certificateEnd(request),
})
