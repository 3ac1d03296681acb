import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { controlPlaneFlags, readControlPlane } from '../../../adapters/command-line/control-plane.js'
import { parseDuration } from '../../../adapters/command-line/duration.js'
import { explainFlags, readExplain } from '../../../adapters/command-line/explain.js'
import type { UsageError } from '../../../adapters/command-line/flags.js'
import { readReplay, replayFlags } from '../../../adapters/command-line/replay.js'
import { runFlags } from '../../../adapters/command-line/run-flags.js'
import { readRun, readRunOrConfig } from '../../../adapters/command-line/run-request.js'
import { readStatus, statusFlags } from '../../../adapters/command-line/status.js'
import { reloadFlags, rotateFlags } from '../../../adapters/command-line/steer.js'
import { assert, suite } from '../../helper/index.js'
import { finishedHere } from './in-process.js'
import { finished } from './program.js'

const test = suite('usage of the program')

const minimal = ['--bootstrap-kubeconfig', 'b']
const ran = (...args: ReadonlyArray<string>) => {
  const request = readRun([...minimal, ...args])
  if (E.isLeft(request)) throw new Error(request.left.message)
  return request.right
}

test('takes values after an equals sign or a space', () => {
  const { options } = ran('--kubeconfig=k', '--cert-dir', 'd', '--hostname-override=B')
  assert.is(options.bootstrapKubeconfig, 'b')
  assert.is(options.kubeconfig, 'k')
  assert.is(options.certDir, 'd')
  assert.is(options.nodeName, 'b')
})

test('takes hosts that are called like a source', () => {
  const { serving } = ran('--rotate-server-certificates', '--hostname-override=w', '--server-addresses=node1')
  assert.equal(serving?.source, { _tag: 'list', names: ['node1'] })
})

test('takes what may be given several times, and paths that are apart', () => {
  const { hooks, outputs } = ran(
    '--after-renewal=a',
    '--after-renewal=b',
    '--kubeconfig=b',
    '--cert-dir=d',
    '--output-dir=d/tls',
    '--output-bundle=d/bundle/tls.pem',
  )
  assert.is(hooks.length, 2)
  assert.is(outputs.length, 2)
})

test("has the kubelet's defaults", () => {
  const { options, once, log } = ran()
  assert.is(options.certDir, '/var/lib/kubelet/pki')
  assert.equal(options.policy, { rotate: true })
  assert.is(options.nodeName, options.nodeName?.toLowerCase())
  assert.is(once, false)
  assert.is(log.format, 'text')
})

for (const [args, rotate] of [
  [['--rotate-certificates'], true],
  [['--rotate-certificates=T'], true],
  [['--rotate-certificates=0'], false],
  [['--feature-gates=RotateKubeletClientCertificate=false'], false],
  [['--feature-gates', 'RotateKubeletClientCertificate=true,'], true],
  [['--rotate-certificates=true', '--feature-gates=RotateKubeletClientCertificate=false'], false],
] as const)
  test(`switches rotation ${rotate ? 'on' : 'off'} with ${args.join(' ')}`, () => {
    assert.is(ran(...args).options.policy?.rotate, rotate)
  })

test('takes durations as Go writes them', () => {
  const { options } = ran('--requested-lifetime=24h', '--probe-interval=1m30s')
  assert.is(options.requestedLifetime, 86_400_000)
  assert.is(ran('--key-algorithm=RSA-2048').options.keyAlgorithm, 'RSA-2048')
  assert.is(options.policy?.probeInterval, 90_000)
  assert.is(ran('--probe-interval=0').options.policy?.probeInterval, 0)
  for (const [text, milliseconds] of [
    ['8760h', 31_536_000_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1h2m3s4ms', 3_723_004],
    ['1000us', 1],
    ['0', 0],
  ] as const)
    assert.equal(parseDuration(text), E.right(milliseconds), text)
  for (const text of ['', '10', 'h', '-1h', '1d', '1h ', '1 h', 'x'])
    assert.ok(E.isLeft(parseDuration(text)), `"${text}"`)
})

type Mistake = readonly [args: ReadonlyArray<string>, message: RegExp]

const mistakes: ReadonlyArray<Mistake> = [
  [['run', '--kubeconfig=k', '--timeout=5m'], /--timeout is without --once/],
  [['run', '--kubeconfig=k', '--once', '--timeout=1ms'], /--timeout=1ms cannot be; write 1s or more/],
  [['run', '--kubeconfg=k'], /there is no flag --kubeconfg; did you mean --kubeconfig\?/],
  [['run', '--kubeconfig'], /--kubeconfig needs a value; write --kubeconfig=FILE/],
  [['run', '--kubeconfig='], /--kubeconfig needs a value/],
  [['run', '--kubeconfig', '--once'], /--kubeconfig needs a value/],
  [['run', '--certdir=x'], /there is no flag --certdir; did you mean --cert-dir\?/],
  [['run', 'now'], /"now" is not expected here/],
  [['run', ...minimal, '--output-dir=a', '--output-dir=b'], /--output-dir is given twice; give it once/],
  [['run', '--config=a', '--config', 'b'], /--config is given twice/],
  [['run', ...minimal, '--once', '--once=false'], /--once is given twice/],
  [
    ['run', ...minimal, '--output-bundle=x', '--output-kubeconfig=./x'],
    /--output-kubeconfig and --output-bundle are both \/.*\/x; each needs its own/,
  ],
  [
    ['run', '--kubeconfig=k', '--output-kubeconfig=k'],
    /--output-kubeconfig and --kubeconfig are both .*\/k; each/,
  ],
  [['run', ...minimal, '--output-kubeconfig=b'], /--output-kubeconfig and --bootstrap-kubeconfig are both/],
  [
    ['run', ...minimal, '--output-dir=y', '--output-bundle=y/tls.crt'],
    /--output-bundle=.*y\/tls.crt is in --output-dir=.*\/y; name a file in another directory/,
  ],
  [
    ['run', ...minimal, '--output-bundle=/var/lib/kubelet/pki/kubelet-client-current.pem'],
    /--output-bundle=.* is in --cert-dir=\/var\/lib\/kubelet\/pki/,
  ],
  [['run', ...minimal, '--cert-dir=d', '--output-dir=d/'], /--output-dir and --cert-dir are both .*\/d/],
  [['run', '--once', 'false'], /"false" is not expected here; did you mean --once=false\?/],
  [
    ['run', ...minimal, '--rotate-certificates=no'],
    /neither true nor false; write --rotate-certificates=true/,
  ],
  [['run', ...minimal, '--once=maybe'], /--once=maybe is neither/],
  [
    ['run', ...minimal, '--feature-gates=Gone=true'],
    /no feature gate Gone; the known ones are RotateKubeletClientCertificate/,
  ],
  [['run', ...minimal, '--feature-gates=RotateKubeletClientCertificate'], /has no value/],
  [['run', ...minimal, '--feature-gates=RotateKubeletClientCertificate=2'], /neither true nor false/],
  [
    ['run', ...minimal, '--key-algorithm=RSA-1024'],
    /--key-algorithm=RSA-1024 is not known; the known ones are ECDSA-P256, /,
  ],
  [['run', ...minimal, '--requested-lifetime=1 day'], /"1 day" is no duration: write it like 90s/],
  [
    ['run', ...minimal, '--requested-lifetime=5m'],
    /300 s is not accepted by Kubernetes; ask for ten minutes/,
  ],
  [['run', ...minimal, '--probe-interval=-1s'], /no duration/],
  [['run', ...minimal, '--hostname-override=a b'], /--hostname-override=a b cannot be the name of a node/],
  [['run', ...minimal, '--log-format=xml'], /--log-format=xml is not known; write --log-format=text or/],
  [['run', ...minimal, '--log-level=trace'], /--log-level=trace is not known; write one of debug, info/],
  [['run', ...minimal, '--output-dir=d', '--output-mode=rw'], /--output-mode=rw is no mode .*0640/],
  [['run', ...minimal, '--output-dir=d', '--output-mode=4755'], /--output-mode=4755 is no mode/],
  [['run', ...minimal, '--output-dir=d', '--output-owner=www-data'], /is no UID:GID; write the numbers/],
  [['run', ...minimal, '--output-mode=0640'], /--output-mode is for no output; name one with --output-dir/],
  [['run', ...minimal, '--renewal-window-configmap=windows'], /names no ConfigMap; write .*kube-system\//],
  [['run', ...minimal, '--node-labels=a=b'], /--node-labels is without a renewal window/],
  [['run', ...minimal, '--renewal-window-file=f', '--node-labels=a'], /--node-labels=a cannot be/],
  [['run', ...minimal, '--server-addresses=node'], /--server-addresses is without --rotate-server-cert/],
  [
    ['run', ...minimal, '--rotate-server-certificates', '--server-addresses=a b'],
    /--server-addresses=a b cannot be read/,
  ],
  ...(
    [
      ['nodes', /--server-addresses=nodes is no source of addresses; did you mean node\?/],
      ['interface', /did you mean interfaces\?/],
      ['interface=eth0', /cannot be read; did you mean interfaces=eth0\?/],
      ['host:10250', /--server-addresses: host:10250 is no DNS name, and no IP address; leave out the port/],
      ['10.0.0.5,bad_name', /bad_name is no DNS name, and no IP address; write letters/],
      ['10.0.0.5:10250', /10.0.0.5:10250 is no DNS name, and no IP address; leave out the port/],
    ] as const
  ).map(
    ([list, message]): Mistake => [
      ['run', ...minimal, '--rotate-server-certificates', `--server-addresses=${list}`],
      message,
    ],
  ),
  ...(
    [
      ['--dns-names=a..b', /--dns-names: a\.\.b is no DNS name; write letters/],
      ['--dns-names=münchen.de', /--dns-names: münchen.de is not ASCII; write it in punycode/],
      ['--uris=http://[', /--uris: http:\/\/\[ is no URI; write it with its scheme/],
      ['--ip-addresses=1.2.3', /--ip-addresses: 1.2.3 is no IP address/],
      ['--usages=client-auth', /--usages: client-auth is no usage; did you mean client auth\?/],
      ['--usages=,', /--usages=, names none; leave it out, or name one/],
      ['--organizations=,', /--organizations=, names none/],
      ['--signer-name=foo', /--signer-name=foo is none; write it like example.com\/name/],
    ] as const
  ).map(([flag, message]): Mistake => [['run', ...minimal, '--common-name=x', flag], message]),
  [
    ['run', ...minimal, '--rotate-server-certificates', '--cert-prefix=kubelet-server'],
    /is what the files of the serving certificate begin with/,
  ],
  [
    ['run', '--config=c', '--cert-dir=d'],
    /--config and --cert-dir are both given.*certificates\[\]\.certDir/,
  ],
  [['run', '--config=c', '--timeout=1m'], /--timeout is without --once/],
  [['status', '--certificate=a'], /--certificate is without --config/],
  [['status', '-o', 'yaml'], /-o yaml is not known/],
  [['status', '--cert-dir'], /--cert-dir needs a value; write --cert-dir=DIR/],
  [['run', ...minimal, '--event-log'], /--event-log needs a value; write --event-log=FILE/],
  [
    ['run', ...minimal, '--metrics-bind-address=9090'],
    /"9090" is no address with a port; write --metrics-bind-address=:9090 for loopback/,
  ],
  [['run', '--after-renewal=sh -c "exit"'], /there is no shell to read quotes.*write words, or a JSON array/],
  [['run', '--after-renewal-timeout=1m'], /--after-renewal-timeout is without --after-renewal/],
  [['rotate', '--wait=soon'], /--wait: "soon" is no duration/],
  [['reload', '--wait'], /there is no flag --wait/],
  [['status', '--expires-in=7d'], /--expires-in is for --check/],
  [['status', '--check', '--expires-in=soon'], /--expires-in: "soon" is no duration/],
  [['status', '--check', '--watch'], /--check and --watch exclude each other/],
  [['status', '--watch', '-o', 'json'], /-o json and --watch exclude each other/],
  [['status', '--check=maybe'], /--check=maybe is neither/],
  [['status', '--watch=maybe'], /--watch=maybe is neither/],
  [['explain', '--at=2026-11-23T17:20:02Z'], /--at is for the files of run --event-log/],
  [['explain', 'f', '--at=noon'], /--at: "noon" is no instant/],
  [['explain', 'f', '--cert-dir=d'], /--cert-dir and files are both given/],
  [['explain', '--why'], /there is no flag --why/],
  [['replay'], /no file is named; name that of run --event-log/],
  [['replay', 'f', '--at=noon'], /--at: "noon" is no instant; for instance 2026-/],
  [['replay', 'f', '--at=2026-11-23T25:00:00Z'], /is no instant/],
  [['replay', 'f', '-o', 'yaml'], /-o yaml is not known/],
  [['replay', 'f', '--from=x'], /there is no flag --from; the known ones are --at, --output/],
  [['control-plane', '--secure-port=1'], /--data-dir is missing/],
  [['control-plane', '--data-dir=d', '--secure-port=70000'], /--secure-port=70000 is no TCP port/],
  [['control-plane', '--data-dir=d', '--cluster-signing-duration=1y'], /--cluster-signing-duration: "1y"/],
  [['control-plane', '--data-dir=d', '--experimental-cluster-signing-duration=10ms'], /too short/],
  [['control-plane', '--data-dir=d', '--auto-approve=perhaps'], /neither true nor false/],
  ...(
    [
      ['w=10.0.0.0/99', /10.0.0.0\/99 is no address, network, DNS name or domain/],
      ['w=*', /\* is no address, network/],
      ['a=b=c', /a=b=c cannot be read/],
      ['a=10.0.0.1;a=10.0.0.2', /a is there twice; name all its addresses at once/],
      [';', /--nodes names none/],
    ] as const
  ).map(([nodes, message]): Mistake => [['control-plane', '--data-dir=d', `--nodes=${nodes}`], message]),
  [['explain', 'f', '--cert-prefix=x'], /--cert-prefix and files are both given/],
  [['run', ...minimal, '--cert-prefix=a/b'], /--cert-prefix=a\/b cannot begin file names/],
  [['demo', '--fast'], /there is no flag --fast/],
]
const readers: Readonly<Record<string, (args: ReadonlyArray<string>) => E.Either<UsageError, unknown>>> = {
  run: readRunOrConfig,
  status: readStatus,
  explain: readExplain,
  replay: readReplay,
  'control-plane': readControlPlane,
}

for (const [[command = '', ...args], message] of mistakes) {
  const read = readers[command]
  if (read === undefined) continue
  test(`says what is wrong with "${[command, ...args].join(' ')}", and what to write`, () => {
    const refused = read(args)
    if (E.isRight(refused)) throw new Error('it was accepted')
    assert.match(`${refused.left.message}; ${refused.left.hint}`, message)
  })
}

// Whoever runs the tests may have a kubeconfig of their own.
const { HOME, KUBECONFIG } = process.env
test.before(() => {
  process.env['HOME'] = '/nonexistent'
  delete process.env['KUBECONFIG']
})
test.after(() => Object.assign(process.env, { HOME }, KUBECONFIG === undefined ? {} : { KUBECONFIG }))

for (const args of [['run'], ['demo', '--fast'], ['jump'], []])
  test(`exits 2 after "${args.join(' ')}", with a hint on standard error`, async () => {
    const { code, stdout, stderr } = await finishedHere(...args)
    assert.is(code, 2)
    assert.is(stdout, '')
    if (args[0] === 'run')
      assert.match(
        stderr,
        /where the API is.*--bootstrap-kubeconfig, --kubeconfig or both, or set KUBECONFIG/,
      )
    assert.match(stderr, args.length === 0 ? /^usage: / : /^kube-cert-rotation: .*; .*\n$/)
  })

test('lists the commands with --help', async (context) => {
  const { code, stdout } = await finished(context, '--help')
  assert.is(code, 0)
  for (const command of ['run', 'status', 'explain', 'rotate', 'reload', 'replay', 'control-plane', 'demo'])
    assert.match(stdout, `\n  ${command} `)
})

for (const [command, flags] of [
  ['run', runFlags],
  ['status', statusFlags],
  ['rotate', rotateFlags],
  ['reload', reloadFlags],
  ['explain', explainFlags],
  ['replay', replayFlags],
  ['control-plane', controlPlaneFlags],
  ['demo', {}],
] as const)
  test(`explains each flag with ${command} --help`, async () => {
    const { code, stdout } = await finishedHere(command, '--help')
    assert.is(code, 0)
    for (const flag of Object.keys(flags)) assert.match(stdout, new RegExp(`--${flag}[= ].*\\w`))
    assert.ok(stdout.split('\n').every((line) => line.length <= 130))
  })

test('says its version', async (context) => {
  const manifest = await readFile(join(import.meta.dirname, '../../../../package.json'), 'utf8')
  const { code, stdout } = await finished(context, '--version')
  assert.is(code, 0)
  assert.is(stdout, `${JSON.parse(manifest).version}\n`)
})
