import { posix } from 'node:path'
import { Unreadable } from './types.ts'
import {
  entriesOf,
  get,
  isTrue,
  itemsOf,
  textOf,
  textsOf,
  type YamlEntry,
  type YamlMap,
  type YamlValue,
} from './yaml.ts'

/** A service as one file defines it; `extends` is not followed in `map`, since the base is judged where it stands. */
export interface Service {
  readonly name: string
  /** Of its key. */
  readonly at: number
  readonly map: YamlMap
  /** What is true of it or of a service that it extends, as far as that is known; undefined where it is not. */
  readonly inherits: (holds: (map: YamlMap) => boolean) => boolean | undefined
}

/** A folder or file of the host in a container. */
export interface Mount {
  /** Where it is mounted: `services.web.volumes`. */
  readonly about: string
  readonly at: number
  /** Absolute, or with `~` for the home of whoever starts it; no slash at its end. */
  readonly source: string
  readonly isReadOnly: boolean
}

export interface ComposeFile {
  readonly root: YamlMap
  readonly services: readonly Service[]
  readonly mounts: readonly Mount[]
  /** Names of images that are built here, so that a second service that uses one pulls nothing. */
  readonly built: ReadonlySet<string>
  /** Other files that it takes parts of, and which nobody looks at. */
  readonly foreign: readonly { readonly about: string; readonly at: number; readonly file: string }[]
}

/** Finds another Compose file that was read, by its path from the root. */
export type FindCompose = (path: string) => YamlValue | undefined

/** Throws `Unreadable` where the file is of no shape that Compose takes. */
export function composeFile(path: string, value: YamlValue, find: FindCompose): ComposeFile | undefined {
  if (value.kind === 'text' && value.isNull) return undefined
  if (value.kind !== 'map') throw new Unreadable('a Compose file is a map', value.at)
  const all = value.entries.get('services')?.value
  if (all && all.kind !== 'map' && !(all.kind === 'text' && all.isNull))
    throw new Unreadable('services is no map', all.at)
  const services = entriesOf(all).map(({ key, at, value: map }): Service => {
    if (map.kind !== 'map') throw new Unreadable(`services.${key} is no map`, at)
    return { name: key, at, map, inherits: (holds) => inherits(map, { path, root: value }, find, holds) }
  })
  return {
    root: value,
    services,
    mounts: [...services.flatMap(mountsOf), ...volumeMounts(value), ...fileMounts(value)],
    built: new Set(
      services
        .flatMap(({ map }) => (map.entries.has('build') ? [shown(textOf(get(map, 'image')))] : []))
        .filter(Boolean),
    ),
    foreign: foreignFiles(path, value, services, find),
  }
}

function inherits(
  map: YamlMap,
  place: { readonly path: string; readonly root: YamlValue },
  find: FindCompose,
  holds: (map: YamlMap) => boolean,
  depth = 0,
): boolean | undefined {
  if (holds(map)) return true
  const from = get(map, 'extends')
  if (!from || depth > 16) return from ? undefined : false
  const file = textOf(get(from, 'file'))
  const name = textOf(from) ?? textOf(get(from, 'service')) ?? ''
  const path = file === undefined ? place.path : join(place.path, file)
  const root = file === undefined ? place.root : find(path)
  const base = get(get(root, 'services'), name)
  return base?.kind === 'map' && root ? inherits(base, { path, root }, find, holds, depth + 1) : undefined
}

const join = (path: string, file: string): string => posix.normalize(posix.join(posix.dirname(path), shown(file)))

/** `extends.file`, and `include` in its forms: a path, `{ path }`, `{ path: [] }`; also of the network. */
function foreignFiles(path: string, root: YamlMap, services: readonly Service[], find: FindCompose) {
  const files = [
    ...services.flatMap(({ name, map }) => {
      const file = get(get(map, 'extends'), 'file')
      return textsOf(file).map((one) => ({ about: `services.${name}.extends`, at: one.at, file: one.text }))
    }),
    ...includes(root).map((one) => ({ about: 'include', at: one.at, file: one.text })),
  ]
  return files.filter(({ file }) => find(join(path, file)) === undefined)
}

function includes(root: YamlMap) {
  const value = get(root, 'include')
  const items = value?.kind === 'list' ? value.items : value ? [value] : []
  return items.flatMap((item) => textsOf(item.kind === 'map' ? get(item, 'path') : item))
}

function mountsOf({ name, map }: Service): readonly Mount[] {
  const about = `services.${name}.volumes`
  const value = get(map, 'volumes')
  const items = value?.kind === 'list' ? value.items : value ? [value] : []
  return items.flatMap((item): readonly Mount[] => {
    if (item.kind === 'map') {
      const source = get(item, 'source') ?? get(item, 'src')
      const isReadOnly = isTrue(get(item, 'read_only')) || isTrue(get(item, 'readonly'))
      return source ? mount(about, source.at, textOf(source), isReadOnly) : []
    }
    const [source, target, mode] = parts(shown(textOf(item)))
    return target === undefined ? [] : mount(about, item.at, source, /(^|,)(ro|readonly)(,|$)/.test(mode ?? ''))
  })
}

/** A named volume can be a folder of the host too: the local driver binds what its options say. */
function volumeMounts(root: YamlMap): readonly Mount[] {
  return entriesOf(get(root, 'volumes')).flatMap(({ key, value }) => {
    const options = get(value, 'driver_opts')
    const device = get(options, 'device')
    if (!device || !/(^|,)r?bind(,|$)/.test(textOf(get(options, 'o')) ?? '')) return []
    return mount(
      `volumes.${key}.driver_opts`,
      device.at,
      textOf(device),
      /(^|,)ro(,|$)/.test(textOf(get(options, 'o'))!),
    )
  })
}

/** Files of `configs` and `secrets` are bound into the container, read-only. */
function fileMounts(root: YamlMap): readonly Mount[] {
  return ['configs', 'secrets'].flatMap((section) =>
    entriesOf(get(root, section)).flatMap(({ key, value }) => {
      const file = get(value, 'file')
      return file ? mount(`${section}.${key}.file`, file.at, textOf(file), true) : []
    }),
  )
}

function mount(about: string, at: number, text: string | undefined, isReadOnly: boolean): readonly Mount[] {
  const path = shown(text).replace(/^\$(HOME|\{HOME\})(?=\/|$)/, '~')
  if (!/^[/~$]/.test(path)) return []
  const source = posix.normalize(path).replace(/(?<=.)\/+$/, '')
  return [{ about, at, source, isReadOnly }]
}

/** `SOURCE:TARGET:MODE` at the colons that are in no variable. */
function parts(text: string): readonly string[] {
  return text
    .replace(/\$\{[^}$]*\}/g, (variable) => variable.replaceAll(':', '\u0000'))
    .split(':')
    .map((part) => part.replaceAll('\u0000', ':'))
}

/** With variables replaced by the default that the file gives them: that is what runs where nobody sets one. */
export function shown(text: string | undefined): string {
  let result = text ?? ''
  for (let round = 0; round < 8 && result.includes('${'); round++) {
    const next = result.replace(/\$\{[A-Za-z_]\w*:?-([^{}$]*)\}/g, '$1').replace(/\$\{[A-Za-z_]\w*:?\+[^{}$]*\}/g, '')
    if (next === result) break
    result = next
  }
  return result
}

/** `environment` and `args` in both forms, as names and values. A value that is not given comes from outside. */
export function variablesOf(
  value: YamlValue | undefined,
): readonly { readonly name: string; readonly at: number; readonly value?: string }[] {
  if (value?.kind === 'map')
    return entriesOf(value).map(({ key, at, value: one }: YamlEntry) => {
      const text = textOf(one)
      return { name: key, at, ...(text === undefined ? {} : { value: text }) }
    })
  return itemsOf(value).flatMap((item) => {
    const text = textOf(item)
    if (text === undefined) return []
    const equals = text.indexOf('=')
    return equals < 0
      ? [{ name: text, at: item.at }]
      : [{ name: text.slice(0, equals), at: item.at, value: text.slice(equals + 1) }]
  })
}

interface Ports {
  readonly at: number
  readonly from: number
  readonly to: number
}

/** The container's side of the ports that are open to every interface of the host, as ranges. */
export function openPorts({ map }: Service): readonly Ports[] {
  return itemsOf(get(map, 'ports')).flatMap((item) => {
    if (item.kind === 'map') {
      const address = shown(textOf(get(item, 'host_ip')))
      const isOpen = address === '' || isAnyAddress(address)
      return isOpen && get(item, 'published') ? range(item.at, shown(textOf(get(item, 'target')))) : []
    }
    const text = shown(textOf(item)).replace(/\/(tcp|udp|sctp)$/, '')
    const match = /^(?:(\[[^\]]*\]|[^:]*):)?([^:]*):([\d-]+)$/.exec(text)
    if (!match) return /^[\d-]+$/.test(text) ? range(item.at, text) : []
    return match[1] === undefined || isAnyAddress(match[1]) ? range(item.at, match[3]!) : []
  })
}

const isAnyAddress = (text: string): boolean => /^(0\.0\.0\.0|\[?::\]?|)$/.test(text)

function range(at: number, text: string): readonly Ports[] {
  const [from, to] = text.split('-').map(Number)
  if (from === undefined || !Number.isInteger(from) || from < 1 || from > 65_535) return []
  const last = to !== undefined && Number.isInteger(to) && to >= from && to <= 65_535 ? to : from
  return [{ at, from, to: last }]
}
