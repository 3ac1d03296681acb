import { runInNewContext, Script } from 'node:vm'
import { pageOf } from '../../../adapters/simulator/page.js'
import { simulate } from '../../../src/simulator/index.js'
import { assert, suite } from '../../helper/index.js'
import { scenarioOf } from '../../src/simulator/sample.js'

const test = suite('report as a page')

const page = await pageOf(simulate(scenarioOf({ title: '</script><b>nodes & $& more' })))
const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, code = '']) => code)

test('has the chart library and the numbers in it, and loads nothing', () => {
  const [library = '', ours = ''] = scripts
  assert.is(runInNewContext(`${library}; typeof uPlot`), 'function')
  assert.ok(new Script(ours))
  assert.match(ours, /^const report = \{"title":/m)
  assert.match(ours, /^const table = \[\["requests",/m)
  assert.not.match(page, /<link|<img|<script src|@import|url\(/)
  assert.not.match(page, /\{\{\w+\}\}|\/\*\{\w+\}\*\//)
})

test('has a title that is text, whatever is in it', () => {
  assert.is(scripts.length, 2)
  assert.match(page, '<h1>&lt;/script&gt;&lt;b&gt;nodes &amp; $&amp; more</h1>')
})
