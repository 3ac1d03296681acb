import { request } from 'node:https'

/** What a request is authenticated with; nothing: as `system:anonymous`. */
export type Credential =
  | { readonly certificate: string; readonly key: string }
  | { readonly token: string }
  | 'anonymous'

export interface ApiResponse {
  readonly status: number
  /** The parsed JSON, or the text of what is not JSON. */
  readonly body: unknown
}

/** Sends one request to the API server, over a connection of its own; rejects when there is no answer. */
export type ApiClient = (method: string, path: string, body?: unknown) => Promise<ApiResponse>

const TIMEOUT = 10_000

/**
 * A client of the tests' own, that shares nothing with what is tested.
 * `ca`, `certificate` and `key` are PEM; they are checked against `url` anew with each request.
 */
export const createApiClient =
  (url: string, ca: string, credential: Credential): ApiClient =>
  (method, path, body) =>
    new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, url),
        {
          method,
          ca,
          agent: false,
          timeout: TIMEOUT,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': contentType(method) }),
            ...(credential !== 'anonymous' && 'token' in credential
              ? { authorization: `Bearer ${credential.token}` }
              : {}),
          },
          ...(credential !== 'anonymous' && 'certificate' in credential
            ? { cert: credential.certificate, key: credential.key }
            : {}),
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part
          })
          response.once('error', reject)
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }))
        },
      )
      sent.once('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer in ${TIMEOUT} ms`)))
      sent.once('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })

const contentType = (method: string): string =>
  method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Does `path` answer 200? No connection means no. */
export const answers = async (client: ApiClient, path: string): Promise<boolean> => {
  try {
    return (await client('GET', path)).status === 200
  } catch {
    return false
  }
}

/** Creates an object, or leaves the one of that name that is there. */
export const ensure = async (client: ApiClient, path: string, object: unknown): Promise<void> => {
  const { status, body } = await client('POST', path, object)
  if (status !== 201 && status !== 409)
    throw new Error(`POST ${path} answered ${status}: ${JSON.stringify(body)}`)
}
