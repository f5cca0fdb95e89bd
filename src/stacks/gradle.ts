import type { OfferedTask, Setup, StackUnit, Tree } from '../project/types.ts'
import { type Span, spanAt } from '../util/diagnostics.ts'
import { jdkMentions, sdkman } from './jvm-requests.ts'
import { bareUnit, inDir, isBelow, joinRequests, optional } from './unit.ts'
import { type Mention, prefixRange, request, toolVersions } from './versions.ts'
import { missingOf } from './vocabulary.ts'

const settingsNames = ['settings.gradle', 'settings.gradle.kts'] as const
const scriptNames = ['build.gradle', 'build.gradle.kts'] as const

interface Script {
  readonly file: string
  readonly text: string
}

/** One unit for each Gradle build: a folder with settings, or with a build script that no settings lie above. */
export function gradleUnits(stack: 'java' | 'kotlin', tree: Tree, folders: readonly string[]): readonly StackUnit[] {
  const roots: string[] = []
  const units: StackUnit[] = []
  for (const dir of folders) {
    const files = [...settingsNames, ...scriptNames].map((name) => inDir(dir, name)).filter((file) => tree.has(file))
    // Builds inside a build (buildSrc, build-logic, included ones) run as part of it.
    if (files.length === 0 || roots.some((root) => isBelow(dir, root))) continue
    roots.push(dir)
    if (isDriven(tree, dir)) continue
    const scripts = readScripts(tree, folders, dir)
    if (scripts.some(usesKotlin) !== (stack === 'kotlin')) continue
    units.push(unit(stack, tree, folders, dir, files[0]!, scripts))
  }
  return units
}

/** A Flutter or React Native application has its Android build in a folder that those tools drive. */
function isDriven(tree: Tree, dir: string): boolean {
  return (
    /(?:^|\/)android$/.test(dir) &&
    ['package.json', 'pubspec.yaml'].some((name) => tree.has(`${dir.slice(0, -'android'.length)}${name}`))
  )
}

function readScripts(tree: Tree, folders: readonly string[], dir: string): readonly Script[] {
  const names = [...settingsNames, ...scriptNames, 'gradle/libs.versions.toml', 'gradle.properties']
  return folders
    .filter((one) => one === dir || isBelow(one, dir))
    .flatMap((one) => names.map((name) => inDir(one, name)))
    .concat(inDir(dir, 'buildSrc/build.gradle.kts'))
    .flatMap((file) => {
      const text = tree.text(file)
      return text === undefined ? [] : [{ file, text }]
    })
}

/** A script in Kotlin makes no project in Kotlin: the plugin does. */
function usesKotlin({ text }: Script): boolean {
  return /\bkotlin\(\s*["'](?:jvm|multiplatform|android|js)["']|org\.jetbrains\.kotlin[.:]|kotlin-gradle-plugin|\bid\s*\(?\s*["']kotlin["']/.test(
    text,
  )
}

const gradle = (...words: readonly string[]): readonly string[] => ['gradle', '--no-daemon', '--offline', ...words]

function unit(
  stack: 'java' | 'kotlin',
  tree: Tree,
  folders: readonly string[],
  dir: string,
  manifest: string,
  scripts: readonly Script[],
): StackUnit {
  const has = (pattern: RegExp): boolean => scripts.some(({ text }) => pattern.test(text))
  const inBuild = folders.filter((one) => one === dir || isBelow(one, dir))
  const hasTests = inBuild.some((one) =>
    ['test', 'commonTest', 'jvmTest'].some((set) => tree.isDirectory(inDir(one, `src/${set}`))),
  )
  const suite = ['integrationTest', 'integration-test', 'intTest'].find((name) =>
    inBuild.some((one) => tree.isDirectory(inDir(one, `src/${name}`))),
  )
  const isMultiplatform = has(/\bmultiplatform\b/)
  const tasks: readonly OfferedTask[] = [
    ...formatTasks(has),
    ...lintTasks(has),
    { command: 'build:debug', argv: gradle(isMultiplatform ? 'assemble' : 'testClasses') },
    { command: 'build:release', argv: gradle('assemble') },
    ...(hasTests ? [{ command: 'test:unit', argv: gradle(isMultiplatform ? 'allTests' : 'test') }] : []),
    ...(suite === undefined
      ? []
      : [{ command: 'test:integration', argv: gradle(suite === 'integration-test' ? 'integrationTest' : suite) }]),
    { command: 'package:artifact', argv: gradle('assemble') },
  ]
  const jdk = request('java', jdkMentions(tree, dir, buildJdk(scripts, dir)))
  const tool = request('gradle', [
    ...toolVersions(tree, dir, 'gradle'),
    ...sdkman(tree, dir, 'gradle', prefixRange),
    wrapper(tree, dir),
  ])
  const requests = joinRequests([jdk, tool])
  const plugin = (what: string): string => `apply the plugin ${what} in ${manifest}`
  return {
    ...bareUnit(stack, dir, manifest),
    manager: 'gradle',
    ...optional('name', nameOf(scripts, dir)),
    toolchains: requests.toolchains,
    caches: [{ name: 'gradle', env: { GRADLE_USER_HOME: '/cache/gradle' } }],
    setup: setup(tree, dir, scripts),
    tasks,
    missing: missingOf(tasks, {
      'fmt:check': plugin('com.diffplug.spotless'),
      'fmt:fix': plugin('com.diffplug.spotless'),
      'lint:static': plugin(stack === 'kotlin' ? 'io.gitlab.arturbosch.detekt' : 'checkstyle'),
      'test:unit': `add tests to ${inDir(dir, 'src/test')}/`,
      'test:integration': `add a test suite "integrationTest" to ${manifest}`,
    }),
    diagnostics: requests.diagnostics,
  }
}

function formatTasks(has: (pattern: RegExp) => boolean): readonly OfferedTask[] {
  const found = [
    { pattern: /com\.diffplug\.spotless/, check: 'spotlessCheck', fix: 'spotlessApply' },
    { pattern: /org\.jlleitschuh\.gradle\.ktlint/, check: 'ktlintCheck', fix: 'ktlintFormat' },
    { pattern: /org\.jmailen\.kotlinter/, check: 'lintKotlin', fix: 'formatKotlin' },
    { pattern: /io\.spring\.javaformat/, check: 'checkFormat', fix: 'format' },
  ].find(({ pattern }) => has(pattern))
  if (!found) return []
  return [
    { command: 'fmt:check', argv: gradle(found.check) },
    { command: 'fmt:fix', argv: gradle(found.fix) },
  ]
}

function lintTasks(has: (pattern: RegExp) => boolean): readonly OfferedTask[] {
  if (has(/\bdetekt\b/)) return [{ command: 'lint:static', argv: gradle('detekt') }]
  const plugin = (name: string): RegExp =>
    new RegExp(`(?:id\\s*\\(?\\s*["']${name}["']|^[ \\t]*${name}[ \\t]*$|apply plugin:\\s*["']${name}["'])`, 'm')
  const found = (['checkstyle', 'pmd'] as const).filter((name) => has(plugin(name)))
  return found.length === 0 ? [] : [{ command: 'lint:static', argv: gradle(...found.map((name) => `${name}Main`)) }]
}

/**
 * The JDK that the scripts of a build ask for: the root's or that of its conventions where they say, else the highest
 * of any project in it. Projects of one build may differ: the JDK of the image is one, and a later one compiles for all.
 */
function buildJdk(scripts: readonly Script[], dir: string): readonly Mention[] {
  const own = (file: string): boolean =>
    scriptNames.some((name) => file === inDir(dir, name)) || /(?:^|\/)(?:buildSrc|build-logic)\//.test(file)
  const first = scripts.filter(({ file }) => own(file)).flatMap(javaOf)[0]
  if (first) return [first]
  const all = scripts.flatMap(javaOf)
  const release = (one: Mention): number => Number(one.asked)
  return all.toSorted((a, b) => release(b) - release(a)).slice(0, 1)
}

/** What a build script says of the JDK; a toolchain is that very release, a compatibility is at least it. */
function javaOf({ file, text }: Script): readonly Mention[] {
  const forms: readonly (readonly [RegExp, (version: string) => string])[] = [
    [/JavaLanguageVersion\.of\(\s*["']?(\d+)["']?\s*\)/, (version) => version],
    [/\bjvmToolchain\(\s*(\d+)\s*\)/, (version) => version],
    [
      /\b(?:source|target)Compatibility\s{0,9}=?\s{0,9}(?:JavaVersion\.VERSION_(?:1_)?|["']?(?:1\.)?)(\d+)/,
      (version) => `>=${version}.0.0`,
    ],
    [/\bjvmTarget(?:\.set\(|\s*=)\s*(?:JvmTarget\.JVM_(?:1_)?|["']?(?:1\.)?)(\d+)/, (version) => `>=${version}.0.0`],
  ]
  for (const [pattern, toRange] of forms) {
    const match = pattern.exec(text)
    if (match)
      return [{ asked: match[1]!, range: toRange(match[1]!), where: place(file, text, match.index, match[0].length) }]
  }
  return []
}

function place(file: string, text: string, offset: number, length: number): Span {
  const before = text.slice(0, offset)
  return spanAt(file, text, before.split('\n').length, offset - before.lastIndexOf('\n'), length)
}

/** The wrapper downloads a Gradle; the image has the one that it names, and its hash is known where it is pinned. */
function wrapper(tree: Tree, dir: string): Mention | undefined {
  const file = inDir(dir, 'gradle/wrapper/gradle-wrapper.properties')
  const text = tree.text(file) ?? ''
  const match = /^distributionUrl\s*=.*gradle-(\d+(?:\.\d+)*)-(?:bin|all)\.zip/m.exec(text)
  if (!match) return undefined
  const sum = /^distributionSha256Sum\s*=\s*([0-9a-f]{64})\s*$/m.exec(text)?.[1]
  return {
    asked: match[1]!,
    range: prefixRange(match[1]!),
    where: place(file, text, match.index, match[0].length),
    integrity: sum === undefined ? undefined : `sha256.${sum}`,
  }
}

function nameOf(scripts: readonly Script[], dir: string): string | undefined {
  const settings = scripts.find(({ file }) => settingsNames.some((name) => file === inDir(dir, name)))
  return /^[ \t]*rootProject\.name[ \t]*=[ \t]*["']([^"'$]+)["']/m.exec(settings?.text ?? '')?.[1]
}

/** Resolves every configuration of every project, also those that are only needed when tests run. */
const resolveAll = `allprojects {
  tasks.register("dwfFetch") {
    doLast {
      (configurations + buildscript.configurations).findAll { it.canBeResolved }.each {
        it.incoming.artifactView { lenient(true) }.files.files
      }
    }
  }
}`

/**
 * Gradle learns what to fetch by running the build scripts and their plugins, so there are no two halves. What it
 * resolved is then there for --offline.
 */
function setup(tree: Tree, dir: string, scripts: readonly Script[]): Setup {
  const others = [
    'gradle.lockfile',
    'buildscript-gradle.lockfile',
    'gradle/verification-metadata.xml',
    'gradle/wrapper/gradle-wrapper.properties',
  ]
  const line =
    'script=$(mktemp -d)/fetch.gradle && printf "%s\\n" "$1" > "$script" && exec gradle --no-daemon --no-configuration-cache --init-script "$script" dwfFetch'
  return {
    lockFiles: [
      ...scripts.map(({ file }) => file),
      ...others.map((name) => inDir(dir, name)).filter((file) => tree.has(file)),
    ],
    online: ['sh', '-c', line, 'sh', resolveAll],
    split: false,
    outputs: ['/cache/gradle/caches'],
    note: 'Gradle runs the build scripts and their plugins to learn what to fetch: it cannot be split; gradlew is not used',
  }
}
