/** What clients send, decoded: JSON or protobuf, into the fields that are looked at here. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { problemOf } from '../../src/model/codec.js'
import { okSync, stepsSync } from '../../src/steps.js'
import { decodeProtobuf } from './protobuf.js'
import * as status from './status.js'

/** Go's JSON takes `null` for a field that is not there. */
const maybe = <C extends t.Mixed>(codec: C) => t.union([codec, t.null, t.undefined])

const text = maybe(t.string)
const texts = maybe(t.record(t.string, t.string))
const base64 = t.refinement(
  t.string,
  (value) => /^[A-Za-z0-9+/]*={0,2}$/.test(value.replace(/[\r\n]/g, '')),
  'Base64',
)

export const ObjectMeta = t.partial({
  name: text,
  generateName: text,
  uid: text,
  resourceVersion: text,
  labels: texts,
  annotations: texts,
})

export const Condition = t.partial({
  type: text,
  status: text,
  reason: text,
  message: text,
  lastUpdateTime: text,
  lastTransitionTime: text,
})

export const IncomingRequest = t.partial({
  metadata: maybe(ObjectMeta),
  spec: maybe(
    t.partial({
      request: maybe(base64),
      signerName: text,
      usages: maybe(t.readonlyArray(t.string)),
      expirationSeconds: maybe(t.Int),
    }),
  ),
  status: maybe(t.partial({ conditions: maybe(t.readonlyArray(Condition)), certificate: maybe(base64) })),
})
export type IncomingRequest = t.TypeOf<typeof IncomingRequest>

export const IncomingAccessReview = t.partial({
  spec: maybe(
    t.partial({
      resourceAttributes: maybe(t.partial({ verb: text, group: text, resource: text, subresource: text })),
      nonResourceAttributes: maybe(t.partial({ path: text, verb: text })),
    }),
  ),
})

export const DeleteOptions = t.partial({
  preconditions: maybe(t.partial({ uid: text, resourceVersion: text })),
})

const TypeMeta = t.partial({ apiVersion: text, kind: text })

export interface Body {
  /** Without parameters, in lower case. */
  readonly contentType: string
  readonly bytes: Buffer
}

const json = 'application/json'
const protobuf = 'application/vnd.kubernetes.protobuf'

/** An empty body is an empty object. */
const parsed = ({ contentType, bytes }: Body): E.Either<status.Status, unknown> => {
  if (bytes.length === 0) return E.right({})
  if (contentType === protobuf) {
    return pipe(
      decodeProtobuf(bytes),
      E.mapLeft((why) => status.badRequest(`the protobuf body cannot be read: ${why}`)),
    )
  }
  if (contentType !== json && contentType !== '') return E.left(status.unsupportedMediaType([json, protobuf]))
  return parsedJson(bytes)
}

/** Parses JSON; left: it is none. */
export const parsedJson = (bytes: Buffer): E.Either<status.Status, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(bytes.toString('utf8')),
    () => status.badRequest('the body of the request is not JSON'),
  )

/** Decodes a value; left: 400, and which field does not fit. */
export const decoded = <A>(kind: string, codec: t.Decoder<unknown, A>, value: unknown) =>
  pipe(
    codec.decode(value),
    E.mapLeft((errors) => {
      const { where, what } = problemOf(errors)
      return status.badRequest(`this is no ${kind}: ${where === '' ? 'it' : where} ${what}`)
    }),
  )

/** Decodes a body as an object of the kind and version; the body may leave both out. */
export const decodedBody = <A>(
  expected: { readonly apiVersion?: string; readonly kind: string },
  codec: t.Decoder<unknown, A>,
  body: Body,
): E.Either<status.Status, A> =>
  stepsSync(function* () {
    const value = yield* okSync(parsed(body))
    const { apiVersion, kind } = yield* okSync(decoded(expected.kind, TypeMeta, value))
    const fits = (sent: string | null | undefined, wanted: string | undefined): boolean =>
      (sent ?? '') === '' || wanted === undefined || sent === wanted
    if (!fits(kind, expected.kind) || !fits(apiVersion, expected.apiVersion)) {
      const wanted = `${expected.kind} ${expected.apiVersion ?? ''}`.trimEnd()
      const problem = `the object provided is unrecognized: ${wanted} was expected here`
      return yield* okSync(E.left(status.badRequest(problem)))
    }
    return yield* okSync(decoded(expected.kind, codec, value))
  })
