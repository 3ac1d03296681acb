import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { type Addresses, addressesFrom, isNoAddresses, isSameAddresses } from '../../src/model/addresses.js'
import { type AddressError, failure } from '../../src/model/failure.js'
import { after, type Milliseconds, second } from '../../src/model/time.js'
import type { AddressSource, Clock } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'
import { wallClock } from '../platform/clock.js'

/** Which of the host's addresses count. */
export interface InterfaceOptions {
  /**
   * Names of interfaces, also the beginning of one with `*` (`eth*`). None given: all but loopback, container bridges and
   * what belongs to containers.
   */
  readonly interfaces?: ReadonlyArray<string>
  /** Whether link-local addresses count (169.254.0.0/16, fe80::/10); false if not given. */
  readonly linkLocal?: boolean
  /** DNS names to go with them: the node's name, say. */
  readonly dnsNames?: ReadonlyArray<string>
  /** Between two looks, ms; ten seconds if not given. */
  readonly interval?: Milliseconds
  readonly clock?: Clock
  /** In place of `os.networkInterfaces`. */
  readonly read?: () => NodeJS.Dict<Array<NetworkInterfaceInfo>>
}

/** What container runtimes, network plugins, kube-proxy and libvirt call their interfaces. */
const ofContainers =
  /^(docker|br-|cni|cbr|veth|flannel|cali|tunl|vxlan\.calico|cilium|lxc|weave|vethwe|kube-|nodelocaldns|podman|virbr|lxdbr|antrea|genev_sys|ovn-k8s)/

/** The IP addresses of the host's interfaces, looked at again every few seconds: Node is not told of changes. */
export const interfaceAddresses =
  (options: InterfaceOptions = {}): AddressSource =>
  (listener) => {
    const { clock = wallClock, interval = 10 * second, read = networkInterfaces } = options
    const { signal, interrupt } = interruption()
    let told: Addresses | undefined
    let lacking: string | undefined
    const look = (): void => {
      const found = E.tryCatch(read, String)
      if (E.isLeft(found)) {
        listener(E.left(unknown(`the host's network interfaces cannot be read: ${found.left}`)))
        return
      }
      const addresses = addressesIn(found.right, options)
      const problem = problemIn(found.right, addresses, options)
      if (problem !== lacking && problem !== undefined) listener(E.left(unknown(problem)))
      lacking = problem
      if (told !== undefined && isSameAddresses(told, addresses)) return
      told = addresses
      listener(E.right(addresses))
    }
    const follow = async (): Promise<void> => {
      while (!signal.aborted) {
        look()
        await clock.sleepUntil(after(clock.now(), interval), signal)()
      }
    }
    void follow()
    return interrupt
  }

const unknown = (problem: string): AddressError =>
  failure('AddressesUnknown', 'soon', problem, 'name other interfaces, or the addresses themselves')

/** What was named and is not there, or why no address counts; undefined: nothing is lacking. */
const problemIn = (
  found: NodeJS.Dict<Array<NetworkInterfaceInfo>>,
  addresses: Addresses,
  { interfaces = [] }: InterfaceOptions,
): string | undefined => {
  const names = Object.keys(found)
  const absent = interfaces.filter((pattern) => !names.some((name) => isNamed([pattern], name)))
  if (absent.length > 0)
    return `there is no network interface ${absent.join(', ')} with an address; there are ${names.join(', ') || 'none'}`
  if (!isNoAddresses(addresses)) return undefined
  return interfaces.length > 0
    ? `no address of the network interface ${interfaces.join(', ')} counts: link-local ones do not`
    : `no network interface has an address that counts: loopback, link-local ones and those of containers do not (there are ${names.join(', ') || 'none'})`
}

/** The addresses that count; none, also no names, while there is no IP address. */
export const addressesIn = (
  found: NodeJS.Dict<Array<NetworkInterfaceInfo>>,
  { interfaces, linkLocal = false, dnsNames = [] }: InterfaceOptions,
): Addresses => {
  const addresses = Object.entries(found).flatMap(([name, infos = []]) =>
    infos
      .filter(({ internal }) =>
        interfaces === undefined ? !internal && !ofContainers.test(name) : isNamed(interfaces, name),
      )
      .map(({ address }) => address)
      .filter((address) => linkLocal || !/^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address)),
  )
  return addressesFrom(addresses.length === 0 ? [] : [...addresses, ...dnsNames])
}

const isNamed = (patterns: ReadonlyArray<string>, name: string): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name,
  )
