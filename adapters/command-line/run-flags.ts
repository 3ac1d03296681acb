/** The flags of `run`. `run-request.ts` reads them. */
import { certificateFlags } from './certificate-flags.js'
import { defaultCertDir } from './defaults.js'
import type { Flags } from './flags.js'
import { hookFlags } from './hooks.js'
import { outputFlags } from './outputs.js'
import { servingFlags } from './serving-flags.js'
import { windowFlags } from './window-flags.js'

export const runFlags = {
  config: {
    value: 'FILE',
    path: 'file read',
    help: 'keep the certificates of this file, YAML, in place of one by flags; read again on SIGHUP',
  },
  'bootstrap-kubeconfig': {
    value: 'FILE',
    path: 'file read',
    help: 'kubeconfig with the bootstrap token; read again at each attempt',
  },
  kubeconfig: {
    value: 'FILE',
    path: 'file written',
    help: 'kubeconfig that uses the certificate; written before the first request',
  },
  'cert-dir': {
    value: 'DIR',
    path: 'directory written',
    help: `where keys and certificates are kept (default ${defaultCertDir})`,
  },
  'cert-prefix': {
    value: 'NAME',
    help: 'what the files there begin with (default kubelet-client)',
  },
  'authenticate-with': {
    value: 'WHOSE',
    help: 'held (default), or kubeconfig: with the credential of --kubeconfig, which is only read',
  },
  'client-ca-file': {
    value: 'FILE',
    path: 'file read',
    help: 'CAs of client certificates, as the API server has them; others are not taken',
  },
  ...outputFlags,
  ...windowFlags,
  ...hookFlags,
  'rotate-certificates': {
    help: 'false: obtain a certificate when none works, never renew one that does (default true)',
  },
  ...servingFlags,
  ...certificateFlags,
  'feature-gates': {
    value: 'GATE=BOOL,…',
    help: 'RotateKubeletClientCertificate and RotateKubeletServerCertificate: =false switches it off',
  },
  'requested-lifetime': {
    value: 'DURATION',
    help: "how long certificates are to be good for, 10m or more; the signer's own limit counts too",
  },
  'probe-interval': {
    value: 'DURATION',
    help: 'how often to ask the server whether it accepts the certificate (default 10m, 0: never)',
  },
  timeout: {
    value: 'DURATION',
    help: 'with --once: give up after this long, exit 3',
  },
  once: { help: 'exit 0 as soon as a certificate for the wanted names works, and is in the outputs' },
  'log-format': { value: 'text|json', help: 'default text' },
  'log-level': {
    value: 'LEVEL',
    help: 'what is logged: error, warn and above, info and above (default), or debug: each event too',
  },
  'metrics-bind-address': {
    value: 'ADDRESS',
    help: 'serve /metrics, /livez, /readyz, /healthz at HOST:PORT; :PORT is loopback (default: nowhere)',
  },
  'event-log': {
    value: 'FILE',
    path: 'file written',
    help: 'write every event to this file, for kube-cert-rotation replay; at 1 MiB it becomes FILE.1',
  },
} satisfies Flags<string>

export type RunFlag = keyof typeof runFlags
