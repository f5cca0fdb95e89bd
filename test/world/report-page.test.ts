import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { type Browser, chromium, type Page } from 'playwright-core'
import { html } from '../../src/report/index.ts'
import { decision, document, finding, layer, shop, shopHistory } from '../report/documents.ts'
import { decisionsOf, hostileDocument, traps } from '../report/hostile.ts'

const executablePath = '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : `no ${executablePath}: scripts/tools chromium`

const folder = mkdtempSync(join(tmpdir(), 'dwf-page-'))
let browser: Browser
before(async () => {
  if (skip) return
  // Chromium's sandbox does not run as root, and not where an account may make no user namespace.
  const isRoot = process.getuid?.() === 0
  browser = await chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] })
})
after(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Opened {
  readonly page: Page
  /** Everything that the page must not do: other requests, errors, violations of the policy, dialogs. */
  readonly wrong: string[]
}

interface Options {
  readonly scripts?: boolean
  readonly dark?: boolean
  readonly width?: number
}

async function open(text: string, options: Options = {}): Promise<Opened> {
  const { scripts = true, dark = false, width = 1280 } = options
  const file = join(folder, 'report.html')
  writeFileSync(file, text)
  const address = pathToFileURL(file).href
  const context = await browser.newContext({
    javaScriptEnabled: scripts,
    colorScheme: dark ? 'dark' : 'light',
    viewport: { width, height: 900 },
  })
  const wrong: string[] = []
  // Everything is asked for here first: what is not the page itself is written down and goes nowhere.
  await context.route(
    (url) => url.href !== address,
    (route) => {
      wrong.push(`asks for ${route.request().url()}`)
      return route.abort()
    },
  )
  const page = await context.newPage()
  page.on('console', (message) => wrong.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`)
    return dialog.dismiss()
  })
  page.on('popup', () => wrong.push('opens a window'))
  await page.goto(address)
  return { page, wrong }
}

const close = ({ page }: Opened) => page.context().close()

test('without scripts every finding is visible and there are no filters', { skip }, async () => {
  const opened = await open(await html(shop, shopHistory), { scripts: false })
  const { page, wrong } = opened
  for (const { finding: one, says } of decisionsOf(shop))
    for (const word of [one.id, one.title, one.where.file, says])
      assert.equal(await page.getByText(word).first().isVisible(), true, word)
  assert.equal(await page.locator('.finding:visible').count(), 8)
  assert.equal(await page.locator('#filters').isVisible(), false)
  await page.locator('.components summary').first().click()
  assert.equal(await page.getByRole('cell', { name: 'GPL-2.0-or-later, BSD-4-Clause' }).isVisible(), true)
  assert.deepEqual(wrong, [])
  await close(opened)
})

test('with scripts the filters work, with the keyboard too', { skip }, async () => {
  const opened = await open(await html(shop, shopHistory))
  const { page, wrong } = opened
  const shown = () => page.locator('.finding:visible h4').allInnerTexts()
  const status = page.getByRole('status')
  const filter = (name: string) => page.getByRole('search').getByRole('checkbox', { name, exact: true })
  assert.equal(await status.textContent(), '8 of 8 shown')

  await filter('critical').check()
  assert.deepEqual(await shown(), ['CVE-2026-10234', 'aws-access-key-id'])
  await filter('high').check()
  assert.deepEqual(await shown(), ['CVE-2026-10234', 'aws-access-key-id', 'CVE-2021-23337'])
  await filter('image').check()
  assert.deepEqual(await shown(), ['CVE-2026-10234', 'CVE-2021-23337'])
  assert.equal(await status.textContent(), '2 of 8 shown')
  await page.getByRole('button', { name: 'Show all' }).click()
  assert.equal((await shown()).length, 8)

  await filter('Accepted').check()
  assert.deepEqual(await shown(), ['CVE-2022-25883', 'CVE-2025-14104'])
  assert.equal(await page.getByRole('heading', { name: 'Refusing' }).isVisible(), false)
  await filter('Accepted').uncheck()

  await page.getByRole('searchbox').fill('LODASH package-lock')
  assert.deepEqual(await shown(), ['CVE-2021-23337'])
  await page.getByRole('searchbox').fill('nothing has this in it')
  assert.equal(await page.getByText('No finding fits the filters.').isVisible(), true)
  await page.getByRole('searchbox').press('Enter')
  await page.getByRole('searchbox').fill('')
  assert.equal((await shown()).length, 8)

  await page.getByRole('searchbox').focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  assert.deepEqual(await shown(), ['CVE-2026-10234', 'aws-access-key-id'])

  // A link to a finding that the filters hide shows it.
  const { fingerprint } = decisionsOf(shop).at(-3)!.finding
  await page.evaluate(`location.hash = 'finding-${fingerprint}'`)
  await page.locator(`#finding-${fingerprint}`).waitFor({ state: 'visible' })
  assert.deepEqual(wrong, [])
  await close(opened)
})

test('nothing is cut off or scrolls sideways, on a wide screen, a narrow one and on paper', { skip }, async () => {
  for (const width of [1280, 390]) {
    const opened = await open(await html(shop, shopHistory), { width })
    const { page, wrong } = opened
    const overflow = () => page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    assert.equal(await overflow(), 0, `${width}`)
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.locator('#filters').isVisible(), false)
    assert.equal(await page.locator('.finding:visible').count(), 8)
    assert.deepEqual(wrong, [])
    await close(opened)
  }
})

const contrast = readFileSync(join(import.meta.dirname, 'contrast.js'), 'utf8')

test('it has landmarks, names and contrast, light and dark', { skip }, async () => {
  for (const dark of [false, true]) {
    const opened = await open(await html(shop, shopHistory), { dark })
    const { page } = opened
    const { seen, low } = await page.evaluate<{ seen: number; low: string[] }>(contrast)
    assert.ok(seen > 100, `${seen}`)
    assert.deepEqual(low, [], dark ? 'dark' : 'light')
    for (const role of ['banner', 'main', 'contentinfo', 'search'] as const)
      assert.equal(await page.getByRole(role).count(), 1, role)
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1)
    for (const name of ['Gate', 'Verdict', 'Findings', 'Limit'])
      assert.equal(await page.getByRole('columnheader', { name, exact: true }).count(), 1, name)
    assert.equal(await page.getByRole('img').count(), 1)
    assert.equal(await page.locator('html').getAttribute('lang'), 'en')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the findings')
    await close(opened)
  }
})

test('a hostile finding is text: nothing runs, nothing is asked for, nothing looks like the page', {
  skip,
}, async () => {
  const found = traps.map((trap, index) =>
    decision(
      finding({
        id: trap,
        layer: 'code',
        where: { file: trap, package: trap, version: trap, ...(index % 2 ? { image: trap } : {}) },
        title: trap,
        fixedIn: trap,
        advice: trap,
        references: [trap, `https://evil.example/${trap}`],
        fingerprint: `${trap}${index}`,
      }),
    ),
  )
  const hostile = layer({ layer: 'code', decisions: found, lines: traps, summary: traps.join(' '), subjects: traps })
  const scans = [
    document([hostile], { project: traps.join(' '), run: '"><script>window.pwned=1</script>', commit: '<b>' }),
    ...fc.sample(hostileDocument, 10),
  ]
  for (const scan of scans) {
    const opened = await open(await html(scan, shopHistory))
    const { page, wrong } = opened
    await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true')
    // What waits for a pointer or the focus gets both.
    for (const element of await page.locator('.finding').all()) await element.dispatchEvent('mouseover')
    for (const link of await page.locator('a').all()) await link.focus()
    assert.equal(await page.evaluate('window.pwned'), undefined)
    assert.deepEqual(wrong, [])
    assert.equal(await page.locator('script').count(), 1)
    assert.equal(await page.locator('img, iframe, object, embed, base, link, form').count(), 0)
    await close(opened)
  }
})

const attack = `
  const script = document.createElement('script')
  script.textContent = 'window.pwned = 1'
  const image = document.createElement('img')
  image.src = 'https://evil.example/x.png'
  document.body.append(script, image)`

test('the policy stops what would get through', { skip }, async () => {
  const opened = await open(await html(shop))
  const { page, wrong } = opened
  await page.evaluate(attack)
  await page.waitForTimeout(200)
  assert.equal(await page.evaluate('window.pwned'), undefined)
  assert.equal(wrong.filter((one) => /Content Security Policy/.test(one)).length, 2, wrong.join('\n'))
  assert.ok(!wrong.some((one) => one.startsWith('asks for')), wrong.join('\n'))
  await close(opened)
})

test('without the policy these tests would see it', { skip }, async () => {
  const opened = await open((await html(shop)).replace(/<meta http-equiv[^>]*>/, ''))
  const { page, wrong } = opened
  await page.evaluate(attack)
  await page.waitForTimeout(200)
  assert.equal(await page.evaluate('window.pwned'), 1)
  assert.ok(wrong.includes('asks for https://evil.example/x.png'), wrong.join('\n'))
  await close(opened)
})

test('five thousand findings are shown in seconds', { skip }, async () => {
  const many = Array.from({ length: 5000 }, (_, index) =>
    decision(
      finding({ id: `CVE-2026-${10_000 + index}`, where: { file: 'x.lock', package: `p${index}`, version: '1' } }),
    ),
  )
  const start = Date.now()
  const opened = await open(await html(document([layer({ layer: 'deps', decisions: many })])))
  await opened.page.getByRole('searchbox').fill('p4999')
  assert.equal(await opened.page.locator('.finding:visible').count(), 1)
  assert.ok(Date.now() - start < 30_000, `${Date.now() - start} ms`)
  await close(opened)
})

test('the picture of the documentation', {
  skip: skip || (process.env.DWF_WRITE_SCREENSHOT === '1' ? false : 'DWF_WRITE_SCREENSHOT is not 1'),
}, async () => {
  const opened = await open(await html(shop, shopHistory))
  await opened.page.setViewportSize({ width: 1280, height: 1480 })
  await opened.page.screenshot({ path: join(import.meta.dirname, '../../docs/report.png') })
  assert.deepEqual(opened.wrong, [])
  await close(opened)
})
