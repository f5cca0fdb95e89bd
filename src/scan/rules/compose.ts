import { posix } from 'node:path'
import { type ComposeFile, type Mount, openPorts, type Service, shown, variablesOf } from './compose-model.ts'
import { imagePin } from './images.ts'
import { holdsPassword, isLiteralSecret, isSecretName } from './secret-names.ts'
import type { FileRule, Found } from './types.ts'
import { get, isTrue, itemsOf, textOf, textsOf, type YamlMap } from './yaml.ts'

type ComposeRule = FileRule<ComposeFile>

const services = 'https://docs.docker.com/reference/compose-file/services'
const security = 'https://docs.docker.com/engine/security'

/** Rights that amount to root on the host (capabilities(7)); the others of the second list are only worth a look. */
const mightyCapabilities =
  /^(CAP_)?(ALL|SYS_ADMIN|SYS_MODULE|SYS_RAWIO|SYS_PTRACE|DAC_READ_SEARCH|BPF|SYS_BOOT|MAC_ADMIN|MAC_OVERRIDE)$/i
const strongCapabilities =
  /^(CAP_)?(NET_ADMIN|SYS_TIME|SYSLOG|PERFMON|SYS_RESOURCE|SYS_NICE|WAKE_ALARM|LINUX_IMMUTABLE|IPC_OWNER|CHECKPOINT_RESTORE)$/i

const engineSocket =
  /(^|\/)((docker|podman|containerd|crio|buildkitd|cri-dockerd)\.sock|run\/(podman|docker|containerd|crio|buildkit|user\/[^/]+))$|^(\/var)?\/run$|^\$\{?XDG_RUNTIME_DIR\b[^/]*$/
const systemFolder =
  /^\/(|etc|proc|sys|dev|boot|root|usr|bin|sbin|lib|lib64|home|var|var\/lib|var\/lib\/(docker|containers|containerd|kubelet))$/
const belowSystem = /^\/(etc|proc|sys|boot|root)\//
const homeSecrets =
  /^(~|\/root|\/home\/[^/]+|\$\{?HOME\}?)(|\/\.(ssh|aws|azure|docker|kube|gnupg|config|config\/gcloud|netrc|npmrc|pypirc|git-credentials)(\/.*)?)$/

const databases = new Map<number, string>([
  [1433, 'SQL Server'],
  [1521, 'Oracle'],
  [2379, 'etcd'],
  [3306, 'MySQL'],
  [5432, 'PostgreSQL'],
  [5984, 'CouchDB'],
  [6379, 'Redis'],
  [7687, 'Neo4j'],
  [8086, 'InfluxDB'],
  [9042, 'Cassandra'],
  [9200, 'Elasticsearch'],
  [11211, 'memcached'],
  [26257, 'CockroachDB'],
  [27017, 'MongoDB'],
])

const wholeDevice =
  /^\/dev\/(mem|kmem|port|sd[a-z]\d*|vd[a-z]\d*|xvd[a-z]\d*|nvme\d+(n\d+(p\d+)?)?|dm-\d+|mapper(\/.*)?|loop-control)?$/

/** Compose files, checked against the specification of 2026: https://github.com/compose-spec/compose-spec. */
export const composeRules: readonly ComposeRule[] = [
  {
    id: 'DWF-COMPOSE-001',
    severity: 'high',
    title: 'a privileged container is root on the host',
    advice: 'name the single capabilities and devices that it needs',
    reference: `${services}/#privileged`,
    look: ({ services }) =>
      services.flatMap(({ name, map }) => [
        ...flag(map, 'privileged', `services.${name}`),
        ...['post_start', 'pre_stop'].flatMap((hook) =>
          itemsOf(get(map, hook)).flatMap((item) => flag(item as YamlMap, 'privileged', `services.${name}.${hook}`)),
        ),
      ]),
  },
  {
    id: 'DWF-COMPOSE-002',
    severity: 'high',
    title: "the host's network: every port of its loopback is open to it",
    advice: 'publish the ports that are needed, on 127.0.0.1 where that will do',
    reference: `${services}/#network_mode`,
    look: ({ services }) => [...valued(services, 'network_mode', /^host$/), ...valued(services, 'net', /^host$/)],
  },
  {
    id: 'DWF-COMPOSE-003',
    severity: 'high',
    title: "the host's processes: it can see them, their environment and, as root, their files",
    advice: 'remove it; share the processes of one other service with "service:NAME"',
    reference: `${services}/#pid`,
    look: ({ services }) => valued(services, 'pid', /^host$/),
  },
  {
    id: 'DWF-COMPOSE-004',
    severity: 'high',
    title: "the host's shared memory: it can read and write that of other programs",
    advice: 'remove it; share that of one other service with "service:NAME"',
    reference: `${services}/#ipc`,
    look: ({ services }) => valued(services, 'ipc', /^host$/),
  },
  {
    id: 'DWF-COMPOSE-005',
    severity: 'medium',
    title: 'a namespace of the host takes a wall away',
    advice: 'remove it',
    reference: `${services}/#userns_mode`,
    look: ({ services }) => ['userns_mode', 'uts', 'cgroup'].flatMap((key) => valued(services, key, /^host$/)),
  },
  {
    id: 'DWF-COMPOSE-006',
    severity: 'high',
    title: 'whoever has the socket of the container engine is root on the host, read-only or not',
    advice: 'put a proxy before it that lets single calls through, or give it a rootless engine of its own',
    reference: `${security}/#docker-daemon-attack-surface`,
    look: ({ mounts, services }) => [
      ...mounted(mounts, ({ source }) => engineSocket.test(source)),
      ...services.flatMap(({ name, map }) => flag(map, 'use_api_socket', `services.${name}`)),
    ],
  },
  {
    id: 'DWF-COMPOSE-007',
    severity: 'high',
    title: 'a folder of the system, open for writing or all of it',
    advice: 'mount the single files that it needs, read-only',
    reference: `${services}/#volumes`,
    look: ({ mounts }) =>
      mounted(
        mounts,
        ({ source, isReadOnly }) =>
          source === '/' ||
          (!isReadOnly &&
            !engineSocket.test(source) &&
            (systemFolder.test(source) || belowSystem.test(source)) &&
            !isClock(source)),
      ),
  },
  {
    id: 'DWF-COMPOSE-008',
    severity: 'medium',
    title: 'a whole folder of the system, read-only',
    advice: 'mount the single files that it needs',
    reference: `${services}/#volumes`,
    look: ({ mounts }) =>
      mounted(mounts, ({ source, isReadOnly }) => source !== '/' && isReadOnly && systemFolder.test(source)),
  },
  {
    id: 'DWF-COMPOSE-009',
    severity: 'high',
    title: 'a capability that amounts to root on the host',
    advice: 'remove it, and drop all others with cap_drop: [ALL]',
    reference: `${services}/#cap_add`,
    look: ({ services }) => listed(services, 'cap_add', (text) => mightyCapabilities.test(text)),
  },
  {
    id: 'DWF-COMPOSE-010',
    severity: 'medium',
    title: 'a capability that containers do not have for a reason',
    advice: 'remove it where the program runs without',
    reference: `${services}/#cap_add`,
    look: ({ services }) => listed(services, 'cap_add', (text) => strongCapabilities.test(text)),
  },
  {
    id: 'DWF-COMPOSE-011',
    severity: 'high',
    title: "the engine's filter of system calls or paths is off",
    advice: 'remove it, or name a profile that allows what is missing',
    reference: `${security}/seccomp/`,
    look: ({ services }) =>
      listed(services, 'security_opt', (text) => /^(seccomp|apparmor|systempaths)\s*[:=]\s*unconfined$/i.test(text)),
  },
  {
    id: 'DWF-COMPOSE-012',
    severity: 'medium',
    title: 'SELinux does not hold it',
    advice: 'let the engine label the volume with ":z" or ":Z"',
    reference: `${services}/#security_opt`,
    look: ({ services }) => listed(services, 'security_opt', (text) => /^label\s*[:=]\s*disable$/i.test(text)),
  },
  {
    id: 'DWF-COMPOSE-013',
    severity: 'medium',
    title: 'an image without a version: what runs changes without a change here',
    advice: 'name a version and its digest: NAME:VERSION@sha256:…',
    reference: `${services}/#image`,
    look: (file) => pulled(file, (pin) => pin === 'moving'),
  },
  {
    id: 'DWF-COMPOSE-014',
    severity: 'low',
    title: 'an image without a digest: its tag can be moved to another',
    advice: 'put the digest behind it: NAME:VERSION@sha256:…',
    reference: `${services}/#image`,
    look: (file) => pulled(file, (pin) => pin === 'tag'),
  },
  {
    id: 'DWF-COMPOSE-015',
    severity: 'medium',
    title: 'a secret is written out',
    advice: 'give it from outside: secrets with a file, or a variable without a default; then change it',
    reference: 'https://docs.docker.com/compose/how-tos/use-secrets/',
    look: ({ services }) =>
      services.flatMap((service) =>
        variablesOf(get(service.map, 'environment')).flatMap(({ name, at, value = '' }) =>
          (isSecretName(name) && isLiteralSecret(value)) || holdsPassword(value)
            ? [{ at, about: `services.${service.name}.environment.${name}` }]
            : [],
        ),
      ),
  },
  {
    id: 'DWF-COMPOSE-016',
    severity: 'medium',
    title: 'a secret as an argument of a build stays in the history of the image',
    advice: 'use build.secrets and RUN --mount=type=secret',
    reference: 'https://docs.docker.com/build/building/secrets/',
    look: ({ services }) =>
      services.flatMap((service) =>
        variablesOf(get(get(service.map, 'build'), 'args')).flatMap(({ name, at, value }) =>
          isSecretName(name) && value !== '' ? [{ at, about: `services.${service.name}.build.args.${name}` }] : [],
        ),
      ),
  },
  {
    id: 'DWF-COMPOSE-017',
    severity: 'low',
    title: 'without no-new-privileges a program with the set-uid bit becomes root in it',
    advice: 'add security_opt: ["no-new-privileges:true"]',
    reference: `${services}/#security_opt`,
    look: ({ services }) => {
      const whole = services.filter(({ map }) => map.entries.has('image') || map.entries.has('build'))
      const open = whole.filter(({ inherits }) => inherits(hasNoNewPrivileges) === false)
      const first = open[0]
      const names = open.map(({ name }) => name).join(', ')
      return first
        ? [{ at: first.at, about: 'services', detail: ` ${open.length === whole.length ? '(all of them)' : names}` }]
        : []
    },
  },
  {
    id: 'DWF-COMPOSE-018',
    severity: 'medium',
    title: 'it is told to run as root',
    advice: 'name a user without rights, such as "1001:1001"',
    reference: `${services}/#user`,
    look: ({ services }) => valued(services, 'user', /^(root|0+)(:.*)?$/),
  },
  {
    id: 'DWF-COMPOSE-019',
    severity: 'low',
    title: 'a database is open to every network of the host; published ports pass by its firewall',
    advice: 'publish it on 127.0.0.1, or not at all: services of one network reach each other',
    reference: 'https://docs.docker.com/engine/network/port-publishing/',
    look: ({ services }) =>
      services.flatMap((service) =>
        openPorts(service).flatMap(({ at, from, to }) =>
          [...databases].flatMap(([port, name]) =>
            port >= from && port <= to ? [{ at, about: `services.${service.name}.ports ${port} (${name})` }] : [],
          ),
        ),
      ),
  },
  {
    id: 'DWF-COMPOSE-020',
    severity: 'high',
    title: "a device that holds the host's memory or disks",
    advice: 'name the single device that it needs',
    reference: `${services}/#devices`,
    look: ({ services }) => [
      ...services.flatMap(({ name, map }) =>
        itemsOf(get(map, 'devices')).flatMap((item) => {
          const source = shown(textOf(item.kind === 'map' ? get(item, 'source') : item)).split(':')[0]!
          const path = source === '' ? '' : posix.normalize(source).replace(/(?<=.)\/$/, '')
          return wholeDevice.test(path) || path === '/dev'
            ? [{ at: item.at, about: `services.${name}.devices ${path}` }]
            : []
        }),
      ),
      ...listed(services, 'device_cgroup_rules', (text) => /^[abc]\s+\*:\*\s+\w*w/.test(text)),
    ],
  },
  {
    id: 'DWF-COMPOSE-021',
    severity: 'medium',
    title: 'a part of it comes from a file that no rule looks at',
    advice: 'keep it in the repository, named compose.NAME.yml',
    reference: 'https://docs.docker.com/compose/how-tos/multiple-compose-files/include/',
    look: ({ foreign }) => foreign.map(({ about, at, file }) => ({ about: `${about} ${file}`, at })),
  },
  {
    id: 'DWF-COMPOSE-022',
    severity: 'medium',
    title: 'it runs a program on the host, in no container',
    advice: 'run it by hand, or as a service with an image',
    reference: `${services}/#provider`,
    look: ({ services }) =>
      services.flatMap(({ name, map }) => {
        const type = get(get(map, 'provider'), 'type')
        return type ? [{ at: type.at, about: `services.${name}.provider ${textOf(type) ?? ''}` }] : []
      }),
  },
  {
    id: 'DWF-COMPOSE-023',
    severity: 'high',
    title: 'a build without walls: what the Dockerfile runs can reach the host',
    advice: 'remove it, and build in steps that need no such right',
    reference: 'https://docs.docker.com/reference/compose-file/build/#entitlements',
    look: ({ services }) =>
      services.flatMap(({ name, map }) => {
        const build = get(map, 'build')
        const about = `services.${name}.build`
        return [
          ...(build?.kind === 'map' ? flag(build, 'privileged', about) : []),
          ...textsOf(get(build, 'entitlements')).flatMap(({ text, at }) =>
            text === 'security.insecure' ? [{ at, about: `${about}.entitlements ${text}` }] : [],
          ),
        ]
      }),
  },
  {
    id: 'DWF-COMPOSE-024',
    severity: 'medium',
    title: "a build in the host's network: every port of its loopback is open to the Dockerfile",
    advice: 'remove it',
    reference: 'https://docs.docker.com/reference/compose-file/build/#network',
    look: ({ services }) =>
      services.flatMap(({ name, map }) => {
        const build = get(map, 'build')
        return [...textsOf(get(build, 'network')), ...textsOf(get(build, 'entitlements'))].flatMap(({ text, at }) =>
          /^(host|network\.host)$/.test(shown(text)) ? [{ at, about: `services.${name}.build ${text}` }] : [],
        )
      }),
  },
  {
    id: 'DWF-COMPOSE-025',
    severity: 'medium',
    title: "a home folder, or a person's keys in it",
    advice: 'give it the single secret that it needs, with secrets',
    reference: 'https://docs.docker.com/compose/how-tos/use-secrets/',
    look: ({ mounts }) => mounted(mounts, ({ source }) => homeSecrets.test(source) && source !== '/root'),
  },
]

/** /etc/localtime and its like say nothing and are mounted everywhere; what writes to them is only confused itself. */
const isClock = (source: string): boolean => /^\/etc\/(localtime|timezone)$/.test(source)

function flag(value: YamlMap, key: string, about: string): readonly Found[] {
  const found = value.kind === 'map' ? value.entries.get(key) : undefined
  return found && isTrue(found.value) ? [{ at: found.at, about: `${about}.${key}` }] : []
}

function valued(all: readonly Service[], key: string, pattern: RegExp): readonly Found[] {
  return all.flatMap(({ name, map }) => {
    const found = map.entries.get(key)
    const text = shown(textOf(found?.value)).trim()
    return found && pattern.test(text) ? [{ at: found.at, about: `services.${name}.${key}` }] : []
  })
}

function listed(all: readonly Service[], key: string, test: (text: string) => boolean): readonly Found[] {
  return all.flatMap(({ name, map }) =>
    textsOf(get(map, key)).flatMap(({ text, at }) => {
      const value = shown(text).trim()
      return test(value) ? [{ at, about: `services.${name}.${key} ${value}` }] : []
    }),
  )
}

function mounted(mounts: readonly Mount[], test: (mount: Mount) => boolean): readonly Found[] {
  return mounts.filter(test).map(({ about, at, source }) => ({ at, about: `${about} ${source}` }))
}

function pulled({ services: all, built }: ComposeFile, test: (pin: ReturnType<typeof imagePin>) => boolean) {
  return all.flatMap(({ name, map }): readonly Found[] => {
    const image = map.entries.get('image')
    const text = shown(textOf(image?.value))
    if (!image || map.entries.has('build') || built.has(text) || !test(imagePin(text))) return []
    return [{ at: image.value.at, about: `services.${name}.image`, detail: ` ${text}` }]
  })
}

function hasNoNewPrivileges(map: YamlMap): boolean {
  return textsOf(get(map, 'security_opt')).some(({ text }) =>
    /^no-new-privileges(\s*[:=]\s*true)?$/i.test(shown(text).trim()),
  )
}
