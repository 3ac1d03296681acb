/**
 * Fleets in virtual time: what a policy does to a cluster, before it is rolled out. Pure, on the machine's own functions;
 * deterministic by the scenario's seed.
 *
 * ```ts
 * const { policies } = simulate(scenario)
 * for (const { policy, worst } of policies) console.log(`${policy}: ${worst}`)
 * ```
 */
export { type Fleet, fleet } from './fleet.js'
export type { Kind, Vanity } from './record.js'
export { headOf, type PolicyReport, type Report, reportOf, simulate } from './report.js'
export type { NamedPolicy, Outage, Scenario, ServerLimits, Span, Wave } from './scenario.js'
