/**
 * A worked example: a certificate store in a Kubernetes Secret. Each change is one PUT that names the version it is of,
 * so it is whole or has not happened, and of two writers one is told that the other was first.
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import {
  type CertificateStore,
  chainIn,
  decodeRequest,
  encodePair,
  encodeRequest,
  failure,
  instant,
  keyIn,
  rfc3339,
  type StoredPair,
  type StoreError,
  storableKey,
} from '../../../../src/index.js'

/** Asks the API server; the status and the JSON of the answer. */
export type Call = (method: string, path: string, body?: unknown) => Promise<{ status: number; json: Secret }>

interface Secret {
  readonly metadata?: { readonly resourceVersion?: string }
  readonly data?: Readonly<Record<string, string>>
}

type Data = Readonly<Record<string, string>>

export const secretStore = (call: Call, namespace: string, name: string): CertificateStore => {
  const folder = `/api/v1/namespaces/${namespace}/secrets`

  const read = async (): Promise<{ readonly data: Data; readonly version: string | undefined }> => {
    const { status, json } = await call('GET', `${folder}/${name}`)
    if (status === 404) return { data: {}, version: undefined }
    if (status !== 200) throw new Error(`it was answered ${status}`)
    const data = Object.entries(json.data ?? {}).map(([key, text]) => [
      key,
      Buffer.from(text, 'base64').toString(),
    ])
    return { data: Object.fromEntries(data), version: json.metadata?.resourceVersion }
  }

  const change = (make: (data: Data) => Data): TE.TaskEither<StoreError, void> =>
    TE.tryCatch(
      async () => {
        const { data, version } = await read()
        const body = {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name, ...(version === undefined ? {} : { resourceVersion: version }) },
          stringData: make(data),
        }
        const { status } =
          version === undefined
            ? await call('POST', folder, body)
            : await call('PUT', `${folder}/${name}`, body)
        if (status === 409) throw new Error('somebody else changed it')
        if (status > 299) throw new Error(`it was answered ${status}`)
      },
      trouble('StoreUnwritable', `changing the Secret ${namespace}/${name}`),
    )

  const without = ({ request: _, ...data }: Data): Data => data

  return {
    load: pipe(
      TE.tryCatch(read, trouble('StoreUnreadable', `reading the Secret ${namespace}/${name}`)),
      TE.map(({ data }) => ({
        pairs: ['current', 'previous'].flatMap((key) => pairIn(`${namespace}/${name}: ${key}`, data[key])),
        request: pipe(
          O.fromNullable(data['request']),
          O.chain((text) => O.fromEither(decodeRequest(text))),
        ),
        warnings: [],
      })),
    ),
    saveRequest: (saved) =>
      pipe(
        TE.fromEither(storableKey(saved.key)),
        TE.chain(() => change((data) => ({ ...data, request: encodeRequest(saved).reveal() }))),
      ),
    discardRequest: change(without),
    install: (pair) => {
      const text = `${rfc3339(pair.receivedAt)}\n${encodePair(pair).reveal()}`
      return pipe(
        TE.fromEither(storableKey(pair.key)),
        TE.chain(() =>
          change(({ current, ...data }) => ({
            ...without(data),
            current: text,
            ...(current === undefined || current === text ? {} : { previous: current }),
          })),
        ),
      )
    },
  }
}

/** The first line is when it was received. */
const pairIn = (location: string, text = ''): ReadonlyArray<StoredPair> => {
  const [pem, key] = [chainIn(text), keyIn(text)]
  const receivedAt = instant(Date.parse(text.split('\n')[0] ?? ''))
  return O.isSome(pem) && O.isSome(key) ? [{ location, pem: pem.value, key: key.value, receivedAt }] : []
}

const trouble =
  (tag: StoreError['_tag'], doing: string) =>
  (thrown: unknown): StoreError =>
    failure(
      tag,
      'soon',
      `${doing}: ${thrown instanceof Error ? thrown.message : 'it failed'}`,
      'look at the API server',
    )
