import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { validity } from '../../src/control-plane/validity.js'
import type { Certificate } from '../../src/model/certificate.js'
import type { CryptoError } from '../../src/model/failure.js'
import type { Condition, Draft, OutstandingRequest } from '../../src/model/request.js'
import { endOfTime, hour, type Instant, type Milliseconds } from '../../src/model/time.js'
import type { ServerLimits } from '../../src/simulator/scenario.js'
import { certificatePem, readRequest } from './format.js'

/** How the API server and the controllers behind it behave; may be changed at any time. */
export interface ApiSettings {
  /** Requests are approved as soon as they come. */
  readonly autoApprove: boolean
  /** Approved requests are signed at once. */
  readonly autoSign: boolean
  /** `--cluster-signing-duration`, ms. */
  readonly signingDuration: Milliseconds
  /** How Kubernetes signers count a lifetime: 1.20 from the backdated start, 1.22 from now if it is short. */
  readonly flavour: '1.20' | '1.22'
  /** The CA that signs, and the only one whose certificates are accepted. */
  readonly issuer: string
  /** How far the server's clock is ahead of ours, ms. */
  readonly skew: Milliseconds
  /** Whether there is a bootstrap credential. */
  readonly bootstrap: boolean
  /** What the server bears: the simulator's queue, by the clock. None: every call is answered at once. */
  readonly limits: ServerLimits | undefined
}

/** A CertificateSigningRequest as the server has it. */
export interface StoredRequest extends OutstandingRequest {
  readonly condition: Condition
}

/** What is done to a request is done to the newest if no name is given; to one that is not there is a mistake, thrown. */
export interface ApiServer {
  readonly set: (settings: Partial<ApiSettings>) => void
  /** Every request there is, the oldest first. */
  readonly requests: IO<ReadonlyArray<StoredRequest>>
  readonly approve: (name?: string) => void
  readonly deny: (reason: string, message: string, name?: string) => void
  readonly fail: (reason: string, message: string, name?: string) => void
  /**
   * Issues a certificate for an approved request; `change` makes it another one than was asked for (with a signer that
   * makes real ones, of its dates and serial number).
   */
  readonly sign: (change?: Partial<Certificate>, name?: string) => void
  /** Attaches any text as the certificate of a request. */
  readonly attach: (text: string, name?: string) => void
  readonly delete: (name?: string) => void
  /** Deletes a request and makes a new one of the same name and content, with another uid. */
  readonly recreate: (name?: string) => void
  /** Makes a request, as somebody else would. */
  readonly create: (draft: Draft) => StoredRequest
}

export interface Requests extends ApiServer {
  readonly settings: IO<ApiSettings>
  readonly find: (name: string) => StoredRequest | undefined
}

/** Signs a request, PKCS#10 in PEM; the leaf, PEM. Whole seconds, usages by their names in Kubernetes. */
export type Signer = (
  request: string,
  parameters: {
    readonly serialNumber: string
    readonly notBefore: Instant
    readonly notAfter: Instant
    readonly usages: ReadonlyArray<string>
  },
) => TaskEither<CryptoError, string>

/** The requests of an API server whose clock says `now`; `changed` is called after each change of a request. */
export const apiServer = (
  now: IO<Instant>,
  initial: Partial<ApiSettings>,
  changed: (name: string) => void,
  signer?: Signer,
): Requests => {
  let settings: ApiSettings = {
    autoApprove: true,
    autoSign: true,
    signingDuration: 8760 * hour,
    flavour: '1.22',
    issuer: 'memory',
    skew: 0,
    bootstrap: true,
    limits: undefined,
    ...initial,
  }
  const requests = new Map<string, StoredRequest>()
  let newest: string | undefined
  let version = 0
  let serial = 0

  const find = (name: string) => requests.get(name)

  const chosen = (name?: string): StoredRequest => {
    const found = find(name ?? newest ?? '')
    if (found === undefined) throw new Error(`there is no request ${name ?? 'yet'}`)
    return found
  }

  const conclude = (name: string | undefined, condition: Condition) => {
    version += 1
    const concluded = { ...chosen(name), condition, resourceVersion: `${version}` }
    requests.set(concluded.name, concluded)
    changed(concluded.name)
  }

  const create = ({ name, keyId, template, pem }: Draft): StoredRequest => {
    version += 1
    const ids = { uid: `uid-${version}`, resourceVersion: `${version}` }
    const created: StoredRequest = { name, keyId, template, pem, ...ids, condition: { _tag: 'Pending' } }
    requests.set(name, created)
    newest = name
    changed(name)
    if (settings.autoApprove) approve(name)
    return created
  }

  const remove = (name?: string): StoredRequest => {
    const removed = chosen(name)
    requests.delete(removed.name)
    if (newest === removed.name) newest = [...requests.keys()].at(-1)
    changed(removed.name)
    return removed
  }

  const expectPending = (name?: string) => {
    const { condition } = chosen(name)
    if (condition._tag !== 'Pending') throw new Error(`the request is ${condition._tag} already`)
  }

  const approve = (name?: string) => {
    expectPending(name)
    conclude(name, { _tag: 'Approved' })
    if (settings.autoSign) sign({}, name)
  }

  const attach = (text: string, name?: string) =>
    conclude(name, { _tag: 'Issued', certificate: Buffer.from(text, 'utf8').toString('base64') })

  const sign = (change: Partial<Certificate> = {}, name?: string) => {
    const { name: id, template, pem, condition } = chosen(name)
    if (condition._tag !== 'Approved') throw new Error(`a ${condition._tag} request is not signed`)
    const span = validity({
      now: now(),
      signingDuration: settings.signingDuration,
      expirationSeconds: O.fromNullable(template.expirationSeconds),
      authorityEnd: endOfTime,
      flavour: settings.flavour,
    })
    if (E.isLeft(span)) throw new Error(span.left)
    serial += 1
    const serialNumber = serial.toString(16).padStart(2, '0')
    if (signer !== undefined)
      return signForReal(signer(pem, { serialNumber, ...span.right, ...change, usages: template.usages }), id)
    const asked = readRequest(pem)
    if (O.isNone(asked)) throw new Error('only requests of the memory crypto backend can be signed')
    const signed = {
      ...asked.value,
      serialNumber,
      issuer: settings.issuer,
      ...span.right,
      extendedKeyUsages: O.some(template.usages.filter((usage) => usage.endsWith(' auth'))),
    }
    attach(certificatePem({ ...signed, ...change }), name)
  }

  const signForReal = (signature: ReturnType<Signer>, id: string) => {
    void signature().then((made) => {
      if (find(id)?.condition._tag !== 'Approved') return
      if (E.isRight(made)) attach(made.right, id)
      else conclude(id, { _tag: 'Failed', reason: 'SignerValidationFailure', message: made.left.message })
    })
  }

  return {
    settings: () => settings,
    set: (some) => {
      settings = { ...settings, ...some }
    },
    requests: () => [...requests.values()],
    find,
    create,
    approve,
    deny: (reason, message, name) => {
      expectPending(name)
      conclude(name, { _tag: 'Denied', reason, message })
    },
    fail: (reason, message, name) => conclude(name, { _tag: 'Failed', reason, message }),
    sign,
    attach,
    delete: (name) => {
      remove(name)
    },
    recreate: (name) => {
      create(remove(name))
    },
  }
}
