/** `certificatesigningrequests`: create, get, list, watch, update, patch, delete, and the two subresources. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  admissionRefusal,
  creationErrors,
  type Subresource,
  updateErrors,
} from '../../src/control-plane/index.js'
import { type Instant, rfc3339, wholeSecond } from '../../src/model/time.js'
import { okSync } from '../../src/steps.js'
import { type Call, created, failed, ok, type Reply, replying } from './call.js'
import { changedMetadata, changedStatus, pemErrors, staleness } from './changing.js'
import { newContent } from './creation.js'
import { DeleteOptions, decoded, decodedBody, IncomingRequest, parsedJson } from './incoming.js'
import { merged, mergePatches } from './merge-patch.js'
import type { RequestReader } from './request-reader.js'
import { selected } from './selectors.js'
import { apiVersion, kind, rendered, type SigningRequest } from './signing-request.js'
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
    const content = newContent(incoming.right, call.caller, now())
    const { metadata, spec } = content
    const { name } = metadata
    const request = await read(spec)()
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
    list: (call) =>
      replying(function* () {
        const chosen = yield* okSync(selected(call.query))
        const items = storage.list().filter(chosen)
        const resourceVersion = String(storage.version())
        return ok(
          call.table === undefined
            ? { kind: `${kind}List`, apiVersion, metadata: { resourceVersion }, items: items.map(rendered) }
            : table(items, resourceVersion, now(), call.table),
        )
      }),
    watch: (call) =>
      replying(function* () {
        return watch(storage, now, call, yield* okSync(selected(call.query)))
      }),
    update: (call, name, subresource) =>
      found(name, (current) =>
        replying(function* () {
          const incoming = yield* okSync(decodedBody({ apiVersion, kind }, IncomingRequest, call.body))
          const named = incoming.metadata?.name ?? ''
          return named === name
            ? replace(call, current, incoming, subresource)
            : failed(
                status.badRequest(
                  `the name of the object (${named}) does not match the name on the URL (${name})`,
                ),
              )
        }),
      ),
    patch: (call, name, subresource) =>
      found(name, (current) =>
        replying(function* () {
          if (!mergePatches.includes(call.body.contentType))
            return failed(status.unsupportedMediaType(mergePatches))
          const patch = yield* okSync(parsedJson(call.body.bytes))
          const incoming = yield* okSync(decoded(kind, IncomingRequest, merged(rendered(current), patch)))
          return replace(call, current, incoming, subresource)
        }),
      ),
    delete: (call, name) =>
      found(name, (current) =>
        replying(function* () {
          const options = yield* okSync(decodedBody({ kind: 'DeleteOptions' }, DeleteOptions, call.body))
          const { uid, resourceVersion } = options.preconditions ?? {}
          const stale = staleness(current, { metadata: { uid, resourceVersion } })
          if (stale !== undefined) return failed(status.conflict(name, stale))
          storage.delete(current)
          return ok(status.deleted(name, current.metadata.uid))
        }),
      ),
  }
}
