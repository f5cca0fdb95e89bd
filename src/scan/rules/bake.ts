import type { BakeFile, BakeTarget } from './bake-model.ts'
import type { HclValue } from './hcl.ts'
import { imagePin } from './images.ts'
import { holdsPassword, isLiteralSecret, isSecretName } from './secret-names.ts'
import type { FileRule, Found } from './types.ts'

const reference = 'https://docs.docker.com/build/bake/reference/'

/** Bake files, checked against the reference of Buildx 0.30. */
export const bakeRules: readonly FileRule<BakeFile>[] = [
  {
    id: 'DWF-BAKE-001',
    severity: 'high',
    title: 'a build without walls: what the Dockerfile runs is root on the builder',
    advice: 'remove it, and build in steps that need no such right',
    reference: `${reference}#targetentitlements`,
    look: (file) => having(file, ['entitlements'], (text) => text === 'security.insecure'),
  },
  {
    id: 'DWF-BAKE-002',
    severity: 'medium',
    title: "a build in the builder's network: every port of its loopback is open to the Dockerfile",
    advice: 'remove it',
    reference: `${reference}#targetnetwork`,
    look: (file) => [
      ...having(file, ['network'], (text) => text === 'host'),
      ...having(file, ['entitlements'], (text) => text === 'network.host'),
    ],
  },
  {
    id: 'DWF-BAKE-003',
    severity: 'medium',
    title: 'a secret as an argument of a build stays in the history of the image',
    advice: 'use secret = ["type=env,id=NAME"] and RUN --mount=type=secret',
    reference: 'https://docs.docker.com/build/building/secrets/',
    look: ({ targets }) =>
      targets.flatMap((target) => {
        const args = target.attributes.get('args')?.value
        const about = `target.${target.name}.args`
        // Where the names have to be worked out, any text may be one.
        if (args?.kind === 'open')
          return args.texts.flatMap(({ text, at }) => (isSecretName(text) ? [{ at, about: `${about}.${text}` }] : []))
        const entries = args?.kind === 'map' ? args.entries : []
        return entries.flatMap(({ key, at, value }) =>
          isSecretName(key) && !isNothing(value) ? [{ at, about: `${about}.${key}` }] : [],
        )
      }),
  },
  {
    id: 'DWF-BAKE-004',
    severity: 'medium',
    title: 'a secret is written out',
    advice: 'leave the default empty and set the variable from outside; then change it',
    reference: `${reference}#variable`,
    look: ({ variables }) =>
      variables.flatMap(({ name, at, default: value }) => {
        const text = value?.kind === 'text' && !value.isBare ? value.text : ''
        const isSecret = (isSecretName(name) && isLiteralSecret(text)) || holdsPassword(text)
        return isSecret ? [{ at: value?.at ?? at, about: `variable.${name}` }] : []
      }),
  },
  {
    id: 'DWF-BAKE-005',
    severity: 'medium',
    title: 'an image without a version: what is built on changes without a change here',
    advice: 'name a version and its digest: docker-image://NAME:VERSION@sha256:…',
    reference: `${reference}#targetcontexts`,
    look: (file) => images(file, 'moving'),
  },
  {
    id: 'DWF-BAKE-006',
    severity: 'low',
    title: 'an image without a digest: its tag can be moved to another',
    advice: 'put the digest behind it: docker-image://NAME:VERSION@sha256:…',
    reference: `${reference}#targetcontexts`,
    look: (file) => images(file, 'tag'),
  },
  {
    id: 'DWF-BAKE-007',
    severity: 'low',
    title: 'a cache in a registry: who can write it decides what later builds are made of',
    advice: 'write it in builds of the default branch only, and read another one in pull requests',
    reference: 'https://docs.docker.com/build/cache/backends/registry/',
    look: (file) =>
      having(
        file,
        ['cache-to'],
        (text) => /(^|,)type=registry(,|$)/.test(text) || /^[\w.-]+(:\d+)?\/[\w./-]+(:[\w.-]+)?$/.test(text),
      ),
  },
  {
    id: 'DWF-BAKE-008',
    severity: 'low',
    title: 'every run of it pushes, also one of a pull request',
    advice: 'leave the output out, and say --push where it is meant',
    reference: `${reference}#targetoutput`,
    look: (file) => having(file, ['output'], (text) => /(^|,)(type=registry|push=true)(,|$)/.test(text)),
  },
  {
    id: 'DWF-BAKE-009',
    severity: 'low',
    title: 'what the Dockerfile runs can log in with the keys of whoever builds',
    advice: 'use a key that can only read what is needed',
    reference: `${reference}#targetssh`,
    look: (file) => having(file, ['ssh'], (text) => text === 'default'),
  },
  {
    id: 'DWF-BAKE-010',
    severity: 'medium',
    title: 'a build of something in the network that can change at any time',
    advice: 'name the commit: …git#FULL_SHA',
    reference: 'https://docs.docker.com/build/concepts/context/#remote-context',
    look: (file) => having(file, ['context', 'contexts', 'dockerfile'], isMovingRemote),
  },
]

/** What `having` shows of a text may not be a secret: the attributes that it looks at hold none. */
function having(
  { targets, texts }: BakeFile,
  attributes: readonly string[],
  test: (text: string) => boolean,
): readonly Found[] {
  return eachAttribute(targets, attributes, (value, about) =>
    texts(value).flatMap(({ text, at }) => (test(text.trim()) ? [{ at, about: `${about} ${text.trim()}` }] : [])),
  )
}

function images({ targets, texts }: BakeFile, pin: 'moving' | 'tag'): readonly Found[] {
  return eachAttribute(targets, ['contexts'], (value, about) =>
    texts(value).flatMap(({ text, at }) => {
      const image = /^docker-image:\/\/(.*)$/s.exec(text.trim())?.[1]
      return image !== undefined && imagePin(image) === pin ? [{ at, about, detail: ` ${image}` }] : []
    }),
  )
}

function eachAttribute(
  targets: readonly BakeTarget[],
  names: readonly string[],
  look: (value: HclValue, about: string) => readonly Found[],
): readonly Found[] {
  return targets.flatMap((target) =>
    names.flatMap((name) => {
      const attribute = target.attributes.get(name)
      return attribute ? look(attribute.value, `target.${target.name}.${name}`) : []
    }),
  )
}

/** Git and HTTP addresses; one with a commit, or a checksum, says what it is. */
function isMovingRemote(text: string): boolean {
  if (!/^(https?:\/\/|git:\/\/|git@|ssh:\/\/|github\.com\/)/.test(text)) return false
  return !/#[0-9a-f]{40}(:|$)/.test(text) && !/[?&](checksum|commit)=/.test(text) && !/\$\{/.test(text)
}

function isNothing(value: HclValue): boolean {
  return value.kind === 'text' && (value.text === '' || (value.isBare && value.text === 'null'))
}
