/** What `kubectl get csr` prints: pkg/printers/internalversion/printers.go. */
import { day, hour, type Instant, type Milliseconds, minute, second } from '../../src/model/time.js'
import { has, rendered, renderedMetadata, type SigningRequest } from './signing-request.js'

const column = (name: string, description: string, format = '') => ({
  name,
  type: 'string',
  format,
  description,
  priority: 0,
})

const columnDefinitions = [
  column('Name', 'Name is unique among all certificate signing requests.', 'name'),
  column('Age', 'The time since the request was created.'),
  column('SignerName', 'signerName says who is asked to sign.'),
  column('Requestor', 'The user who created the request.'),
  column('RequestedDuration', 'expirationSeconds: the lifetime asked for.'),
  column('Condition', 'How far the request has come.'),
]

const year = 365 * day

interface Step {
  /** From this duration on. */
  readonly from: Milliseconds
  readonly unit: readonly [string, Milliseconds]
  /** Told beside the unit when it is not zero. */
  readonly smaller?: readonly [string, Milliseconds]
}

const steps: ReadonlyArray<Step> = [
  { from: 8 * year, unit: ['y', year] },
  { from: 2 * year, unit: ['y', year], smaller: ['d', day] },
  { from: 8 * day, unit: ['d', day] },
  { from: 2 * day, unit: ['d', day], smaller: ['h', hour] },
  { from: 8 * hour, unit: ['h', hour] },
  { from: 3 * hour, unit: ['h', hour], smaller: ['m', minute] },
  { from: 10 * minute, unit: ['m', minute] },
  { from: 2 * minute, unit: ['m', minute], smaller: ['s', second] },
]

/** A duration as kubectl's columns have it: `59s`, `4m30s`, `24h`, `90d` (apimachinery/pkg/util/duration). */
export const humanDuration = (duration: Milliseconds): string => {
  if (duration <= -2 * second) return '<invalid>'
  const step = steps.find(({ from }) => duration >= from)
  if (step === undefined) return `${Math.max(0, Math.trunc(duration / second))}s`
  const {
    unit: [name, length],
    smaller: [smallerName, smallerLength] = ['', length],
  } = step
  const rest = Math.floor((duration % length) / smallerLength)
  return `${Math.floor(duration / length)}${name}${rest === 0 ? '' : `${rest}${smallerName}`}`
}

/** `Pending`, `Approved,Issued`, `Denied` and so on. */
export const conditionSummary = (request: SigningRequest): string =>
  [
    has(request, 'Denied') ? 'Denied' : has(request, 'Approved') ? 'Approved' : 'Pending',
    ...(has(request, 'Failed') ? ['Failed'] : []),
    ...(request.status.certificate === '' ? [] : ['Issued']),
  ].join(',')

/** How the client wants its rows: the table's version, and what goes with each row. */
export interface TableOptions {
  readonly version: 'v1' | 'v1beta1'
  readonly includeObject: 'None' | 'Metadata' | 'Object'
}

const row = (request: SigningRequest, now: Instant, options: TableOptions) => ({
  cells: [
    request.metadata.name,
    humanDuration(now - Date.parse(request.metadata.creationTimestamp)),
    request.spec.signerName,
    request.spec.username,
    request.spec.expirationSeconds === undefined
      ? '<none>'
      : humanDuration(request.spec.expirationSeconds * second),
    conditionSummary(request),
  ],
  object:
    options.includeObject === 'None'
      ? null
      : options.includeObject === 'Object'
        ? rendered(request)
        : {
            kind: 'PartialObjectMetadata',
            apiVersion: `meta.k8s.io/${options.version}`,
            metadata: renderedMetadata(request),
          },
})

/** A table of requests; in a watch only the first one says what its columns are. */
export const table = (
  requests: ReadonlyArray<SigningRequest>,
  resourceVersion: string,
  now: Instant,
  options: TableOptions,
  withColumns = true,
) => ({
  kind: 'Table',
  apiVersion: `meta.k8s.io/${options.version}`,
  metadata: { resourceVersion },
  columnDefinitions: withColumns ? columnDefinitions : null,
  rows: requests.map((request) => row(request, now, options)),
})
