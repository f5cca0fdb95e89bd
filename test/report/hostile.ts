import fc from 'fast-check'
import { scanLayers } from '../../src/config/commands.ts'
import { severities } from '../../src/scan/severity.ts'
import type {
  Component,
  Decision,
  Finding,
  FindingPlace,
  LayerResult,
  Rule,
  ScanDocument,
} from '../../src/scan/types.ts'

/** Each of these is structure in one of the languages that reports are written in. */
export const traps: readonly string[] = [
  ']]>',
  '<!--',
  '-->',
  '</script>',
  '</style>',
  '<script>window.pwned=1</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  '`onfocus=alert(1) autofocus`',
  '{{title}}',
  '{{{title}}}',
  '&lt;b&gt;',
  '&#60;',
  'javascript:alert(1)',
  'https://evil.example/"onclick="alert(1)',
  'https://user:word@evil.example/',
  'data:text/html,<script>1</script>',
  '::error::',
  '::stop-commands::x',
  '##[error]',
  '\n::error file=x::pwned',
  '%0A::error::x',
  'a,line=1::b',
  '| cell |',
  '\\|',
  '`` ` ``',
  '[link](https://evil.example)',
  '![image](https://evil.example/x.png)',
  '](https://evil.example)',
  '@everyone',
  'org/repo#1',
  'www.evil.example',
  'https://evil.example/',
  'me@evil.example',
  '*bold* _it_ ~~x~~',
  '\r\n',
  '\u0000\u0001\u001b[2J',
  '\u202e\u2066\u061c',
  '\u2028\u2029\u0085',
  '\ufffe\uffff',
  '\ud800',
  '../../etc/passwd',
  '%2e%2e/x?y#z',
  '//evil.example/x',
  '__proto__',
  '',
]

export const hostileText = fc.oneof(
  fc.constantFrom(...traps),
  fc
    .array(fc.oneof(fc.constantFrom(...traps), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 4 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)

const optional = <K extends string, T>(key: K, values: fc.Arbitrary<T>) =>
  fc.option(values, { nil: undefined }).map((value) => (value === undefined ? {} : { [key]: value })) as fc.Arbitrary<{
    [P in K]?: T
  }>

const all = <T extends readonly unknown[]>(...parts: { [I in keyof T]: fc.Arbitrary<T[I]> }) =>
  fc.tuple(...parts).map((values) => Object.assign({}, ...values))

const position = fc.integer({ min: 1, max: 5000 })

const place: fc.Arbitrary<FindingPlace> = all(
  fc.record({ file: hostileText }),
  optional('image', hostileText),
  optional('line', position),
  optional('endLine', position),
  optional('column', position),
  optional('package', hostileText),
  optional('version', hostileText),
  optional('purl', hostileText),
)

const layerName = fc.constantFrom(...scanLayers)

const finding: fc.Arbitrary<Finding> = all(
  fc.record({
    id: hostileText,
    severity: fc.constantFrom(...severities),
    layer: layerName,
    scanner: fc.constantFrom('trivy', 'dwf', 'semgrep'),
    where: place,
    title: hostileText,
    references: fc.array(hostileText, { maxLength: 3 }),
    // Of a real one nothing is hostile; that they differ is what the properties count by.
    fingerprint: fc.uuid(),
  }),
  optional('aliases', fc.array(hostileText, { maxLength: 2 })),
  optional('fixedIn', hostileText),
  optional('advice', hostileText),
)

const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.constant<Rule>({ kind: 'limit' }),
  fc.constant<Rule>({ kind: 'no-fix' }),
  hostileText.map((text): Rule => ({ kind: 'ignore', source: text, reason: text })),
  hostileText.map((text): Rule => ({ kind: 'vex', source: text, status: 'not_affected' })),
  fc.constant<Rule>({ kind: 'suppressed', by: 'inline' }),
  hostileText.map((text): Rule => ({ kind: 'baseline', source: text, since: text })),
)

const decision: fc.Arbitrary<Decision> = fc
  .record({ finding, refuses: fc.boolean(), rule, says: hostileText })
  .map((one) => (one.refuses ? { ...one, rule: { kind: 'limit' } } : one))

const component: fc.Arbitrary<Component> = all(
  fc.record({
    name: hostileText,
    version: hostileText,
    licenses: fc.array(hostileText, { maxLength: 2 }),
    file: hostileText,
  }),
  optional('purl', hostileText),
  optional('image', hostileText),
)

const layer: fc.Arbitrary<LayerResult> = all<[LayerResult, object]>(
  fc.record({
    layer: layerName,
    verdict: fc.constantFrom('passed', 'refused', 'broken'),
    summary: hostileText,
    limit: hostileText,
    scanners: fc.array(fc.record({ name: fc.constantFrom('trivy', 'semgrep'), version: hostileText }), {
      maxLength: 2,
    }),
    subjects: fc.array(fc.oneof(fc.constant('repository'), hostileText), { maxLength: 2 }),
    scannedAt: fc.integer({ min: -8.64e15, max: 8.64e15 }),
    isCached: fc.boolean(),
    decisions: fc.array(decision, { maxLength: 6 }),
    components: fc.array(component, { maxLength: 3 }),
    lines: fc.array(hostileText, { maxLength: 3 }),
    ms: fc.integer({ min: 0, max: 1e9 }),
  }) as fc.Arbitrary<LayerResult>,
  optional('database', hostileText),
).map((one: LayerResult) => ({
  ...one,
  decisions: one.decisions.map((each) => ({ ...each, finding: { ...each.finding, layer: one.layer } })),
}))

/** Documents whose every text may be anything, as they are read from a file that somebody else wrote. */
export const hostileDocument: fc.Arbitrary<ScanDocument> = all<[ScanDocument, object]>(
  fc.record({
    schema: fc.constant('dwf.scan/1'),
    dwf: hostileText,
    run: hostileText,
    project: hostileText,
    at: fc.integer({ min: -8.64e15, max: 8.64e15 }),
    ok: fc.boolean(),
    layers: fc.array(layer, { maxLength: 4 }),
  }) as fc.Arbitrary<ScanDocument>,
  optional('commit', hostileText),
)

export const decisionsOf = (document: ScanDocument): readonly Decision[] =>
  document.layers.flatMap(({ decisions }) => decisions)
