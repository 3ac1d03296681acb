/**
 * A patch that puts the program beside the containers of a Deployment, StatefulSet or DaemonSet:
 * `kubectl patch deployment NAME --patch-file FILE`. What it reads is a Secret, what it writes stays in memory.
 */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { stringify } from 'yaml'
import { type UsageError, usageError } from '../flags.js'
import { container, containerName, type Image, type Mount, volumeName, yamlStyle } from './container.js'
import { isInside, outermost, type Service } from './service.js'

export const sidecar = (service: Service, image: Image): E.Either<UsageError, string> => {
  const { flags, options, reads, writes } = service
  if (options.nodeName !== undefined && flags['hostname-override'] === undefined)
    return E.left(
      usageError('it is not known whose certificate it is', 'name the node with --hostname-override=NAME'),
    )
  const readOnly = outermost(reads.map((file) => dirname(file)))
  const both = readOnly.find((directory) =>
    writes.some((other) => isInside(directory, other) || isInside(other, directory)),
  )
  if (both !== undefined)
    return E.left(
      usageError(
        `${both} is both read and written`,
        'keep what is read (a Secret) and what is written (a directory in memory) apart',
      ),
    )
  const named = (mountPath: string): string => `${containerName}-${volumeName(mountPath)}`.slice(0, 63)
  const mounts: ReadonlyArray<Mount> = [
    ...writes.map((mountPath) => ({ name: named(mountPath), mountPath, readOnly: false })),
    ...readOnly.map((mountPath) => ({ name: named(mountPath), mountPath, readOnly: true })),
  ]
  const patch = {
    spec: {
      template: {
        spec: {
          // The files belong to this group, and to this user alone (0600): who uses them runs as the same user.
          securityContext: { fsGroup: image.user },
          containers: [container(service, image, mounts)],
          volumes: mounts.map(({ name, readOnly: isRead }) =>
            isRead
              ? { name, secret: { secretName: name, defaultMode: 0o440 } }
              : { name, emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
          ),
        },
      },
    },
  }
  const secrets = readOnly.map((directory) => {
    const files = reads.filter((file) => dirname(file) === directory)
    return `#   kubectl create secret generic ${named(directory)} ${files.map((file) => `--from-file=${file}`).join(' ')}`
  })
  return E.right(
    [
      '# kubectl patch deployment NAME --patch-file FILE; before that, in its namespace:',
      ...secrets,
      '# Containers that use the certificate mount these read-only, and run as the same user:',
      ...writes.map(
        (directory) => `#   { name: ${named(directory)}, mountPath: ${directory}, readOnly: true }`,
      ),
      stringify(patch, yamlStyle),
    ].join('\n'),
  )
}
