/**
 * Reads Kubernetes' protobuf bodies, those that kubectl, kubelets and approvers send here: `k8s\0`, then a
 * `runtime.Unknown` around the object (apimachinery/pkg/runtime/serializer/protobuf). The answer is the object as its
 * JSON would be parsed, bytes in base64 and times in RFC 3339; fields that are not listed are passed over.
 */
import * as E from 'fp-ts/lib/Either.js'
import { okSync, stepsSync } from '../../src/steps.js'
import {
  type Field,
  type Kind,
  kinds,
  type Message,
  mapEntry,
  timestamp,
  unknown,
} from './protobuf-messages.js'

const magic = Buffer.from('k8s\0', 'latin1')

/** A JSON object. */
type Json = Readonly<Record<string, unknown>>

/** The object in a protobuf body, with its `apiVersion` and `kind`; left: why there is none. */
export const decodeProtobuf = (body: Buffer): E.Either<string, Json> =>
  stepsSync(function* () {
    if (!body.subarray(0, magic.length).equals(magic))
      return yield* okSync(E.left('it does not begin with k8s\\0'))
    const { typeMeta, raw } = yield* okSync(decode(unknown, body.subarray(magic.length)))
    const { apiVersion, kind } = isRecord(typeMeta) ? typeMeta : {}
    const shape = typeof kind === 'string' ? kinds.get(kind) : undefined
    if (shape === undefined)
      return yield* okSync(E.left(`no object of kind ${JSON.stringify(kind ?? '')} is read here`))
    const object = yield* okSync(decode(shape, Buffer.from(typeof raw === 'string' ? raw : '', 'base64')))
    return { ...object, apiVersion, kind }
  })

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const truncated = E.left('it ends in the middle of a field')

interface Varint {
  readonly value: number
  readonly end: number
}

/** A number of up to 64 bits in two's complement, seven bits a byte, the lowest first; exact up to 2^53. */
const varint = (bytes: Buffer, from: number): Varint | undefined => {
  let value = 0n
  for (let index = from; index < Math.min(bytes.length, from + 10); index += 1) {
    const byte = bytes[index] ?? 0
    value += BigInt(byte & 127) << BigInt(7 * (index - from))
    if (byte < 128) return { value: Number(BigInt.asIntN(64, value)), end: index + 1 }
  }
  return undefined
}

/** The wire types of protobuf's encoding. */
const wire = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const

const decode = (shape: Message, bytes: Buffer): E.Either<string, Json> => {
  const object: Record<string, unknown> = {}
  let at = 0
  while (at < bytes.length) {
    const tag = varint(bytes, at)
    if (tag === undefined) return truncated
    const field = shape.get(Math.floor(tag.value / 8))
    const wireType = tag.value % 8
    const prefix =
      wireType === wire.varint || wireType === wire.lengthDelimited ? varint(bytes, tag.end) : undefined
    if (wireType === wire.varint) {
      if (prefix === undefined) return truncated
      if (field?.kind === 'integer') object[field.name] = prefix.value
      at = prefix.end
    } else if (wireType === wire.lengthDelimited) {
      if (prefix === undefined || prefix.value < 0 || prefix.end + prefix.value > bytes.length) {
        return truncated
      }
      at = prefix.end + prefix.value
      if (field === undefined || field.kind === 'integer') continue
      const value = decodeValue(field.kind, bytes.subarray(prefix.end, at))
      // As it is: a body may hold a million of them.
      if (E.isLeft(value)) return value
      put(object, field, value.right)
    } else if (wireType === wire.fixed64 || wireType === wire.fixed32) {
      at = tag.end + (wireType === wire.fixed64 ? 8 : 4)
      if (at > bytes.length) return truncated
    } else {
      return E.left(`it has a field of wire type ${wireType}`)
    }
  }
  return E.right(object)
}

const decodeValue = (kind: Exclude<Kind, 'integer'>, bytes: Buffer): E.Either<string, unknown> => {
  if (kind === 'string') return E.right(bytes.toString('utf8'))
  if (kind === 'bytes') return E.right(bytes.toString('base64'))
  if (kind === 'time') return decodeTime(bytes)
  if (kind === 'map') return decode(mapEntry, bytes)
  return decode(kind, bytes)
}

/** No bytes at all are Go's zero time: none. */
const decodeTime = (bytes: Buffer): E.Either<string, string | undefined> =>
  stepsSync(function* () {
    const { seconds } = yield* okSync(decode(timestamp, bytes))
    if (typeof seconds !== 'number') return undefined
    const date = new Date(seconds * 1000)
    if (Number.isNaN(date.getTime())) return yield* okSync(E.left('it has a time beyond all calendars'))
    return date.toISOString().replace('.000Z', 'Z')
  })

/** Adds to what is there rather than copying it: a body may hold a million entries. */
const put = (object: Record<string, unknown>, field: Field, value: unknown): void => {
  const before = object[field.name]
  if (field.kind === 'map') {
    const { key, value: entry } = isRecord(value) ? value : {}
    const map: Record<string, unknown> = isRecord(before) ? before : {}
    map[typeof key === 'string' ? key : ''] = entry ?? ''
    object[field.name] = map
  } else if (field.repeated && Array.isArray(before)) {
    before.push(value)
  } else {
    object[field.name] = field.repeated ? [value] : value
  }
}
