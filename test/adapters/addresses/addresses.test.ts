import type { NetworkInterfaceInfo } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import {
  type Addresses,
  type AddressSource,
  fixedAddresses,
  type InterfaceOptions,
  interfaceAddresses,
  stable,
} from '../../../adapters/addresses/index.js'
import { virtualClock } from '../../../adapters/memory/index.js'
import { failure, noAddresses, second } from '../../../src/index.js'
import { assert, suite } from '../../helper/index.js'
import { noon } from '../../src/samples.js'

const test = suite('address sources')

const v4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  family: 'IPv4',
  netmask: '255.255.255.0',
  mac: '00:00:00:00:00:00',
  cidr: `${address}/24`,
})
const v6 = (address: string): NetworkInterfaceInfo => ({
  address,
  internal: false,
  family: 'IPv6',
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '00:00:00:00:00:00',
  cidr: `${address}/64`,
  scopeid: 0,
})

const host = {
  lo: [v4('127.0.0.1', true)],
  eth0: [v4('192.0.2.5'), v6('2001:db8::5'), v6('fe80::1')],
  eth1: [v4('169.254.10.1'), v4('198.51.100.5')],
  docker0: [v4('172.17.0.1')],
  'br-0a1b2c': [v4('172.18.0.1')],
  cni0: [v4('10.244.0.1')],
}

/** What a source tells, as it tells it. */
const listening = (source: AddressSource) => {
  const told: Array<Addresses | string> = []
  const end = source((found) => told.push(E.isRight(found) ? found.right : found.left.message))
  return { told, end }
}

const told = (source: AddressSource): Addresses | string | undefined => {
  const { told: found, end } = listening(source)
  end()
  return found[0]
}

test('a list is told as it is, addresses and names apart, each once', () => {
  assert.equal(told(fixedAddresses(['B.example', '::1', '0:0::1', '10.0.0.1', 'a.example', 'b.example'])), {
    dnsNames: ['a.example', 'b.example'],
    ipAddresses: ['10.0.0.1', '::1'],
  })
})

test('interfaces: no loopback, link-local address or container bridge unless it is asked for', () => {
  const read = () => host
  assert.equal(told(interfaceAddresses({ read, dnsNames: ['worker-1'] })), {
    dnsNames: ['worker-1'],
    ipAddresses: ['192.0.2.5', '198.51.100.5', '2001:db8::5'],
  })
  assert.equal(told(interfaceAddresses({ read, interfaces: ['lo', 'docker0', 'br-*'] })), {
    dnsNames: [],
    ipAddresses: ['127.0.0.1', '172.17.0.1', '172.18.0.1'],
  })
  assert.equal(told(interfaceAddresses({ read, interfaces: ['eth1'], linkLocal: true })), {
    dnsNames: [],
    ipAddresses: ['169.254.10.1', '198.51.100.5'],
  })
})

test('interfaces: why there are no addresses is told with them, and which of those that were named are not there', () => {
  const all = (options: InterfaceOptions) => {
    const { told: found, end } = listening(interfaceAddresses(options))
    end()
    return found
  }
  assert.equal(all({ read: () => ({ lo: host.lo }), dnsNames: ['worker-1'] }), [
    'no network interface has an address that counts: loopback, link-local ones and those of containers do not (there are lo)',
    noAddresses,
  ])
  assert.equal(all({ read: () => host, interfaces: ['eth0', 'wlan*', 'nope'] }), [
    'there is no network interface wlan*, nope with an address; there are lo, eth0, eth1, docker0, br-0a1b2c, cni0',
    { dnsNames: [], ipAddresses: ['192.0.2.5', '2001:db8::5'] },
  ])
  assert.equal(all({ read: () => ({ eth9: [v4('169.254.1.1')] }), interfaces: ['eth9'] }), [
    'no address of the network interface eth9 counts: link-local ones do not',
    noAddresses,
  ])
})

test('interfaces are looked at again, and tell only changes; that they cannot be read is told', async () => {
  const clock = virtualClock(noon)
  let found: () => NodeJS.Dict<Array<NetworkInterfaceInfo>> = () => ({ eth0: [v4('192.0.2.5')] })
  const { told: heard, end } = listening(interfaceAddresses({ clock, read: () => found() }))
  await clock.advanceBy(60 * second)
  found = () => ({ eth0: [v4('192.0.2.6')] })
  await clock.advanceBy(10 * second)
  found = () => {
    throw new Error('no such device')
  }
  await clock.advanceBy(10 * second)
  end()
  await clock.advanceBy(60 * second)
  assert.equal(heard, [
    { dnsNames: [], ipAddresses: ['192.0.2.5'] },
    { dnsNames: [], ipAddresses: ['192.0.2.6'] },
    "the host's network interfaces cannot be read: Error: no such device",
  ])
})

test('addresses count when they have not changed for a while; what flaps makes one change, and none is no change', async () => {
  const clock = virtualClock(noon)
  let tell: Parameters<AddressSource>[0] = () => {}
  let ended = false
  const source: AddressSource = (listener) => {
    tell = listener
    return () => {
      ended = true
    }
  }
  const { told: heard, end } = listening(stable(source, clock, 10 * second))
  const address = (ip: string): Addresses => ({ dnsNames: [], ipAddresses: [ip] })
  const at = async (ms: number, found: Addresses) => {
    await clock.advanceBy(ms)
    tell(E.right(found))
  }
  await at(0, address('192.0.2.1'))
  await at(5 * second, address('192.0.2.1'))
  await clock.advanceBy(4 * second)
  assert.equal(heard, [])
  await clock.advanceBy(second)
  assert.equal(heard, [address('192.0.2.1')], 'told again is no change')
  for (const ip of ['192.0.2.2', '192.0.2.1', '192.0.2.2', '192.0.2.1']) await at(9 * second, address(ip))
  await at(0, noAddresses)
  await clock.advanceBy(60 * second)
  assert.is(heard.length, 1, 'it came back, or went away')
  await at(0, address('192.0.2.3'))
  tell(E.left(failure('AddressesUnknown', 'soon', 'no answer', 'wait')))
  await clock.advanceBy(10 * second)
  assert.equal(heard.slice(1), ['no answer', address('192.0.2.3')])
  await at(0, address('192.0.2.4'))
  end()
  await clock.advanceBy(60 * second)
  assert.is(heard.length, 3)
  assert.ok(ended)
})
