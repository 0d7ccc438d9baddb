import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addressesOutside, FIRST_LOAD_MAX, OUT, sizesOf } from './build.js'

test('the dashboard is built, within its budget, and names no other host', () => {
  assert.ok(existsSync(join(OUT, 'index.html')), 'make build builds it')
  const { scripts, firstLoad } = sizesOf(OUT)
  assert.ok(scripts.size >= 2, 'the chart is loaded when it is wanted')
  assert.ok(firstLoad > 10_000 && firstLoad <= FIRST_LOAD_MAX, `${firstLoad} bytes of script at first`)
  assert.deepEqual(addressesOutside(OUT), [])
})

test('a script that the page names counts, one that is loaded later does not; other hosts are found', t => {
  const folder = mkdtempSync(join(tmpdir(), 'volumer-dashboard-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<script src="./assets/first.js"></script>')
  writeFileSync(join(folder, 'assets/first.js'), `export default '${'x'.repeat(1000)}'`)
  writeFileSync(join(folder, 'assets/later.js'), "import('https://cdn.example/x.js')")
  const { scripts, firstLoad } = sizesOf(folder)
  assert.deepEqual([...scripts.keys()].sort(), ['first.js', 'later.js'])
  assert.equal(firstLoad, scripts.get('first.js'))
  assert.deepEqual(addressesOutside(folder), ['https://cdn.example'])
})
