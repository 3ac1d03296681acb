/**
 * A unit of systemd, hardened: `systemd-analyze security` shows what it may do (systemd.exec(5), systemd.service(5)).
 * Node compiles at run time, so `MemoryDenyWriteExecute=` is not for it.
 */
import { argumentsOf, isInside, type Service } from './service.js'

export interface Unit {
  /** How the program is started: words of a command line, the first an absolute path. */
  readonly program: ReadonlyArray<string>
  /** Who it runs as: root, as a kubelet, unless a user is named. */
  readonly user?: string
}

const name = 'kube-cert-rotation.service'

/** The text of the unit. */
export const systemdUnit = (
  { flags, reads, writes, changesOwner, sendsSignals }: Service,
  { program, user }: Unit,
): string => {
  const paths = [...program.slice(0, 2), ...reads, ...writes]
  const isUsed = (...places: ReadonlyArray<string>) =>
    places.some((place) => paths.some((path) => isInside(path, place)))
  // systemd refuses a path that is missing; `+`: before the file system is read-only.
  const made = writes.map((directory) => `ExecStartPre=+/bin/mkdir -p -m 0700 ${word(directory)}`)
  // To a process of another user; those of this one would take none of it.
  const capabilities = [...(changesOwner ? ['CAP_CHOWN'] : []), ...(sendsSignals ? ['CAP_KILL'] : [])]
  return `${[
    `# /etc/systemd/system/${name}`,
    '# It counts as started when a certificate works: systemctl enable --now --no-block does not wait for that.',
    '[Unit]',
    'Description=Kubernetes certificate, renewed before it expires',
    'Wants=network-online.target',
    'After=network-online.target',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    '# systemd-notify is a process of its own.',
    'NotifyAccess=all',
    '# Somebody may have to approve the request first.',
    'TimeoutStartSec=infinity',
    'TimeoutStopSec=20',
    ...made,
    `ExecStart=${[...program, 'run', ...argumentsOf(flags)].map(word).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'Restart=on-failure',
    'RestartSec=10',
    '# A mistake in the flags.',
    'RestartPreventExitStatus=2',
    '',
    ...(flags['after-renewal'] === undefined
      ? []
      : ['# Commands of --after-renewal have these rights and no others; a drop-in gives them more.']),
    ...(user === undefined ? [] : [`User=${specifier(user)}`]),
    `ReadWritePaths=${writes.map(item).join(' ')}`,
    'ProtectSystem=strict',
    `ProtectHome=${isUsed('/home', '/root', '/run/user') ? 'read-only' : 'yes'}`,
    `PrivateTmp=${isUsed('/tmp', '/var/tmp') ? 'no' : 'yes'}`,
    'PrivateDevices=yes',
    'DevicePolicy=closed',
    'PrivateIPC=yes',
    'PrivateMounts=yes',
    ...(capabilities.length > 0 ? [] : ['PrivateUsers=yes']),
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    ...(sendsSignals
      ? [
          '# --after-renewal-signal: to see the process of a pid file, its age and its lock, and to signal it (CAP_KILL).',
          'ProtectProc=default',
          'ProcSubset=all',
        ]
      : ['ProtectProc=invisible', 'ProcSubset=pid']),
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RemoveIPC=yes',
    'LockPersonality=yes',
    'NoNewPrivileges=yes',
    `CapabilityBoundingSet=${capabilities.join(' ')}`,
    // Without them a user that is not root would not have what is in the bounding set.
    `AmbientCapabilities=${user === undefined ? '' : capabilities.join(' ')}`,
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    ...(changesOwner ? ['SystemCallFilter=@chown'] : []),
    'SystemCallErrorNumber=EPERM',
    '# Keys do not go into core dumps.',
    'LimitCORE=0',
    'UMask=0077',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n')}\n`
}

/** `%` begins a specifier. */
const specifier = (text: string): string => text.replaceAll('%', '%%')

/** A word of a list, as systemd.syntax(7) has them quoted. */
const item = (text: string): string => {
  const escaped = specifier(text)
  return /^[\w@%+=:,./$-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll(/[\\"]/g, (character) => `\\${character}`)}"`
}

/** A word of a command line, where `$` begins a variable. */
const word = (text: string): string => item(text.replaceAll('$', () => '$$'))
