/** `certificatesigningrequests`: create, get, list, watch, update, patch, delete, and the two subresources. */
import { randomBytes, randomUUID, X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  admissionRefusal,
  creationErrors,
  type FieldError,
  type RequestStatus,
  type StoredCondition,
  type Subresource,
  updateErrors,
  withTimes,
} from '../../src/control-plane/index.js'
import { type Instant, rfc3339, wholeSecond } from '../../src/time.js'
import { type Call, created, failed, ok, type Reply } from './call.js'
import { DeleteOptions, decoded, decodedBody, IncomingRequest, parsedJson } from './incoming.js'
import type { RequestReader } from './request-reader.js'
import { selected } from './selectors.js'
import {
  apiVersion,
  type Content,
  kind,
  type Metadata,
  rendered,
  type SigningRequest,
} from './signing-request.js'
import * as status from './status.js'
import type { Storage } from './storage.js'
import { table } from './table.js'
import { watch } from './watch.js'

export interface Requests {
  readonly create: (call: Call) => Promise<Reply>
  readonly get: (call: Call, name: string) => Reply
  readonly list: (call: Call) => Reply
  readonly watch: (call: Call) => Reply
  readonly update: (call: Call, name: string, subresource: Subresource | undefined) => Reply
  readonly patch: (call: Call, name: string, subresource: Subresource | undefined) => Reply
  readonly delete: (call: Call, name: string) => Reply
}

/** The API over a storage. `now` gives the times that it writes. */
export const requestsApi = (storage: Storage, read: RequestReader, now: () => Instant): Requests => {
  const shown = (call: Call, request: SigningRequest): unknown =>
    call.table === undefined
      ? rendered(request)
      : table([request], request.resourceVersion, now(), call.table)

  const create = async (call: Call): Promise<Reply> => {
    const incoming = decodedBody({ apiVersion, kind }, IncomingRequest, call.body)
    if (E.isLeft(incoming)) return failed(incoming.left)
    const content = newContent(incoming.right, call, now())
    const { metadata, spec } = content
    const { name } = metadata
    const request = await read(spec)
    const names = E.isRight(request) ? O.some(request.right) : O.none
    const refused = O.chain((one: Parameters<typeof admissionRefusal>[2]) =>
      admissionRefusal(call.caller, spec.signerName, one),
    )(names)
    if (O.isSome(refused)) return failed(status.forbidden(name, refused.value))
    const errors = creationErrors({
      name,
      signerName: spec.signerName,
      usages: spec.usages,
      expirationSeconds: spec.expirationSeconds,
      request,
    })
    if (errors.length > 0) return failed(status.invalid(name, errors))
    const stored = storage.create(content)
    return E.isLeft(stored) ? failed(status.alreadyExists(name)) : created(shown(call, stored.right))
  }

  const replace = (
    call: Call,
    current: SigningRequest,
    incoming: IncomingRequest,
    subresource: Subresource | undefined,
  ): Reply => {
    const { name } = current.metadata
    const stale = staleness(current, incoming)
    if (stale !== undefined) return failed(status.conflict(name, stale))
    const after = changedStatus(current, incoming, subresource, rfc3339(wholeSecond(now())))
    const errors =
      subresource === undefined
        ? []
        : [...updateErrors(subresource, current.status, after), ...pemErrors(current.status, after)]
    if (errors.length > 0) return failed(status.invalid(name, errors))
    const metadata = changedMetadata(current.metadata, incoming)
    return ok(shown(call, storage.update(current, { metadata, spec: current.spec, status: after })))
  }

  const found = (name: string, then: (current: SigningRequest) => Reply): Reply => {
    const current = storage.get(name)
    return current === undefined ? failed(status.notFound(name)) : then(current)
  }

  return {
    create,
    get: (call, name) => found(name, (current) => ok(shown(call, current))),
    list: (call) => {
      const chosen = selected(call.query)
      if (E.isLeft(chosen)) return failed(chosen.left)
      const items = storage.list().filter(chosen.right)
      const resourceVersion = String(storage.version())
      return ok(
        call.table === undefined
          ? { kind: `${kind}List`, apiVersion, metadata: { resourceVersion }, items: items.map(rendered) }
          : table(items, resourceVersion, now(), call.table),
      )
    },
    watch: (call) => {
      const chosen = selected(call.query)
      return E.isLeft(chosen) ? failed(chosen.left) : watch(storage, now, call, chosen.right)
    },
    update: (call, name, subresource) =>
      found(name, (current) => {
        const incoming = decodedBody({ apiVersion, kind }, IncomingRequest, call.body)
        if (E.isLeft(incoming)) return failed(incoming.left)
        const named = incoming.right.metadata?.name ?? ''
        return named === name
          ? replace(call, current, incoming.right, subresource)
          : failed(
              status.badRequest(
                `the name of the object (${named}) does not match the name on the URL (${name})`,
              ),
            )
      }),
    patch: (call, name, subresource) =>
      found(name, (current) => {
        if (!mergePatches.includes(call.body.contentType)) {
          return failed(status.unsupportedMediaType(mergePatches))
        }
        const patch = parsedJson(call.body.bytes)
        if (E.isLeft(patch)) return failed(patch.left)
        const incoming = decoded(kind, IncomingRequest, merged(rendered(current), patch.right))
        return E.isLeft(incoming)
          ? failed(incoming.left)
          : replace(call, current, incoming.right, subresource)
      }),
    delete: (call, name) =>
      found(name, (current) => {
        const options = decodedBody({ kind: 'DeleteOptions' }, DeleteOptions, call.body)
        if (E.isLeft(options)) return failed(options.left)
        const { uid, resourceVersion } = options.right.preconditions ?? {}
        const stale = staleness(current, { metadata: { uid, resourceVersion } })
        if (stale !== undefined) return failed(status.conflict(name, stale))
        storage.delete(current)
        return ok(status.deleted(name, current.metadata.uid))
      }),
  }
}

/** `generateName` is cut to 58 characters and gets 5 more (apiserver/pkg/storage/names/generate.go). */
const generatedName = (prefix: string): string =>
  `${prefix.slice(0, 58)}${[...randomBytes(5)].map((byte) => 'bcdfghjklmnpqrstvwxz2456789'[byte % 27]).join('')}`

/** A new object of what was sent: everything else is the server's to fill in. */
const newContent = ({ metadata, spec }: IncomingRequest, { caller }: Call, now: Instant): Content => {
  const generateName = metadata?.generateName ?? ''
  const name = metadata?.name ?? ''
  const { expirationSeconds } = spec ?? {}
  return {
    metadata: {
      name: name === '' && generateName !== '' ? generatedName(generateName) : name,
      ...(generateName === '' ? {} : { generateName }),
      uid: randomUUID(),
      creationTimestamp: rfc3339(wholeSecond(now)),
      ...labelling(metadata),
    },
    spec: {
      request: spec?.request ?? '',
      signerName: spec?.signerName ?? '',
      ...(expirationSeconds === undefined || expirationSeconds === null ? {} : { expirationSeconds }),
      usages: spec?.usages ?? [],
      username: caller.name,
      groups: caller.groups,
      ...(caller.extra === undefined ? {} : { extra: caller.extra }),
    },
    status: { conditions: [], certificate: '' },
  }
}

const labelling = (metadata: IncomingRequest['metadata']): Pick<Metadata, 'labels' | 'annotations'> => ({
  ...(isEmpty(metadata?.labels) ? {} : { labels: metadata?.labels ?? {} }),
  ...(isEmpty(metadata?.annotations) ? {} : { annotations: metadata?.annotations ?? {} }),
})

const isEmpty = (record: object | null | undefined): boolean => Object.keys(record ?? {}).length === 0

/** Why the object that the sender has in mind is not the one that is here. */
const staleness = (
  { metadata, resourceVersion }: SigningRequest,
  { metadata: sent }: IncomingRequest,
): string | undefined => {
  const uid = sent?.uid ?? ''
  const version = sent?.resourceVersion ?? ''
  if (uid !== '' && uid !== metadata.uid) {
    return `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`
  }
  return version !== '' && version !== resourceVersion ? status.staleVersion : undefined
}

const changedMetadata = (before: Metadata, { metadata }: IncomingRequest): Metadata => {
  const { labels: _labels, annotations: _annotations, ...rest } = before
  return { ...rest, ...labelling(metadata) }
}

/** `/approval` changes conditions, `/status` the certificate too, the main resource neither (strategy.go). */
const changedStatus = (
  { status: before }: SigningRequest,
  { status: sent }: IncomingRequest,
  subresource: Subresource | undefined,
  now: string,
): RequestStatus => {
  if (subresource === undefined) return before
  const conditions = withTimes(before.conditions, (sent?.conditions ?? []).map(storedCondition), now)
  return {
    conditions,
    certificate: subresource === 'status' ? (sent?.certificate ?? '') : before.certificate,
  }
}

type SentCondition = NonNullable<NonNullable<IncomingRequest['status']>['conditions']>[number]

const storedCondition = (sent: SentCondition): StoredCondition => ({
  type: sent.type ?? '',
  status: sent.status ?? '',
  ...(sent.reason ? { reason: sent.reason } : {}),
  ...(sent.message ? { message: sent.message } : {}),
  ...(sent.lastUpdateTime ? { lastUpdateTime: sent.lastUpdateTime } : {}),
  ...(sent.lastTransitionTime ? { lastTransitionTime: sent.lastTransitionTime } : {}),
})

/** A new certificate has to be one or more PEM `CERTIFICATE` blocks; text around them is accepted. */
const pemErrors = (before: RequestStatus, after: RequestStatus): ReadonlyArray<FieldError> => {
  if (after.certificate === before.certificate || after.certificate === '') return []
  const blocks =
    Buffer.from(after.certificate, 'base64')
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  const bad = (detail: string): ReadonlyArray<FieldError> => [
    {
      field: 'status.certificate',
      reason: 'FieldValueInvalid',
      message: `Invalid value: "<certificate data>": ${detail}`,
    },
  ]
  if (blocks.length === 0) return bad('must contain at least one CERTIFICATE PEM block')
  const unreadable = blocks.some((block) =>
    E.isLeft(
      E.tryCatch(
        () => new X509Certificate(block),
        () => undefined,
      ),
    ),
  )
  return unreadable ? bad('x509: malformed certificate') : []
}

/** For these objects a strategic merge differs from RFC 7386 only in lists of conditions, which nobody patches. */
const mergePatches = ['application/merge-patch+json', 'application/strategic-merge-patch+json']

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7386, as deep as what is patched: below that a patch cannot change anything that is kept. */
const merged = (target: unknown, patch: unknown, depth = 8): unknown => {
  if (!isObject(patch) || depth === 0) return patch
  const before: Json = isObject(target) ? target : {}
  const after = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, merged(before[key], value, depth - 1)] as const)
  const untouched = Object.entries(before).filter(([key]) => !Object.hasOwn(patch, key))
  return Object.fromEntries([...untouched, ...after])
}
