/** The file of `--config`: what can be in it. `config.schema.json` is made of this. */
import type * as t from 'io-ts'
import { keyAlgorithms } from '../../src/model/key-algorithm.js'
import { signerPattern } from '../../src/model/template-problems.js'
import { knownUsages } from '../../src/model/usages.js'
import {
  byName,
  described,
  exactlyOneOf,
  type Field,
  fields,
  list,
  matching,
  oneOf,
  or,
  some,
  text,
  textOr,
  yesOrNo,
} from '../platform/fields.js'
import { prefixPattern } from '../platform/prefix.js'
import { configMapPattern } from '../windows/config-map-name.js'
import { durationPattern, parseDuration } from './duration.js'
import { signalPattern } from './hooks.js'
import { levels } from './output.js'
import { modePattern, ownerPattern } from './outputs.js'
import { type RunFlag, runFlags } from './run-flags.js'
import { addressPattern } from './serving-flags.js'

const duration = matching(durationPattern, 'must be a duration, such as 90s, 10m or 8760h', (value) => {
  const read = parseDuration(value)
  return read._tag === 'Right' ? read.right : undefined
})
const notEmpty = matching(/^[^\0]+$/, 'must be text that is not empty', (value) => value)

/** A field that need not be given, with the words of the flag that says the same. */
const as = <A>(flag: RunFlag, codec: Field<A>): Field<A | undefined> =>
  described(or(codec, undefined), runFlags[flag].help)

const attributes = {
  mode: as(
    'output-mode',
    matching(
      modePattern,
      "must be octal, in quotes, with nothing for others, such as '0640'",
      (value) => value,
    ),
  ),
  owner: as(
    'output-owner',
    matching(ownerPattern, "must be UID:GID in numbers and quotes, such as '0:33'", (value) => value),
  ),
}

export const certificate = fields({
  name: described(
    matching(
      /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/,
      'must be lower-case letters, digits, dots and dashes',
      (value) => value,
    ),
    'what the log, status and other certificates of this file call it',
  ),
  bootstrapKubeconfig: as('bootstrap-kubeconfig', notEmpty),
  kubeconfig: as('kubeconfig', notEmpty),
  certDir: as('cert-dir', notEmpty),
  certPrefix: as(
    'cert-prefix',
    matching(prefixPattern, 'must begin names of files: letters, digits, dots and dashes', (value) => value),
  ),
  authenticateWith: described(
    or(notEmpty, undefined),
    'held (default), kubeconfig, or the name of another certificate of this file that it is requested with',
  ),
  clientCaFile: as('client-ca-file', notEmpty),
  outputs: described(
    list(
      exactlyOneOf(
        fields({
          dir: as('output-dir', notEmpty),
          bundle: as('output-bundle', notEmpty),
          kubeconfig: as('output-kubeconfig', notEmpty),
          ...attributes,
        }),
        'dir',
        'bundle',
        'kubeconfig',
      ),
    ),
    'where the certificate is kept too; each is one of dir, bundle and kubeconfig',
  ),
  renewalWindowFile: as('renewal-window-file', notEmpty),
  renewalWindowConfigmap: as(
    'renewal-window-configmap',
    matching(configMapPattern, 'must be NAMESPACE/NAME', (value) => value),
  ),
  nodeLabels: as('node-labels', byName(text)),
  afterRenewal: described(
    list(
      exactlyOneOf(
        fields({
          command: described(
            or(some(notEmpty, 1), undefined),
            'the program and its arguments; without a shell',
          ),
          signal: as(
            'after-renewal-signal',
            matching(
              signalPattern,
              'must be SIGNAL:FILE with the name of a signal and an absolute path, such as HUP:/run/nginx.pid',
              (value) => value,
            ),
          ),
          timeout: as('after-renewal-timeout', duration),
        }),
        'command',
        'signal',
      ),
    ),
    'what is done when a new certificate is in use; each is a command or a signal',
  ),
  rotateCertificates: described(or(yesOrNo, true), runFlags['rotate-certificates'].help),
  serverAddresses: described(
    or(
      textOr(
        matching(
          /^(node|interfaces(=[\w.:*%-]+(,[\w.:*%-]+)*)?)$/,
          'must be node, interfaces, interfaces=eth0,eth1 or a list',
          (value) => value,
        ),
        some(
          matching(addressPattern, 'must be an IP address or a DNS name', (value) => value),
          1,
        ),
      ),
      undefined,
    ),
    'makes it the serving certificate of the node, for these: node (those of the Node object), interfaces, interfaces=eth0,… or a list',
  ),
  hostnameOverride: as('hostname-override', notEmpty),
  signerName: as(
    'signer-name',
    matching(
      signerPattern,
      'must be like example.com/name: a domain with a dot, a slash, a name',
      (value) => value,
    ),
  ),
  commonName: as('common-name', notEmpty),
  organizations: as('organizations', some(notEmpty, 0)),
  dnsNames: as('dns-names', some(notEmpty, 0)),
  ipAddresses: as('ip-addresses', some(notEmpty, 0)),
  uris: as('uris', some(notEmpty, 0)),
  usages: as('usages', some(oneOf(...knownUsages), 0)),
  keyAlgorithm: as('key-algorithm', oneOf(...keyAlgorithms)),
  requestedLifetime: as('requested-lifetime', duration),
  probeInterval: as('probe-interval', duration),
  eventLog: as('event-log', notEmpty),
})

export const configuration = fields({
  apiVersion: oneOf('kube-cert-rotation/v1'),
  kind: oneOf('RotationConfiguration'),
  logFormat: described(or(oneOf('text', 'json'), 'text'), runFlags['log-format'].help),
  logLevel: described(or(oneOf(...levels), 'info'), runFlags['log-level'].help),
  metricsBindAddress: as('metrics-bind-address', notEmpty),
  featureGates: described(
    fields({
      RotateKubeletClientCertificate: or(yesOrNo, true),
      RotateKubeletServerCertificate: or(yesOrNo, true),
    }),
    'false: client certificates are not renewed, serving certificates not kept',
  ),
  certificates: described(some(certificate, 1), 'what is kept'),
})

export type Configuration = t.TypeOf<typeof configuration>
export type CertificateEntry = t.TypeOf<typeof certificate>
