import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../helper/index.js'
import { type ApiClient, answers, type Credential, createApiClient } from './api-client.js'
import { type Assets, type KubernetesVersion, resolveAssets } from './assets.js'
import { type AuditedRequest, auditLogEnd, readAuditLog } from './audit.js'
import { type Component, createComponent } from './component.js'
import {
  apiServerFlags,
  type ClusterOptions,
  controllerManagerFlags,
  etcdFlags,
  type Layout,
} from './flags.js'
import { type BootstrapTokenOptions, bindBootstrapRoles, createBootstrapToken } from './kubeadm.js'
import { writeKubeconfig } from './kubeconfig.js'
import { createKubectl, type Kubectl } from './kubectl.js'
import { createMaterial } from './material.js'
import type { Authority, CertificateSpec } from './pki.js'
import { createWorkplace, freePort } from './workplace.js'

/** A control plane on loopback: etcd, kube-apiserver, kube-controller-manager; no nodes. */
export interface Cluster {
  readonly assets: Assets
  readonly version: KubernetesVersion
  /** `https://127.0.0.1:PORT`, the same for as long as the cluster lives. */
  readonly url: string
  /** The CA of the API server's own certificate, PEM, until {@link Cluster.replaceAuthorities}. */
  readonly ca: string
  /** Files that belong to this cluster and go when it does. */
  readonly folder: string
  readonly etcd: Component
  readonly apiServer: Component
  readonly controllerManager: Component
  /** A member of `system:masters`, whose certificate outlives a change of the client CA. */
  readonly admin: ApiClient
  readonly adminKubeconfig: string
  readonly client: (credential: Credential) => ApiClient
  /** Runs kubectl, as the administrator unless told otherwise; never rejects for its exit code. */
  readonly kubectl: Kubectl
  /** Creates a bootstrap token and waits until the API server knows it. */
  readonly createBootstrapToken: (options?: BootstrapTokenOptions) => Promise<string>
  /** Writes a kubeconfig for a credential and answers its path. */
  readonly writeKubeconfig: (name: string, credential: Credential) => Promise<string>
  /** Changes options and restarts the component they concern, if it runs. */
  readonly reconfigure: (options: Partial<ClusterOptions>) => Promise<void>
  /** What signs the clients' certificates now. */
  readonly clientAuthority: () => Authority
  /** Makes a new CA for clients' certificates, of the same name; those of the old one are refused from then on. */
  readonly replaceClientAuthority: (spec?: Partial<CertificateSpec>) => Promise<void>
  /** Makes a new CA for clients' certificates and one for the API server's: as where a cluster has a new CA for all. */
  readonly replaceAuthorities: () => Promise<void>
  /** Makes the cluster forget everything, tokens included; the roles are bound again. */
  readonly wipeEtcd: () => Promise<void>
  /** All requests so far, over all restarts, the earliest first. */
  readonly auditLog: () => Promise<readonly AuditedRequest[]>
  /** Ends all components. The end of the process does so too, and removes the files. */
  readonly stop: () => Promise<void>
}

const DEFAULTS: ClusterOptions = { clusterSigningDuration: '8760h', certificatesV1: true }

/** Boots a cluster on free loopback ports and waits until it is ready. */
export const bootCluster = async (options: Partial<ClusterOptions> = {}): Promise<Cluster> => {
  const assets = await resolveAssets()
  const { version } = assets
  const workplace = await createWorkplace()
  const { folder } = workplace
  const ports = {
    etcd: await freePort(),
    peer: await freePort(),
    api: await freePort(),
    manager: await freePort(),
  }
  const layout: Layout = {
    ports,
    path: (name) => join(folder, name),
    auditLog: join(workplace.logs, 'audit.log'),
  }
  const url = `https://127.0.0.1:${ports.api}`
  let current: ClusterOptions = { ...DEFAULTS, ...options }

  const material = await createMaterial(layout.path)
  const { ca, everyCa, server, administrator } = material

  const kubeconfig = async (
    name: string,
    credential: Credential,
    trusted = material.serverAuthority(),
  ): Promise<string> => {
    const file = layout.path(`${name}.kubeconfig`)
    await writeKubeconfig(file, { url, ca: trusted, credential })
    return file
  }
  const adminKubeconfig = await kubeconfig('admin', administrator, everyCa)
  await kubeconfig('controller-manager', material.controllerManager, everyCa)

  const client = (credential: Credential): ApiClient => createApiClient(url, everyCa, credential)
  const admin = client(administrator)
  const at = (port: number, credential: Credential): ApiClient =>
    createApiClient(`https://127.0.0.1:${port}`, ca, credential)

  const etcd = createComponent(
    {
      name: 'etcd',
      program: assets.etcd,
      flags: () => etcdFlags(layout),
      ready: () => answers(at(ports.etcd, server), '/health'),
    },
    workplace,
  )
  const apiServer = createComponent(
    {
      name: 'kube-apiserver',
      program: assets.kubeApiserver,
      flags: () => apiServerFlags(layout, current),
      ready: () => answers(admin, '/readyz'),
    },
    workplace,
  )
  // It answers /healthz before it has begun, and if the API server goes away just then it gives up for good.
  let auditLogAtStart = 0
  const controllersWatch = async (): Promise<boolean> =>
    (await readAuditLog(layout.auditLog, auditLogAtStart)).some(
      ({ userAgent, verb, resource }) =>
        userAgent.startsWith('kube-controller-manager') &&
        verb === 'watch' &&
        resource === 'certificatesigningrequests',
    )
  const controllerManager = createComponent(
    {
      name: 'kube-controller-manager',
      program: assets.kubeControllerManager,
      flags: () => controllerManagerFlags(layout, current, version),
      prepare: async () => {
        auditLogAtStart = await auditLogEnd(layout.auditLog)
      },
      // Without v1 its controllers never get to work.
      ready: async () =>
        (await answers(at(ports.manager, 'anonymous'), '/healthz')) &&
        (!current.certificatesV1 || (await controllersWatch())),
    },
    workplace,
  )

  const stopAll = async (): Promise<readonly Component[]> => {
    const stopped = [etcd, apiServer, controllerManager].filter((component) => component.running())
    await Promise.all(stopped.map((component) => component.stop('SIGKILL')))
    return stopped
  }

  const restart = async (component: Component): Promise<void> => {
    if (!component.running()) return
    await component.stop('SIGKILL')
    await component.start()
  }

  await etcd.start()
  await apiServer.start()
  await bindBootstrapRoles(admin)
  await controllerManager.start()

  return {
    assets,
    version,
    url,
    ca,
    folder,
    etcd,
    apiServer,
    controllerManager,
    admin,
    adminKubeconfig,
    client,
    writeKubeconfig: (name, credential) => kubeconfig(name, credential),
    kubectl: createKubectl(assets.kubectl, layout.path('home'), adminKubeconfig),
    createBootstrapToken: async (tokenOptions) => {
      const token = await createBootstrapToken(admin, tokenOptions)
      const bearer = client({ token })
      await eventually('the API server knows the new bootstrap token', () => answers(bearer, '/apis'))
      return token
    },
    reconfigure: async (changes) => {
      const before = current
      current = { ...current, ...changes }
      if (before.certificatesV1 !== current.certificatesV1) await restart(apiServer)
      if (before.clusterSigningDuration !== current.clusterSigningDuration) await restart(controllerManager)
    },
    clientAuthority: material.clientAuthority,
    replaceClientAuthority: async (spec) => {
      await material.replaceClientAuthority(spec)
      await restart(apiServer)
      await restart(controllerManager)
    },
    replaceAuthorities: async () => {
      await material.replaceServerAuthority()
      await material.replaceClientAuthority()
      await restart(apiServer)
      await restart(controllerManager)
    },
    wipeEtcd: async () => {
      const stopped = await stopAll()
      await rm(layout.path('etcd'), { recursive: true, force: true })
      for (const component of stopped) {
        await component.start()
        if (component === apiServer) await bindBootstrapRoles(admin)
      }
    },
    auditLog: () => readAuditLog(layout.auditLog),
    stop: async () => {
      await stopAll()
    },
  }
}
