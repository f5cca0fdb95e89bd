import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parsePurl, purlMatches, purlType } from '../../../src/scan/policy/purl.ts'
import { hostile } from './rig.ts'

test('a package URL is taken apart and decoded', () => {
  assert.deepEqual(parsePurl('pkg:npm/%40angular/core@12.3.1?arch=x64&empty=#src/main'), {
    type: 'npm',
    namespace: '@angular',
    name: 'core',
    version: '12.3.1',
    qualifiers: new Map([['arch', 'x64']]),
    subpath: 'src/main',
  })
  assert.deepEqual(parsePurl('PKG:/Deb/Debian/openssl@1.1.1n-0%2Bdeb11u5'), {
    type: 'deb',
    namespace: 'debian',
    name: 'openssl',
    version: '1.1.1n-0+deb11u5',
    qualifiers: new Map(),
    subpath: '',
  })
  assert.equal(parsePurl('pkg:npm/@angular/core')?.namespace, '@angular')
  assert.equal(parsePurl('pkg:pypi/Flask_SQLAlchemy@2')?.name, 'flask-sqlalchemy')
  for (const text of ['', 'pkg:', 'pkg:npm', 'pkg:npm/', 'npm/lodash', 'pkg:npm/%zz', 'pkg:1x/lodash', 'pkg:/lodash'])
    assert.equal(parsePurl(text), undefined, text)
})

test('one that was written down means a package when all that it says is so', () => {
  const found = 'pkg:deb/debian/openssl@1.1.1n?arch=amd64&distro=debian-12'
  const meaning = [
    'pkg:deb/debian/openssl',
    'pkg:DEB/Debian/openssl@1.1.1n',
    'pkg:deb/debian/openssl@1.1.1n?distro=debian-12',
  ]
  for (const wanted of meaning) assert.ok(purlMatches(wanted, found), wanted)
  const other = [
    'pkg:rpm/debian/openssl',
    'pkg:deb/ubuntu/openssl',
    'pkg:deb/openssl',
    'pkg:deb/debian/OpenSSL',
    'pkg:deb/debian/openssl@1.1.1',
    'pkg:deb/debian/openssl?arch=arm64',
    'pkg:deb/debian/openssl?epoch=1',
    'pkg:deb/debian/openssl#lib',
    'openssl',
    '',
  ]
  for (const wanted of other) assert.ok(!purlMatches(wanted, found), wanted)
  assert.ok(!purlMatches('pkg:npm/lodash', undefined))
  assert.ok(!purlMatches('lodash', 'lodash'))
})

test('names and versions of any characters come back as they were', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (name, version) => {
      const text = `pkg:npm/${encodeURIComponent(name)}@${encodeURIComponent(version)}`
      const purl = parsePurl(text)
      assert.deepEqual([purl?.name, purl?.version], [name, version])
      assert.ok(purlMatches(text, text))
    }),
  )
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const text = `pkg:npm/${a}@${b}`
      const purl = parsePurl(text)
      assert.equal(purlMatches(text, text), purl !== undefined)
      assert.equal(purlType(text), 'npm')
    }),
  )
  assert.equal(purlType(undefined), '')
})
