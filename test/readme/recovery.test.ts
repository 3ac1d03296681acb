/**
 * The commands of adapters/command-line/RECOVERY.md, run by sh in a folder that stands for the machine's root, with the
 * real program and a systemctl that starts and stops it.
 */
import { existsSync, readFileSync } from 'node:fs'
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { main, start } from '../adapters/command-line/program.js'
import { world } from '../adapters/node/world.js'
import { assert, eventually, suite, type TestContext } from '../helper/index.js'

const test = suite('the commands of a last resort')
const page = readFileSync(join(import.meta.dirname, '../../../adapters/command-line/RECOVERY.md'), 'utf8')

/** The blocks under a heading. */
const blocksOf = (heading: string): ReadonlyArray<string> => {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)
}

interface Machine {
  readonly root: string
  readonly pki: string
  /** Runs the blocks under a heading, or one of them; what they print. Their exit code is 0. */
  readonly follow: (heading: string, block?: number) => Promise<string>
  readonly systemctl: (...words: ReadonlyArray<string>) => Promise<string>
  readonly status: () => Promise<Report>
  /** A certificate is in use, and this is its number; the agent says so. */
  readonly running: () => Promise<string>
}

interface Report {
  readonly state: string
  readonly agent: object | null
  readonly certificate?: { readonly serialNumber: string }
}

const quoted = (text: string): string => `'${text}'`

/** A machine that is to bootstrap, at a path that a second one can have after it. */
const machine = async (context: TestContext, root: string, bootstrapKubeconfig: string): Promise<Machine> => {
  const at = (path: string) => join(root, path)
  const pki = at('var/lib/kubelet/pki')
  for (const folder of ['bin', 'root', 'etc/kubernetes', 'var/lib/kubelet'])
    await mkdir(at(folder), { recursive: true })
  await writeFile(at('etc/kubernetes/bootstrap-kubelet.conf'), bootstrapKubeconfig, { mode: 0o600 })
  const program = [process.execPath, main].map(quoted).join(' ')
  const flags = [
    `--bootstrap-kubeconfig=${at('etc/kubernetes/bootstrap-kubelet.conf')}`,
    `--kubeconfig=${at('etc/kubernetes/kubelet.conf')}`,
    `--cert-dir=${pki}`,
    '--hostname-override=worker-1',
  ]
  const [pid, log] = [at('agent.pid'), at('agent.log')]
  const scripts = {
    'kube-cert-rotation': `exec ${program} "$@"`,
    systemctl: `case "$* " in
      *kubelet\\ ) ;;
      start*|enable*) ${program} run ${flags.join(' ')} < /dev/null >> ${log} 2>&1 & echo $! > ${pid} ;;
      stop*|disable*) kill "$(cat ${pid})"; while kill -0 "$(cat ${pid})" 2> /dev/null; do sleep 0.05; done ;;
    esac`,
  }
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(at(`bin/${name}`), `#!/bin/sh\n${text}\n`)
    await chmod(at(`bin/${name}`), 0o755)
  }
  context.defer(() => {
    try {
      process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL')
    } catch {
      // It has ended.
    }
  })
  const sh = async (code: string): Promise<string> => {
    const path = `${at('bin')}:${process.env['PATH'] ?? ''}`
    const running = start(context, 'env', `PATH=${path}`, 'sh', '-e', '-c', code)
    const { code: exit } = await running.ended
    assert.is(exit, 0, `${code}\n${running.stdout()}${running.stderr()}`)
    return running.stdout()
  }
  const status = async (): Promise<Report> =>
    JSON.parse(await sh(`kube-cert-rotation status --cert-dir=${pki} -o json || true`))
  return {
    root,
    pki,
    follow: async (heading, block) => {
      const blocks = blocksOf(heading)
      const chosen = block === undefined ? blocks : blocks.slice(block, block + 1)
      assert.ok(chosen.length > 0, heading)
      return sh(
        chosen
          .join('')
          .replaceAll(/(?<=[\s=])\/(?=(?:var|etc|root)\/)/g, `${root}/`)
          .replaceAll('-C / ', `-C ${root} `),
      )
    },
    systemctl: (...words) => sh(`systemctl ${words.join(' ')}`),
    status,
    running: () =>
      eventually(
        'a certificate is in use',
        async () => {
          if (!existsSync(pki)) return undefined
          const { state, agent, certificate } = await status()
          return state === 'Issued' && agent !== null ? certificate?.serialNumber : undefined
        },
        { deadline: 30_000, interval: 500 },
      ),
  }
}

const patience = { deadline: 120_000 }

test(
  'a backup that is restored is used again, and nothing is requested for it',
  patience,
  async (context) => {
    const there = await world(context)
    const root = join(there.folder, 'machine')
    const { follow, systemctl, running, pki } = await machine(
      context,
      root,
      there.plane.bootstrapKubeconfig(),
    )
    await systemctl('start', 'kube-cert-rotation')
    const serial = await running()
    await follow('Back up')
    assert.is((await stat(join(root, 'root/identity.tar'))).mode & 0o777, 0o600)
    for (const name of await readdir(pki))
      if (name.endsWith('.pem')) await writeFile(join(pki, name), 'broken')
    assert.match(await follow('Restore from a backup'), serial)
    assert.is(await running(), serial)
    assert.is(there.names().length, 1)
  },
)

test(
  'an identity that moves is used on the new machine as it was on the old one',
  patience,
  async (context) => {
    const there = await world(context)
    const root = join(there.folder, 'machine')
    const token = there.plane.bootstrapKubeconfig()
    const old = await machine(context, root, token)
    await old.systemctl('start', 'kube-cert-rotation')
    const serial = await old.running()
    await old.follow('Move to another machine', 0)
    assert.is((await old.status()).agent, null)
    await rename(root, join(there.folder, 'old'))
    const next = await machine(context, root, token)
    await rename(join(there.folder, 'old/root/identity.tar'), join(root, 'root/identity.tar'))
    assert.match(await next.follow('Move to another machine', 1), /state +Issued/)
    assert.is(await next.running(), serial)
    const current = join(next.pki, 'kubelet-client-current.pem')
    assert.is((await stat(current)).mode & 0o777, 0o600)
    assert.not(existsSync(join(root, 'root/identity.tar')))
    assert.is(there.names().length, 1)
  },
)

test('a kubelet is given the directory, and gives it back', patience, async (context) => {
  const there = await world(context)
  const root = join(there.folder, 'machine')
  const agent = await machine(context, root, there.plane.bootstrapKubeconfig())
  await agent.systemctl('start', 'kube-cert-rotation')
  const serial = await agent.running()
  assert.match(await agent.follow('Hand over to a kubelet'), /nobody: no agent is running/)
  // What a kubelet does then is tested with its own code in test/e2e/takeover.test.ts; it names files and links otherwise.
  const link = join(agent.pki, 'kubelet-client-current.pem')
  const pair = join(dirname(link), await readlink(link))
  const kubelets = join(agent.pki, 'kubelet-client-2026-11-23-17-20-02.pem')
  await rename(pair, kubelets)
  await utimes(kubelets, new Date(), new Date())
  await unlink(link)
  await symlink(kubelets, link)
  const before = await readFile(kubelets, 'utf8')
  assert.match(await agent.follow('Take over from a kubelet'), serial)
  assert.is(await agent.running(), serial)
  assert.equal(
    [basename(await readlink(link)), await readFile(kubelets, 'utf8')],
    [basename(kubelets), before],
  )
  assert.is(there.names().length, 1)
})

test(
  'where certificate and token have expired, a new token is all that it takes',
  patience,
  async (context) => {
    const there = await world(context, { clusterSigningDuration: 10_000 })
    const root = join(there.folder, 'machine')
    const kubeconfig = there.plane.bootstrapKubeconfig()
    const [, token = ''] = /token: "?([\w.]+)/.exec(kubeconfig) ?? []
    const agent = await machine(context, root, kubeconfig)
    await agent.systemctl('start', 'kube-cert-rotation')
    const serial = await agent.running()
    await agent.systemctl('stop', 'kube-cert-rotation')
    const bootstrap = join(root, 'etc/kubernetes/bootstrap-kubelet.conf')
    await writeFile(bootstrap, kubeconfig.replace(token, 'abcdef.0123456789abcdef'))
    await eventually('all has expired', async () => (await agent.status()).state === 'Bootstrapping', {
      deadline: 30_000,
      interval: 500,
    })
    await agent.systemctl('start', 'kube-cert-rotation')
    const log = () => readFileSync(join(root, 'agent.log'), 'utf8')
    await eventually('the token is rejected', () => log().includes('ERROR'), { deadline: 30_000 })
    await writeFile(join(root, 'root/token'), `${token}\n`)
    assert.match(await agent.follow('Everything has expired'), /The state is /)
    assert.is.not(await agent.running(), serial)
  },
)
