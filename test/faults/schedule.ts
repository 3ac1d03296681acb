/** A random schedule of faults, restarts and jumps of the clock, in memory and virtual time; the same for the same seed. */
import * as O from 'fp-ts/lib/Option.js'
import { memoryPorts } from '../../adapters/memory/index.js'
import {
  after,
  type CertificateTemplate,
  day,
  decide,
  defaultPolicy,
  hour,
  type Interruption,
  instant,
  interruption,
  isUsable,
  kubeletClientTemplate,
  minute,
  type News,
  type Rotation,
  rfc3339,
  rotation,
  second,
} from '../../src/index.js'
import { actions } from './actions.js'
import { diceOf } from './dice.js'
import { watcher } from './invariants.js'

const plain = kubeletClientTemplate('a')
const named: CertificateTemplate = { ...plain, dnsNames: ['a.example'] }

export interface Outcome {
  readonly problems: ReadonlyArray<string>
  readonly journal: ReadonlyArray<string>
}

/** Runs a schedule of so many steps, then lets everything work again and sees whether the certificate is renewed. */
export const runSchedule = async (seed: number, steps: number): Promise<Outcome> => {
  const dice = diceOf(seed)
  const policy = defaultPolicy
  const ports = memoryPorts({
    now: instant(Date.parse('2026-01-01T00:00:00Z')),
    api: {
      autoApprove: dice.chance(0.5),
      autoSign: dice.chance(0.6),
      signingDuration: dice.pick([10 * minute, hour, day, 365 * day]),
      flavour: dice.pick(['1.20', '1.22']),
    },
  })
  const { clock, requests: api } = ports
  const watch = watcher(policy, ports)
  let wanted: O.Option<CertificateTemplate> = O.some(plain)
  /** How far the server's clock, which is always right, is ahead of ours. */
  let skew = 0
  let mends: ReadonlyArray<() => void> = []
  let agent: Rotation | undefined
  let stop: Interruption = interruption()

  const start = () => {
    const current = interruption()
    stop = current
    agent = rotation({ policy, template: wanted, ports, notify: watch.notify })
    watch.restarted()
    void agent
      .run(stop.signal)()
      .then((result) => {
        // A store that cannot be read ends it; whoever supervises it starts it again.
        if (result._tag === 'Left' && stop === current) agent = undefined
      })
  }
  const advance = async (duration: number) => {
    const from = clock.now()
    await clock.advanceBy(Math.round(duration))
    watch.passed(from, clock.now())
  }
  const tell = (news: News) => agent?.tell(news)()
  const move = async (by: number) => {
    skew -= by
    api.set({ skew })
    if (by < 0) watch.forgive()
    await clock.set(after(clock.now(), by))
  }
  const acts = actions({
    dice,
    ports,
    tell,
    heldKey: () => keyOf(agent),
    serverTime: () => after(clock.now(), skew),
  })
  const step = async (): Promise<string> => {
    const what = dice.below(100)
    if (what < 34) {
      const duration =
        dice.pick([second, 20 * second, 5 * minute, 20 * minute, 2 * hour]) * (0.5 + dice.roll())
      await advance(duration)
      return `advance ${duration}`
    }
    if (what < 50) {
      const [name, mend] = acts.fault()
      mends = [...mends, mend]
      return `fault ${name}`
    }
    if (what < 58) {
      for (const mend of mends) mend()
      mends = []
      return 'mend'
    }
    if (what < 72) return acts.serverActs()
    if (what < 82) return acts.serverChanges()
    if (what < 86) {
      const by = dice.pick([minute, hour, day, 100 * day]) * (0.5 + dice.roll())
      // A machine that was suspended: time has passed, and nobody was there.
      await clock.set(after(clock.now(), Math.round(by)))
      return `suspend ${by}`
    }
    if (what < 89) {
      const by = Math.round(dice.pick([-second, -hour, -2 * day, hour, day]) * (0.5 + dice.roll()))
      await move(by)
      return `clock ${by}`
    }
    if (what < 94) {
      const crash = dice.chance(0.6)
      if (crash) ports.crash()
      else {
        stop.interrupt()
        await clock.settle()
      }
      start()
      return crash ? 'crash' : 'stop and start'
    }
    if (what < 97) {
      wanted = dice.pick([O.some(plain), O.some(named), O.none])
      watch.forgive()
      tell({ _tag: 'TemplateChanged', template: wanted })
      return 'template'
    }
    return acts.news()
  }

  start()
  await clock.settle()
  for (let number = 0; number < steps && watch.problems.length === 0; number += 1) {
    const done = await step()
    watch.note(`${rfc3339(clock.now())} — ${done}`)
    if (agent === undefined) start()
    await clock.settle()
    watch.passed(clock.now(), clock.now())
  }
  if (watch.problems.length > 0) return watch

  watch.note('— everything works again')
  for (const mend of mends) mend()
  await move(skew)
  api.set({
    autoApprove: true,
    autoSign: true,
    signingDuration: day,
    flavour: '1.22',
    bootstrap: true,
    skew: 0,
  })
  for (const { name, condition } of api.requests()) {
    if (condition._tag === 'Pending') api.approve(name)
    else if (condition._tag === 'Approved') api.sign({}, name)
  }
  if (O.isNone(wanted)) wanted = O.some(plain)
  if (agent === undefined) start()
  tell({ _tag: 'TemplateChanged', template: wanted })
  await advance(hour)
  const [first, last] = [keyOf(agent), await renewed()]
  if (first === undefined) return failed('no certificate works an hour after everything does')
  if (last === undefined || last === first) return failed('it was not renewed although everything works')
  return watch

  async function renewed(): Promise<string | undefined> {
    tell({ _tag: 'RotationRequested', why: 'requested by the embedder' })
    await advance(30 * minute)
    return keyOf(agent)
  }
  function failed(problem: string): Outcome {
    const facts = agent?.facts()
    const next = facts === undefined ? 'stopped' : JSON.stringify(decide(policy)(facts, clock.now()))
    return { problems: [...watch.problems, `${problem}; next: ${next}`], journal: watch.journal }
  }
  function keyOf(one: Rotation | undefined): string | undefined {
    const held = one === undefined ? O.none : one.facts().held
    return O.isSome(held) && isUsable(policy, held.value, clock.now())
      ? held.value.certificate.keyId
      : undefined
  }
}
