#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Flags, UsageError } from './flags.js'

/** A command: its flags for the help, and how to carry it out; loaded when it is called. */
interface Command {
  readonly summary: string
  readonly load: () => Promise<{
    readonly flags: Flags<string>
    readonly run: (args: ReadonlyArray<string>, signal: AbortSignal) => Promise<E.Either<UsageError, number>>
  }>
}

const command = <Request>(
  flags: Flags<string>,
  read: (args: ReadonlyArray<string>) => E.Either<UsageError, Request>,
  run: (request: Request, signal: AbortSignal) => Promise<number>,
) => ({
  flags,
  run: async (args: ReadonlyArray<string>, signal: AbortSignal) => {
    const request = read(args)
    return E.isLeft(request) ? request : E.right(await run(request.right, signal))
  },
})

const commands: Readonly<Record<string, Command>> = {
  run: {
    summary: 'keep a certificate alive, with the flags of a kubelet',
    load: async () => {
      const { readRun, run, runFlags } = await import('./run.js')
      return command(runFlags, readRun, run)
    },
  },
  status: {
    summary: 'show what is in a certificate directory',
    load: async () => {
      const { readStatus, status, statusFlags } = await import('./status.js')
      return command(statusFlags, readStatus, status)
    },
  },
  'control-plane': {
    summary: 'a CertificateSigningRequest API on loopback, with approver and signer',
    load: async () => {
      const { controlPlane, controlPlaneFlags, readControlPlane } = await import('./control-plane.js')
      return command(controlPlaneFlags, readControlPlane, controlPlane)
    },
  },
  demo: {
    summary: 'a control plane and an agent: a certificate is bootstrapped and renewed twice',
    load: async () => {
      const { demo, demoFlags, readDemo } = await import('./demo.js')
      return command(demoFlags, readDemo, demo)
    },
  },
}

const usage = (): string =>
  [
    'usage: kube-cert-rotation COMMAND [FLAGS]',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`),
    '',
    'kube-cert-rotation COMMAND --help lists the flags of a command.',
  ].join('\n')

const usageOf = (name: string, summary: string, flags: Flags<string>): string =>
  [
    `usage: kube-cert-rotation ${name} [FLAGS]`,
    summary,
    '',
    ...Object.entries(flags).map(([flag, { value, help, short }]) => {
      const form = `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : `=${value}`}`
      return `  ${form.padEnd(52)} ${help}`
    }),
  ].join('\n')

const version = (): string => {
  const document: unknown = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  return typeof document === 'object' && document !== null && 'version' in document
    ? String(document.version)
    : ''
}

const complain = (message: string, hint: string): number => {
  process.stderr.write(`kube-cert-rotation: ${message}; ${hint}\n`)
  return 2
}

const main = async ([name = '', ...args]: ReadonlyArray<string>): Promise<number> => {
  if (['--help', '-h', 'help', ''].includes(name)) {
    const text = `${usage()}\n`
    if (name !== '') process.stdout.write(text)
    else process.stderr.write(text)
    return name === '' ? 2 : 0
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  const chosen = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (chosen === undefined)
    return complain(`there is no command ${name}`, `the commands are ${Object.keys(commands).join(', ')}`)
  const { flags, run } = await chosen.load()
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usageOf(name, chosen.summary, flags)}\n`)
    return 0
  }
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const outcome = await run(args, stopping.signal)
  return E.isLeft(outcome) ? complain(outcome.left.message, outcome.left.hint) : outcome.right
}

process.exitCode = await main(process.argv.slice(2))
