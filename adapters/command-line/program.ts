import { didYouMean } from '../platform/nearest.js'
import type { Command, Signals } from './command.js'

/** What each command is for, and where it is: loaded when it is called. */
const commands: Readonly<Record<string, readonly [summary: string, load: () => Promise<Command>]>> = {
  run: [
    'keep a certificate alive, with the flags of a kubelet',
    async () => (await import('./run.js')).runCommand,
  ],
  status: [
    'show what is in a certificate directory',
    async () => (await import('./status.js')).statusCommand,
  ],
  explain: [
    'say why it is in its state, what happens next and what you can do',
    async () => (await import('./explain.js')).explainCommand,
  ],
  rotate: [
    'tell the agent of a certificate directory to renew now, and wait for it',
    async () => (await import('./steer.js')).rotateCommand,
  ],
  reload: [
    'tell the agent of a certificate directory to read everything again, as SIGHUP does',
    async () => (await import('./steer.js')).reloadCommand,
  ],
  replay: [
    'show what was decided and why, from the file of run --event-log',
    async () => (await import('./replay.js')).replayCommand,
  ],
  simulate: [
    'live through a scenario with a whole fleet in virtual time, and report what it does to the cluster',
    async () => (await import('./simulate.js')).simulateCommand,
  ],
  'control-plane': [
    'a CertificateSigningRequest API on loopback, with approver and signer',
    async () => (await import('./control-plane.js')).controlPlaneCommand,
  ],
  manifest: [
    'print what runs it under systemd or in a cluster, with the rights that it needs and no more',
    async () => (await import('./manifest/manifest.js')).manifestCommand,
  ],
  demo: [
    'a control plane and an agent: a certificate is bootstrapped and renewed twice',
    async () => (await import('./demo.js')).demoCommand,
  ],
}

/** Two columns, the first as wide as it has to be. */
const columns = (rows: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

const usage = (): string =>
  [
    'usage: kube-cert-rotation COMMAND [FLAGS]',
    '',
    ...columns(Object.entries(commands).map(([name, [summary]]) => [name, summary])),
    '',
    'kube-cert-rotation COMMAND --help lists the flags of a command.',
    '',
  ].join('\n')

const usageOf = (name: string, summary: string, { flags, files }: Command): string =>
  [
    `usage: kube-cert-rotation ${name}${files === undefined ? '' : ` ${files}`}${Object.keys(flags).length > 0 ? ' [FLAGS]' : ''}`,
    summary,
    '',
    ...columns(
      Object.entries(flags).map(([flag, { value, help, short }]) => [
        `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : `=${value}`}`,
        help,
      ]),
    ),
    '',
  ].join('\n')

/** That of package.json, which the one bundled file does not have beside it; a test compares them. */
const version = '0.1.0'

/** The program: carries out what its arguments say, and answers with the exit code. */
export const program = async (
  [name = '', ...args]: ReadonlyArray<string>,
  signals: Signals,
): Promise<number> => {
  if (name === '') {
    process.stderr.write(usage())
    return 2
  }
  if (['--help', '-h', 'help'].includes(name)) {
    process.stdout.write(usage())
    return 0
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${version}\n`)
    return 0
  }
  const chosen = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (chosen === undefined) {
    const known = Object.keys(commands)
    process.stderr.write(`kube-cert-rotation: there is no command ${name}; ${didYouMean(name, known)}\n`)
    return 2
  }
  const [summary, load] = chosen
  const command = await load()
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usageOf(name, summary, command))
    return 0
  }
  return command.run(args, signals)
}
