/**
 * The simulator: fleets in virtual time, scenarios from YAML, reports as text, CSV and HTML.
 *
 * ```ts
 * const scenario = readScenario(await readFile('scenario.yaml', 'utf8'))
 * if (E.isRight(scenario)) await writeFile('report.html', await pageOf(simulate(scenario.right)))
 * ```
 */
export * from '../../src/simulator/index.js'
export { type Estimate, estimate } from './estimate.js'
export { pageOf } from './page.js'
export { runScenario } from './run.js'
export { readScenario } from './scenario.js'
export { csvOf, textOf } from './text.js'
