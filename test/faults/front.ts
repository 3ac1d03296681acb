import type { SecureContextOptions } from 'node:tls'
import type { Authority } from '../../adapters/crypto/index.js'
import type { TestContext } from '../helper/index.js'
import { type Gateway, gateway } from './gateway.js'
import { authority, serving } from './serving.js'
import { type Place, startWorld, type World } from './world.js'

/** What the gateways of a test file are signed by, and what they show when nothing is wrong. */
export interface Shop {
  readonly ca: Authority
  readonly good: SecureContextOptions
}

export const openShop = async (): Promise<Shop> => {
  const ca = await authority('gateway CA')
  return { ca, good: await serving(ca) }
}

export interface Front {
  readonly world: World
  readonly door: Gateway
  readonly place: Place
}

/** A control plane with a gateway in front. */
export const startFront = async (
  context: TestContext,
  { ca, good }: Shop,
  options: Parameters<typeof startWorld>[1] = {},
): Promise<Front> => {
  const world = await startWorld(context, options)
  const { controlPlane, keyOf } = world
  const target = { port: controlPlane.port, ca: controlPlane.authority() }
  const door = await gateway({ tls: good, target, keyOf })
  context.defer(door.stop)
  return { world, door, place: { server: `https://127.0.0.1:${door.port}`, ca: ca.pem } }
}
