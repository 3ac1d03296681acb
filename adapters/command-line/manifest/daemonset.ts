/** A DaemonSet: the certificate of every node, in the node's own directories, as a kubelet would keep it. */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { stringify } from 'yaml'
import { type UsageError, usageError } from '../flags.js'
import { container, containerName, type Image, type Mount, volumeName, yamlStyle } from './container.js'
import { isInside, outermost, type Service } from './service.js'

export const daemonSet = (
  service: Service,
  image: Image,
  namespace: string,
): E.Either<UsageError, string> => {
  const { flags, options, reads, writes } = service
  if (flags['hostname-override'] !== undefined)
    return E.left(
      usageError(
        '--hostname-override would be the same on every node',
        'leave it out: a DaemonSet takes the name of the node',
      ),
    )
  // A file that is mounted alone would stay what it is when it is replaced: so its directory is.
  const readOnly = outermost(reads.map((file) => dirname(file))).filter(
    (directory) => !writes.some((other) => isInside(directory, other)),
  )
  const mounts: ReadonlyArray<Mount> = [
    ...writes.map((mountPath) => ({ name: volumeName(mountPath), mountPath, readOnly: false })),
    ...readOnly.map((mountPath) => ({ name: volumeName(mountPath), mountPath, readOnly: true })),
  ]
  const ofNode = {
    args: ['--hostname-override=$(NODE_NAME)'],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
  }
  const labels = { 'app.kubernetes.io/name': containerName }
  return E.right(
    stringify(
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: containerName, namespace, labels },
        spec: {
          selector: { matchLabels: labels },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
          template: {
            metadata: { labels },
            spec: {
              priorityClassName: 'system-node-critical',
              nodeSelector: { 'kubernetes.io/os': 'linux' },
              tolerations: [{ operator: 'Exists' }],
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              // As the node resolves the name of the API server.
              dnsPolicy: 'Default',
              terminationGracePeriodSeconds: 20,
              containers: [
                options.nodeName === undefined
                  ? container(service, image, mounts)
                  : container(service, image, mounts, ofNode),
              ],
              volumes: mounts.map(({ name, mountPath, readOnly: isRead }) => ({
                name,
                hostPath: { path: mountPath, type: isRead ? 'Directory' : 'DirectoryOrCreate' },
              })),
            },
          },
        },
      },
      yamlStyle,
    ),
  )
}
