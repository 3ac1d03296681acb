/** Watches: one JSON object a line, as apiserver/pkg/endpoints/handlers/watch.go writes them. */
import * as E from 'fp-ts/lib/Either.js'
import { type Instant, minute, second } from '../../src/model/time.js'
import type { Call, Reply } from './call.js'
import { apiVersion, kind, rendered, type SigningRequest } from './signing-request.js'
import * as status from './status.js'
import type { Change, Storage } from './storage.js'
import { table } from './table.js'

/** How long a watch lasts whose client does not say: 30 to 60 minutes; here the shorter. */
const defaultTimeout = 30 * minute
const bookmarkInterval = minute

/** Answers a watch of the requests that `selected` names. */
export const watch = (
  storage: Storage,
  now: () => Instant,
  call: Call,
  selected: (request: SigningRequest) => boolean,
): Reply => {
  const asked = call.query.get('resourceVersion') ?? ''
  if (!/^\d*$/.test(asked)) return { _tag: 'Json', ...invalidVersion(asked) }
  const timeout = Number(call.query.get('timeoutSeconds') ?? 0) * second
  const bookmarks = isTrue(call.query.get('allowWatchBookmarks'))
  const initialEvents = call.query.get('sendInitialEvents')
  const replay = initialEvents === null ? Number(asked) === 0 : isTrue(initialEvents)

  return {
    _tag: 'Stream',
    stream: (send, end) => {
      let columnsSent = false
      const shown = (request: SigningRequest): unknown => {
        if (call.table === undefined) return rendered(request)
        const rows = table([request], request.resourceVersion, now(), call.table, !columnsSent)
        columnsSent = true
        return rows
      }
      const tell = ({ type, request }: Change): void => {
        if (selected(request)) send({ type, object: shown(request) })
      }
      const bookmark = (annotations = {}): void => {
        const resourceVersion = String(storage.version())
        send({
          type: 'BOOKMARK',
          object: { kind, apiVersion, metadata: { resourceVersion, ...annotations } },
        })
      }

      const from = replay ? storage.version() : Number(asked)
      if (replay) {
        for (const request of storage.list()) tell({ type: 'ADDED', request, version: from })
        if (initialEvents !== null && bookmarks) {
          bookmark({ annotations: { 'k8s.io/initial-events-end': 'true' } })
        }
      }
      const watching = storage.watch(from, tell)
      if (E.isLeft(watching)) {
        send({ type: 'ERROR', object: status.expired(from, storage.version()) })
        end()
        return () => {}
      }
      const reminder = bookmarks ? setInterval(bookmark, bookmarkInterval) : undefined
      const timer = setTimeout(
        () => {
          if (bookmarks) bookmark()
          end()
        },
        timeout > 0 ? Math.min(timeout, 24 * 60 * minute) : defaultTimeout,
      )
      return () => {
        clearInterval(reminder)
        clearTimeout(timer)
        watching.right()
      }
    },
  }
}

const isTrue = (value: string | null): boolean => value === 'true' || value === '1'

const invalidVersion = (asked: string) => {
  const value = status.badRequest(`invalid resource version ${JSON.stringify(asked.slice(0, 50))}`)
  return { code: value.code, value }
}
