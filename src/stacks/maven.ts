import { readSource } from '../project/manifest.ts'
import type { CacheUse, OfferedTask, Setup, StackUnit, Tree } from '../project/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { jdkMentions } from './jvm-requests.ts'
import { bareUnit, inDir, isBelow, joinRequests, optional } from './unit.ts'
import { type Mention, minimumRange, prefixRange, request, toolVersions } from './versions.ts'
import { missingOf } from './vocabulary.ts'
import { readXml, type XmlText } from './xml.ts'

/** One unit for each pom.xml that no pom.xml above it builds as a module; those of the wanted language only. */
export function mavenUnits(stack: 'java' | 'kotlin', tree: Tree, folders: readonly string[]): readonly StackUnit[] {
  const roots: string[] = []
  const units: StackUnit[] = []
  for (const dir of folders) {
    const manifest = inDir(dir, 'pom.xml')
    const source = readSource(tree, manifest)
    // Below a pom.xml another one is its module, or a sample that its build copies.
    if (!source || roots.some((root) => isBelow(dir, root))) continue
    roots.push(dir)
    const parsed = readXml(manifest, source.text)
    const problem = source.problem ?? (parsed.ok ? undefined : syntax(parsed))
    const texts = parsed.ok ? parsed.texts : []
    const isKotlin = texts.some((one) => one.text === 'kotlin-maven-plugin')
    if (isKotlin !== (stack === 'kotlin')) continue
    units.push(
      problem ? { ...bareUnit(stack, dir, manifest), diagnostics: [problem] } : unit(stack, tree, folders, dir, texts),
    )
  }
  return units
}

function syntax(failed: { message: string; where: NonNullable<Diagnostic['where']> }): Diagnostic {
  return { severity: 'error', code: 'manifest-syntax', message: failed.message, where: failed.where }
}

/** Maven reads MAVEN_ARGS since 3.9, which is the oldest that images and Debian 13 have. */
const cache: CacheUse = { name: 'maven', env: { MAVEN_ARGS: '-Dmaven.repo.local=/cache/maven/repository' } }

const mvn = (...words: readonly string[]): readonly string[] => [
  'mvn',
  '--batch-mode',
  '--no-transfer-progress',
  '--offline',
  ...words,
]

function unit(
  stack: 'java' | 'kotlin',
  tree: Tree,
  folders: readonly string[],
  dir: string,
  texts: readonly XmlText[],
): StackUnit {
  const manifest = inDir(dir, 'pom.xml')
  const poms = folders
    .filter((one) => one === dir || isBelow(one, dir))
    .map((one) => inDir(one, 'pom.xml'))
    .filter((file) => tree.has(file))
  const has = (artifact: string): boolean =>
    texts.some((one) => one.path.endsWith('/plugin/artifactId') && one.text === artifact)
  const hasTests = poms.some((pom) => tree.isDirectory(pom.replace(/pom\.xml$/, 'src/test')))
  const tasks: readonly OfferedTask[] = [
    ...formatTasks(has),
    ...lintTasks(has),
    { command: 'build:debug', argv: mvn('test-compile') },
    { command: 'build:release', argv: mvn('package', '-DskipTests') },
    ...(hasTests ? [{ command: 'test:unit', argv: mvn('test') }] : []),
    ...(has('maven-failsafe-plugin') ? [{ command: 'test:integration', argv: mvn('verify') }] : []),
    { command: 'package:artifact', argv: mvn('package', '-DskipTests') },
  ]
  const name = texts.find((one) => one.path === 'project/artifactId')
  const jdk = request('java', jdkMentions(tree, dir, pomJava(texts)))
  const maven = request('maven', [...toolVersions(tree, dir, 'maven'), wrapper(tree, dir)])
  const requests = joinRequests([jdk, maven])
  const plugin = (what: string): string => `add the plugin ${what} to ${manifest}`
  return {
    ...bareUnit(stack, dir, manifest),
    manager: 'maven',
    ...optional('name', name?.text),
    toolchains: requests.toolchains,
    caches: [cache],
    setup: setup(tree, dir, poms),
    tasks,
    missing: missingOf(tasks, {
      'fmt:check': plugin('spotless-maven-plugin'),
      'fmt:fix': plugin('spotless-maven-plugin'),
      'lint:static': plugin('maven-checkstyle-plugin, maven-pmd-plugin or spotbugs-maven-plugin'),
      'test:unit': `add tests to ${inDir(dir, 'src/test')}/`,
      'test:integration': plugin('maven-failsafe-plugin'),
    }),
    diagnostics: requests.diagnostics,
  }
}

function formatTasks(has: (artifact: string) => boolean): readonly OfferedTask[] {
  const found = [
    { plugin: 'spotless-maven-plugin', check: 'spotless:check', fix: 'spotless:apply' },
    { plugin: 'spring-javaformat-maven-plugin', check: 'spring-javaformat:validate', fix: 'spring-javaformat:apply' },
    {
      plugin: 'fmt-maven-plugin',
      check: 'com.spotify.fmt:fmt-maven-plugin:check',
      fix: 'com.spotify.fmt:fmt-maven-plugin:format',
    },
  ].find(({ plugin }) => has(plugin))
  if (!found) return []
  return [
    { command: 'fmt:check', argv: mvn(prefixed(found.plugin, found.check)) },
    { command: 'fmt:fix', argv: mvn(prefixed(found.plugin, found.fix)) },
  ]
}

/** Maven finds a plugin of another group by its short name only when the pom.xml declares it, as it does here. */
function prefixed(plugin: string, goal: string): string {
  return plugin === 'fmt-maven-plugin' ? goal.replace(/^.*:/, 'fmt:') : goal
}

function lintTasks(has: (artifact: string) => boolean): readonly OfferedTask[] {
  const goals = [
    ['maven-checkstyle-plugin', 'checkstyle:check'],
    ['maven-pmd-plugin', 'pmd:check'],
    ['spotbugs-maven-plugin', 'spotbugs:check'],
  ] as const
  const found = goals.filter(([plugin]) => has(plugin)).map(([, goal]) => goal)
  return found.length === 0 ? [] : [{ command: 'lint:static', argv: mvn('compile', ...found) }]
}

/** The places of a pom.xml that name a Java release, the strongest first; values that are properties are looked up. */
function pomJava(texts: readonly XmlText[]): readonly Mention[] {
  const property = (name: string): XmlText | undefined => texts.find((one) => one.path === `project/properties/${name}`)
  const names = [
    'maven.compiler.release',
    'java.version',
    'maven.compiler.source',
    'jdk.version',
    'maven.compiler.target',
  ]
  const compiler = texts.find((one) => /\/plugin\/configuration\/(?:release|source)$/.test(one.path))
  const found = names.flatMap((name) => property(name) ?? [])[0] ?? compiler
  if (!found) return []
  const reference = /^\$\{([^}]+)\}$/.exec(found.text)?.[1]
  const value = reference === undefined ? found : property(reference)
  return value === undefined
    ? []
    : [{ asked: value.text, range: minimumRange(value.text.replace(/^1\.(?=\d)/, '')), where: value.where }]
}

/** The wrapper downloads a Maven; the image has the one that it names. */
function wrapper(tree: Tree, dir: string): Mention | undefined {
  const file = inDir(dir, '.mvn/wrapper/maven-wrapper.properties')
  const text = tree.text(file) ?? ''
  const line = text.split('\n').findIndex((one) => one.startsWith('distributionUrl'))
  const asked = /apache-maven-(\d+(?:\.\d+)*)-bin/.exec(text.split('\n')[line] ?? '')?.[1]
  if (asked === undefined) return undefined
  // A later patch of the same minor version behaves alike, and the image need not be built for each of them.
  const range =
    prefixRange(asked) === undefined ? undefined : `~${asked.split('.').concat('0', '0').slice(0, 3).join('.')}`
  return {
    asked,
    range,
    where: {
      file,
      line: line + 1,
      column: 1,
      endColumn: (text.split('\n')[line] ?? '').length + 1,
      text: text.split('\n')[line] ?? '',
    },
  }
}

/**
 * `go-offline` leaves out a part of what plugins need, so the build is run once without its checks and tests, whatever
 * comes of it. Surefire looks for the provider of the test framework, and JUnit's launcher in the version of its engine,
 * only when tests run: those are named from what is there. Seen with Surefire 3.5.4.
 */
const goOffline = `set -e
mvn --batch-mode --no-transfer-progress dependency:go-offline
mvn --batch-mode --no-transfer-progress --fail-never verify -DskipTests -Dcheckstyle.skip -Dpmd.skip -Dspotbugs.skip \\
  -Dspotless.check.skip -Dspring-javaformat.skip
repo=$(printf '%s' "$MAVEN_ARGS" | sed 's/^-Dmaven.repo.local=//')
get() { mvn --batch-mode --no-transfer-progress --quiet dependency:get -Dartifact="$1"; }
versions() { find "$repo/$1" -name "*.$2" 2>/dev/null | sed 's|/[^/]*$||; s|.*/||' | sort -u; }
for version in $(versions org/apache/maven/surefire/maven-surefire-common jar); do
  if [ -d "$repo/org/junit/platform" ]; then get "org.apache.maven.surefire:surefire-junit-platform:$version"
  elif [ -d "$repo/org/testng" ]; then get "org.apache.maven.surefire:surefire-testng:$version"
  else get "org.apache.maven.surefire:surefire-junit4:$version"; fi
done
for version in $(versions org/junit/platform/junit-platform-engine jar); do
  get "org.junit.platform:junit-platform-launcher:$version"
done`

function setup(tree: Tree, dir: string, poms: readonly string[]): Setup {
  const settings = ['.mvn/maven.config', '.mvn/extensions.xml', '.mvn/settings.xml'].map((name) => inDir(dir, name))
  return {
    lockFiles: [...poms, ...settings.filter((file) => tree.has(file))],
    online: ['sh', '-c', goOffline],
    split: false,
    outputs: ['/cache/maven/repository'],
    note: 'Maven only learns what a build needs by running its plugins: it cannot be split; it has no lock file, its keys are the pom.xml files; mvnw is not used',
  }
}
