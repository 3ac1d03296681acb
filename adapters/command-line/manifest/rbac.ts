/**
 * The roles of RBAC that bootstrap and renewal need, approvers, a signer of your own and readers of windows: no more than what is asked for
 * (`kubectl auth can-i --list`). Those of kubelets are Kubernetes' own, bound by their names.
 */
import * as E from 'fp-ts/lib/Either.js'
import { stringify } from 'yaml'
import { kubeletClientSigner } from '../../../src/model/template.js'
import { okSync, stepsSync } from '../../../src/steps.js'
import { configMapName } from '../../windows/config-map-name.js'
import { type Given, type UsageError, usageError } from '../flags.js'
import type { Service } from './service.js'

/** Who a role is for. */
export type Subject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string }

export interface Subjects {
  /** Who asks for the first certificate, or for each where another credential asks: `--requester`. */
  readonly requester: Subject
  readonly approver?: Subject
  readonly signer?: Subject
}

interface Rule {
  readonly apiGroups: ReadonlyArray<string>
  readonly resources: ReadonlyArray<string>
  readonly resourceNames?: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
}

const group = 'certificates.k8s.io'
const requests = 'certificatesigningrequests'
const api = 'rbac.authorization.k8s.io'
const prefix = 'kube-cert-rotation'

/** Who `--requester`, `--approver` and `--signer` name. */
export const readSubjects = (given: Given<string>): E.Either<UsageError, Subjects> =>
  stepsSync(function* () {
    const { requester = 'group:system:bootstrappers', approver, signer } = given
    return {
      requester: yield* okSync(readSubject('requester', requester)),
      ...(approver === undefined ? {} : { approver: yield* okSync(readSubject('approver', approver)) }),
      ...(signer === undefined ? {} : { signer: yield* okSync(readSubject('signer', signer)) }),
    }
  })

/** `user:NAME`, `group:NAME` or `serviceaccount:NAMESPACE/NAME`. */
const readSubject = (flag: string, text: string): E.Either<UsageError, Subject> => {
  const [, kind, name = ''] = /^(user|group|serviceaccount):(.+)$/.exec(text) ?? []
  if (kind === 'user') return E.right({ kind: 'User', name })
  if (kind === 'group') return E.right({ kind: 'Group', name })
  const [namespace = '', account = '', more] = name.split('/')
  return kind === 'serviceaccount' && namespace !== '' && account !== '' && more === undefined
    ? E.right({ kind: 'ServiceAccount', namespace, name: account })
    : E.left(
        usageError(
          `--${flag}=${text} is nobody`,
          'write user:NAME, group:NAME or serviceaccount:NAMESPACE/NAME',
        ),
      )
}

/** The roles and their bindings, as YAML. */
export const rbac = ({ options, isServing }: Service, subjects: Subjects): string => {
  const template = options.template
  const isKubelet = template === undefined || template.signerName === kubeletClientSigner
  const held = isKubelet ? [nodes] : renewing(options, template.commonName)
  const documents = [
    ...(isKubelet ? ofKubelets(subjects) : ofSigner(template.signerName, subjects, held)),
    ...(isServing ? ofApprover(kubeletServingSigner, subjects.approver) : []),
    ...ofWindows(options.renewalWindows?.configMap, held),
  ]
  return documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n')
}

const nodes: Subject = { kind: 'Group', name: 'system:nodes' }
const kubeletServingSigner = 'kubernetes.io/kubelet-serving'

/** Nodes need no binding to ask for their renewal: the Node authorizer lets them. */
const ofKubelets = ({ requester }: Subjects): ReadonlyArray<object> => {
  const approved = `system:${group}:${requests}`
  return [
    binding('bootstrap', 'system:node-bootstrapper', [requester]),
    binding('approve-bootstrap', `${approved}:nodeclient`, [requester]),
    binding('approve-renewal', `${approved}:selfnodeclient`, [nodes]),
  ]
}

/** Who the certificate lets renew itself. */
const renewing = ({ policy }: Service['options'], commonName: string): ReadonlyArray<Subject> =>
  policy?.authenticateWith === 'external' ? [] : [{ kind: 'User', name: commonName }]

const ofSigner = (
  signerName: string,
  { requester, approver, signer }: Subjects,
  renewed: ReadonlyArray<Subject>,
): ReadonlyArray<object> => {
  const name = `signer:${nameOf(signerName)}`
  // The controller manager signs for the others.
  const signing = signerName.startsWith('kubernetes.io/')
    ? []
    : [role(name, deciding(signerName, 'sign', 'status')), ...bound(name, signer)]
  return [
    role('requester', [{ apiGroups: [group], resources: [requests], verbs: ['create', 'get', 'watch'] }]),
    binding('requester', `${prefix}:requester`, [requester, ...renewed]),
    ...ofApprover(signerName, approver),
    ...signing,
  ]
}

/** The controller manager approves none but those of kubelets for clients. */
const ofApprover = (signerName: string, approver: Subject | undefined): ReadonlyArray<object> => {
  const name = `approver:${nameOf(signerName)}`
  return [role(name, deciding(signerName, 'approve', 'approval')), ...bound(name, approver)]
}

const nameOf = (signerName: string): string => signerName.replaceAll('/', ':')

const deciding = (signerName: string, verb: string, subresource: string): ReadonlyArray<Rule> => [
  { apiGroups: [group], resources: [requests], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [group], resources: [`${requests}/${subresource}`], verbs: ['update'] },
  { apiGroups: [group], resources: ['signers'], resourceNames: [signerName], verbs: [verb] },
]

/** Renewal windows are read with the certificate held. */
const ofWindows = (configMap: string | undefined, readers: ReadonlyArray<Subject>): ReadonlyArray<object> => {
  const place = configMap === undefined ? undefined : configMapName(configMap)
  if (place === undefined || readers.length === 0) return []
  const { namespace, name } = place
  const metadata = { name: `${prefix}:windows`, namespace }
  return [
    {
      apiVersion: `${api}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get', 'watch'] }],
    },
    {
      apiVersion: `${api}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: api, kind: 'Role', name: metadata.name },
      subjects: readers.map(inBinding),
    },
  ]
}

const role = (name: string, rules: ReadonlyArray<Rule>): object => ({
  apiVersion: `${api}/v1`,
  kind: 'ClusterRole',
  metadata: { name: `${prefix}:${name}` },
  rules,
})

const bound = (name: string, subject: Subject | undefined): ReadonlyArray<object> =>
  subject === undefined ? [] : [binding(name, `${prefix}:${name}`, [subject])]

const binding = (name: string, roleName: string, subjects: ReadonlyArray<Subject>): object => ({
  apiVersion: `${api}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: `${prefix}:${name}` },
  roleRef: { apiGroup: api, kind: 'ClusterRole', name: roleName },
  subjects: subjects.map(inBinding),
})

const inBinding = (subject: Subject): object =>
  subject.kind === 'ServiceAccount' ? subject : { apiGroup: api, ...subject }
