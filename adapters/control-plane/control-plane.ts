/** Puts the parts together: authority, storage, API over HTTPS, controllers, files. */
import { X509Certificate } from 'node:crypto'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Binding, type DeclaredNode, defaultBindings } from '../../src/control-plane/index.js'
import { secret } from '../../src/model/secret.js'
import { day, hour, instant } from '../../src/model/time.js'
import { ok, steps } from '../../src/steps.js'
import {
  aFunction,
  being,
  type Checks,
  filled,
  interval,
  listOf,
  oneOf,
  path,
  record,
  text,
  whole,
  yesOrNo,
} from '../platform/options.js'
import { controllerManager, servingApprover } from './approving.js'
import type { Trust } from './authentication.js'
import { startControllers } from './controllers.js'
import { adminKubeconfig, bootstrapKubeconfig, newBootstrapToken } from './credentials.js'
import { restored, saved } from './data-directory.js'
import type { ControlPlaneError } from './error.js'
import { freshAuthority, type Identity, identityOf } from './identity.js'
import { listen, stopListening } from './listening.js'
import type { Manager } from './manager.js'
import { nodesApi } from './nodes.js'
import { requestReader } from './request-reader.js'
import { requestsApi } from './requests.js'
import { route } from './router.js'
import { apiServer, tlsOptions } from './server.js'
import { rendered } from './signing-request.js'
import { memoryStorage } from './storage.js'
import type { ControlPlane, ControlPlaneOptions } from './types.js'

const node: Checks<DeclaredNode> = { name: filled, addresses: listOf(text) }

const binding: Checks<Binding> = {
  role: text,
  subject: text,
  rules: being('everything, or a list of rules', (value) => value === 'everything' || Array.isArray(value)),
}

const fields: Checks<ControlPlaneOptions> = {
  port: whole(0),
  hostname: filled,
  dataDir: path,
  clusterSigningDuration: interval,
  nodes: listOf(record(node, ['name', 'addresses'])),
  serviceAddresses: listOf(text),
  autoApprove: yesOrNo,
  approver: aFunction,
  authorityLifetime: interval,
  flavour: oneOf('1.20', '1.22'),
  bindings: listOf(record(binding, ['role', 'subject', 'rules'])),
  tokens: aFunction,
  now: aFunction,
  onEvent: aFunction,
}

/**
 * Starts a CertificateSigningRequest API on 127.0.0.1 over HTTPS, with the approver, signers and cleaner of a
 * controller manager. Fails when it cannot listen, or when the data directory cannot be used.
 */
export const startControlPlane = (
  options: ControlPlaneOptions = {},
): TE.TaskEither<ControlPlaneError, ControlPlane> =>
  steps(async function* () {
    const problem = record(fields)(options, '')
    if (problem !== undefined) return yield* ok(TE.left(problem))
    const {
      hostname = '127.0.0.1',
      dataDir,
      authorityLifetime = 3_650 * day,
      bindings = defaultBindings,
      tokens = () => [],
      now = () => instant(Date.now()),
      onEvent = () => {},
    } = options

    const kept = yield* ok(restored(dataDir))
    const authority = kept.authority ?? (yield* ok(freshAuthority(now(), authorityLifetime)))
    const first = yield* ok(identityOf(authority, hostname, now()))
    const token = kept.token ?? newBootstrapToken()
    const bootstrapToken = secret(token)

    const state: { identity: Identity; trust: Omit<Trust, 'tokens'> } = {
      identity: first,
      trust: { authorities: [new X509Certificate(first.authority.pem)], bootstrapToken },
    }

    const storage = memoryStorage(now())
    const read = requestReader()
    const requests = requestsApi(storage, read, now)
    const nodes = nodesApi(options.nodes ?? [], now)
    const reserved = [hostname, '127.0.0.1', '::1', ...(options.serviceAddresses ?? ['10.96.0.0/12'])]
    const trustedPems = (): ReadonlyArray<string> => state.trust.authorities.map((one) => one.toString())
    const { server, endStreams } = apiServer(tlsOptions(state.identity.serving, trustedPems()), {
      route: route({ requests, nodes, bindings, now }),
      bindings,
      trust: () => ({ ...state.trust, tokens: tokens() }),
      now,
      tell: onEvent,
    })
    const port = yield* ok(listen(server, options.port ?? 0))
    const url = `https://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`

    const adminText = (): string => adminKubeconfig(url, state.identity.authority.pem, state.identity.admin)
    const bootstrapText = (): string => bootstrapKubeconfig(url, state.identity.authority.pem, token)
    const save = (): TE.TaskEither<ControlPlaneError, void> =>
      dataDir === undefined
        ? TE.right(undefined)
        : saved(dataDir, state.identity.authority, token, adminText(), bootstrapText())

    yield* ok(
      pipe(
        save(),
        TE.orElseFirstTaskK(() => stopListening(server)),
      ),
    )

    const manager: Manager = {
      storage,
      read,
      now,
      tell: onEvent,
      bindings,
      authority: () => state.identity.authority,
      signingDuration: options.clusterSigningDuration ?? 8_760 * hour,
      flavour: options.flavour ?? '1.22',
    }
    const { approver, autoApprove = true } = options
    const controllers = startControllers(
      manager,
      [
        ...(approver === undefined ? [] : [approver]),
        servingApprover(() => ({ nodes: nodes.current(), reserved })),
        ...(autoApprove || approver === undefined ? [controllerManager(manager)] : []),
      ],
      autoApprove || approver !== undefined,
    )

    return {
      url,
      port,
      authority: () => state.identity.authority.pem,
      adminKubeconfig: adminText,
      bootstrapKubeconfig: bootstrapText,
      bootstrapToken,
      requests: () => storage.list().map(rendered),
      approval: controllers.approval,
      signing: controllers.signing,
      declareNodes: (declared) => {
        nodes.declare(declared)
        controllers.lookAgain()
      },
      clean: controllers.clean,
      compact: storage.compact,
      replaceAuthority: ({ keepOld }) =>
        steps(async function* () {
          const fresh = yield* ok(freshAuthority(now(), authorityLifetime))
          const identity = yield* ok(identityOf(fresh, hostname, now()))
          const old = keepOld ? state.trust.authorities : []
          state.identity = identity
          state.trust = { authorities: [new X509Certificate(fresh.pem), ...old], bootstrapToken }
          server.setSecureContext(tlsOptions(identity.serving, trustedPems()))
          yield* ok(save())
        }),
      close: async () => {
        controllers.stop()
        endStreams()
        await stopListening(server)()
      },
    }
  })
