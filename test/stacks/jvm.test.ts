/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts as other languages read them */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readXml } from '../../src/stacks/xml.ts'
import { asked, commands, said, unit, units } from './rig.ts'

const pom = (inner: string): string =>
  `<?xml version="1.0"?>\n<project>\n<artifactId>shop</artifactId>\n${inner}\n</project>\n`
const plugin = (name: string): string =>
  `<build><plugins><plugin><artifactId>${name}</artifactId></plugin></plugins></build>`
const mvn = 'mvn --batch-mode --no-transfer-progress --offline'
const gradle = 'gradle --no-daemon --offline'

test('Maven', (t) => {
  const found = unit(t, {
    'pom.xml': pom(`<properties><java.version>21</java.version></properties>${plugin('maven-checkstyle-plugin')}`),
    'src/test/java/A.java': '',
    mvnw: '',
    '.mvn/wrapper/maven-wrapper.properties': 'distributionUrl=https://x/apache-maven-3.9.9-bin.zip\n',
  })
  assert.deepEqual([found.stack, found.manager, found.name], ['java', 'maven', 'shop'])
  assert.deepEqual(commands(found), {
    'lint:static': `${mvn} compile checkstyle:check`,
    'build:debug': `${mvn} test-compile`,
    'build:release': `${mvn} package -DskipTests`,
    'test:unit': `${mvn} test`,
    'package:artifact': `${mvn} package -DskipTests`,
  })
  assert.deepEqual(asked(found), [
    'java >=21.0.0 pom.xml:4:27-29',
    'maven ~3.9.9 .mvn/wrapper/maven-wrapper.properties:1:1-53',
  ])
  assert.deepEqual(found.caches, [{ name: 'maven', env: { MAVEN_ARGS: '-Dmaven.repo.local=/cache/maven/repository' } }])
  assert.equal(found.setup?.split, false)
  assert.equal(found.setup?.fetch, undefined)
  assert.equal(found.setup?.online?.[0], 'sh')
  assert.deepEqual(found.setup?.lockFiles, ['pom.xml'])
  assert.match(found.setup?.note ?? '', /cannot be split.*no lock file.*mvnw is not used/)
})

test('Maven: modules belong to their parent; the Java release may be a property, or 1.8', (t) => {
  const found = units(t, {
    'pom.xml': pom(
      '<modules><module>a</module></modules><properties><maven.compiler.release>${jdk}</maven.compiler.release><jdk>1.8</jdk></properties>',
    ),
    'a/pom.xml': pom(''),
    'a/src/test/java/A.java': '',
  })
  assert.deepEqual(
    found.map((one) => [one.dir, asked(one)[0]]),
    [['', 'java >=8.0.0 pom.xml:4:110-113']],
  )
  assert.deepEqual(found[0]?.setup?.lockFiles, ['pom.xml', 'a/pom.xml'])
})

test('Maven with Kotlin', (t) => {
  assert.equal(unit(t, { 'pom.xml': pom(plugin('kotlin-maven-plugin')) }).stack, 'kotlin')
})

test('a pom.xml that cannot be read', (t) => {
  const cases = {
    '<project><a></b></project>': '1:13: expected </a>, found </b>',
    '<project>\n<a>': '2:4: </a> is missing',
    '<!DOCTYPE x [<!ENTITY a "b">]><project/>': '1:1: a document type is not allowed here',
    '<project>a < b</project>': '1:12: this is no XML element',
  }
  for (const [text, message] of Object.entries(cases)) {
    assert.deepEqual(said(unit(t, { 'pom.xml': text })), [`error manifest-syntax pom.xml:${message}`])
  }
})

test('XML: comments, CDATA, entities, attributes, white space', () => {
  const good = readXml('x', '<a b=">">\n<!-- <d>1</d> --><e> 1 &lt; <![CDATA[<2>]]>\n</e><f/><g></g></a>')
  assert.deepEqual(good.ok && good.texts.map(({ path, text, where }) => [path, text, where.line, where.column]), [
    ['a/e', '1 < <2>', 2, 22],
  ])
})

test('Gradle', (t) => {
  const found = unit(t, {
    'settings.gradle.kts': 'rootProject.name = "shop"\n',
    'build.gradle.kts':
      'plugins {\n  java\n  checkstyle\n}\njava { toolchain { languageVersion = JavaLanguageVersion.of(21) } }\n',
    'gradle/wrapper/gradle-wrapper.properties': `distributionUrl=https\\://services.gradle.org/distributions/gradle-8.10-bin.zip\ndistributionSha256Sum=${'a'.repeat(64)}\n`,
    'src/test/java/A.java': '',
    'app/build.gradle.kts': '',
    'app/src/integrationTest/java/B.java': '',
  })
  assert.deepEqual(
    [found.stack, found.manager, found.name, found.manifest],
    ['java', 'gradle', 'shop', 'settings.gradle.kts'],
  )
  assert.deepEqual(commands(found), {
    'lint:static': `${gradle} checkstyleMain`,
    'build:debug': `${gradle} testClasses`,
    'build:release': `${gradle} assemble`,
    'test:unit': `${gradle} test`,
    'test:integration': `${gradle} integrationTest`,
    'package:artifact': `${gradle} assemble`,
  })
  assert.deepEqual(asked(found), [
    'java 21 build.gradle.kts:5:38-64',
    'gradle 8.10 gradle/wrapper/gradle-wrapper.properties:1:1-79',
  ])
  assert.equal(found.toolchains[1]?.integrity, `sha256.${'a'.repeat(64)}`)
  assert.equal(found.setup?.split, false)
  assert.deepEqual(found.setup?.lockFiles, [
    'settings.gradle.kts',
    'build.gradle.kts',
    'app/build.gradle.kts',
    'gradle/wrapper/gradle-wrapper.properties',
  ])
})

test('Gradle with a Kotlin plugin is kotlin; a script in Kotlin alone is not', (t) => {
  const stack = (script: string) => unit(t, { 'build.gradle.kts': script }).stack
  assert.equal(stack('plugins { java }'), 'java')
  assert.equal(stack('plugins { kotlin("jvm") version "2.2.0" }'), 'kotlin')
  assert.equal(stack('plugins { id("org.jetbrains.kotlin.jvm") }'), 'kotlin')
  const catalog = unit(t, {
    'build.gradle.kts': 'plugins { alias(libs.plugins.k) }',
    'gradle/libs.versions.toml': '[plugins]\nk = { id = "org.jetbrains.kotlin.jvm" }\n',
  })
  assert.equal(catalog.stack, 'kotlin')
  const lint = unit(t, {
    'build.gradle.kts':
      'plugins { kotlin("jvm")\n id("io.gitlab.arturbosch.detekt")\n id("org.jlleitschuh.gradle.ktlint") }\nkotlin { jvmToolchain(21) }',
  })
  assert.deepEqual(
    [commands(lint)['lint:static'], commands(lint)['fmt:check'], asked(lint)[0]],
    [`${gradle} detekt`, `${gradle} ktlintCheck`, 'java 21 build.gradle.kts:4:10-26'],
  )
})

test('Gradle: where projects of a build ask for several JDKs, the highest is taken; the root decides where it says', (t) => {
  const files = {
    'settings.gradle': '',
    'a/build.gradle': 'kotlin { jvmToolchain(17) }',
    'b/build.gradle': 'java { toolchain { languageVersion = JavaLanguageVersion.of(25) } }',
  }
  assert.equal(asked(unit(t, files))[0], 'java 25 b/build.gradle:1:38-64')
  assert.equal(
    asked(unit(t, { ...files, 'build.gradle': "sourceCompatibility = '11'" }))[0],
    'java >=11.0.0 build.gradle:1:1-26',
  )
})

test('the Android half of a mobile application is not a unit of its own', (t) => {
  const files = {
    'app/package.json': '{"scripts": {"test": "x"}}',
    'app/android/settings.gradle': '',
    'app/android/app/build.gradle': '',
  }
  assert.deepEqual(
    units(t, files).map((one) => one.stack),
    ['node'],
  )
})

test('versions: .java-version and .sdkmanrc win over the build', (t) => {
  const build = { 'build.gradle': 'java { toolchain { languageVersion = JavaLanguageVersion.of(17) } }' }
  const found = unit(t, { ...build, '.sdkmanrc': '# x\njava=21.0.2-tem\ngradle=8.10\n' })
  assert.deepEqual(asked(found), ['java 21 .sdkmanrc:2:6-16', 'gradle 8.10 .sdkmanrc:3:8-12'])
  assert.deepEqual(
    said(found).map((one) => one.slice(0, 46)),
    ['warning toolchain-disagreement .sdkmanrc:2:6: '],
  )
  assert.equal(asked(unit(t, { ...build, '.java-version': '17.0' }))[0], 'java 17 .java-version:1:1-5')
})
