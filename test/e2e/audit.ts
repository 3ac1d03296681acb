import { readFile, stat } from 'node:fs/promises'
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

// https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event
const AuditEvent = t.intersection([
  t.type({
    auditID: t.string,
    stage: t.string,
    verb: t.string,
    requestURI: t.string,
    user: t.partial({ username: t.string, groups: t.array(t.string) }),
    requestReceivedTimestamp: t.string,
  }),
  t.partial({
    userAgent: t.string,
    objectRef: t.partial({ resource: t.string, name: t.string, subresource: t.string, apiVersion: t.string }),
    responseStatus: t.partial({ code: t.number }),
  }),
])
type AuditEvent = t.TypeOf<typeof AuditEvent>

/** One request to the API server, as its audit log has it. */
export interface AuditedRequest {
  readonly auditID: string
  /** When it came in: a UTC instant in milliseconds. */
  readonly received: number
  /** Empty when the request was refused with 401. */
  readonly username: string
  readonly groups: readonly string[]
  readonly userAgent: string
  /** `create`, `get`, `list`, `watch`, `update`, …; for what is no resource, the HTTP method in lower case. */
  readonly verb: string
  readonly uri: string
  /** With its subresource: `certificatesigningrequests/approval`. */
  readonly resource: string | undefined
  /** The HTTP status, once it is answered: for a watch, with its first event. */
  readonly code: number | undefined
}

const parse = (line: string): AuditEvent => {
  const event = AuditEvent.decode(JSON.parse(line))
  if (isRight(event)) return event.right
  throw new Error(`an unknown kind of audit event: ${line}`)
}

const merge = (before: AuditedRequest | undefined, event: AuditEvent): AuditedRequest => ({
  auditID: event.auditID,
  received: Date.parse(event.requestReceivedTimestamp),
  username: event.user.username ?? '',
  groups: event.user.groups ?? [],
  userAgent: event.userAgent ?? '',
  verb: event.verb,
  uri: event.requestURI,
  resource: [event.objectRef?.resource, event.objectRef?.subresource].filter(Boolean).join('/') || undefined,
  code: event.responseStatus?.code ?? before?.code,
})

/**
 * Reads all requests from the first line that begins at byte `offset` or after it, the earliest first. A request is there
 * as soon as it came in, before its answer.
 */
export const readAuditLog = async (file: string, offset = 0): Promise<readonly AuditedRequest[]> => {
  const requests = new Map<string, AuditedRequest>()
  const bytes = await readFile(file)
  // At `offset` a line may have been half written.
  const begin = offset === 0 ? 0 : bytes.indexOf('\n', offset - 1) + 1 || bytes.length
  // What follows the last line break is a line that is still being written.
  for (const line of bytes.subarray(begin).toString('utf8').split('\n').slice(0, -1)) {
    const event = parse(line)
    requests.set(event.auditID, merge(requests.get(event.auditID), event))
  }
  return [...requests.values()].sort((a, b) => a.received - b.received)
}

/** The length of the log in bytes: where the next request will be found. */
export const auditLogEnd = async (file: string): Promise<number> => (await stat(file)).size
