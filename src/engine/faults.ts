/** One thing that keeps rootless containers from working, as its message tells it. */
export interface Fault {
  readonly code: string
  /** In what the engine prints. */
  readonly pattern: RegExp
  readonly means: string
  /** What to do; `{user}` and `{uid}` are filled in. */
  readonly fix: string
  /** Commands that need root and that `dwf doctor --fix` can apply after showing them. */
  readonly commands?: readonly (readonly string[])[]
}

/**
 * Messages of Podman 4.3.1, runc, crun, slirp4netns, shadow's newuidmap and Docker 20.10 to 28.2, as they were
 * provoked on Debian 12. The first that fits speaks: special cases stand before general ones.
 */
export const faults: readonly Fault[] = [
  {
    code: 'no-subuid',
    pattern: /no subuid ranges found for user|keep-id requires additional UIDs or GIDs/,
    means: 'the account has no range of subordinate ids',
    fix: 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user} (as root), then podman system migrate',
    commands: [['usermod', '--add-subuids', '100000-165535', '--add-subgids', '100000-165535', '{user}']],
  },
  {
    code: 'no-newuidmap',
    pattern: /exec: "newuidmap": executable file not found/,
    means: 'newuidmap is not installed',
    fix: 'apt-get install uidmap (as root)',
    commands: [['apt-get', 'install', '-y', 'uidmap']],
  },
  {
    code: 'newuidmap-not-setuid',
    pattern: /should have setuid or have filecaps setuid/,
    means: 'newuidmap may not write id maps',
    fix: 'chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap (as root)',
    commands: [['chmod', 'u+s', '/usr/bin/newuidmap', '/usr/bin/newgidmap']],
  },
  {
    code: 'newuidmap-nosuid',
    pattern: /newuidmap: write to uid_map failed|cannot set up namespace using ".*newuidmap"/,
    means: 'newuidmap lies on a file system mounted nosuid, or lost its setuid bit',
    fix: 'remount that file system without nosuid, or chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap (as root)',
  },
  {
    code: 'no-user-namespaces',
    pattern: /cannot clone: No space left on device|user namespaces are not enabled in/,
    means: 'user namespaces are switched off (this is not a full disk)',
    fix: 'sysctl user.max_user_namespaces=15000 (as root)',
    commands: [['sysctl', '-w', 'user.max_user_namespaces=15000']],
  },
  {
    code: 'tun',
    pattern: /open\("\/dev\/net\/tun"\): Permission denied/,
    means: 'the account may not open /dev/net/tun, which rootless networks need',
    fix: 'chmod 666 /dev/net/tun (as root)',
    commands: [['chmod', '666', '/dev/net/tun']],
  },
  {
    code: 'no-tun',
    pattern: /\/dev\/net\/tun.*No such file or directory/,
    means: 'there is no /dev/net/tun, which rootless networks need',
    fix: 'mkdir -p /dev/net; mknod -m 666 /dev/net/tun c 10 200 (as root)',
    commands: [
      ['mkdir', '-p', '/dev/net'],
      ['mknod', '-m', '666', '/dev/net/tun', 'c', '10', '200'],
    ],
  },
  {
    code: 'no-slirp4netns',
    pattern: /could not find slirp4netns/,
    means: 'slirp4netns is not installed',
    fix: 'apt-get install slirp4netns (as root)',
    commands: [['apt-get', 'install', '-y', 'slirp4netns']],
  },
  {
    code: 'crun-hybrid',
    pattern: /crun: cgroups in hybrid mode not supported/,
    means: "crun does not work with this machine's cgroups (v1 and v2 mixed)",
    fix: 'install runc and set runtime = "runc" under [engine] in ~/.config/containers/containers.conf',
  },
  {
    code: 'no-runtime',
    pattern: /no valid executable found for OCI runtime|default OCI runtime ".*" not found/,
    means: 'the container runtime that Podman is configured for is not installed',
    fix: 'apt-get install runc (as root), and runtime = "runc" under [engine] in containers.conf',
    commands: [['apt-get', 'install', '-y', 'runc']],
  },
  {
    code: 'rlimit',
    pattern: /error setting rlimit type \d+: operation not permitted/,
    means: 'the engine asks for a higher limit than this account may have',
    fix: 'set default_ulimits = ["nofile=20000:20000"] under [containers] in containers.conf',
  },
  {
    code: 'runtime-dir-foreign',
    pattern: /XDG_RUNTIME_DIR directory ".*" is not owned by the current user/,
    means: 'XDG_RUNTIME_DIR belongs to somebody else',
    fix: 'export XDG_RUNTIME_DIR=/run/user/{uid}; install -d -m700 -o {user} /run/user/{uid} (as root)',
    commands: [['install', '-d', '-m700', '-o', '{user}', '/run/user/{uid}']],
  },
  {
    code: 'runtime-dir',
    pattern: /path in \$XDG_RUNTIME_DIR must be writable|mkdir \/run\/user\/\d+: permission denied/,
    means: 'XDG_RUNTIME_DIR is missing or not writable',
    fix: 'install -d -m700 -o {user} /run/user/{uid} (as root)',
    commands: [
      ['install', '-d', '-m755', '/run/user'],
      ['install', '-d', '-m700', '-o', '{user}', '/run/user/{uid}'],
    ],
  },
  {
    code: 'runroot-changed',
    pattern: /database storage temporary directory \(runroot\)|database configuration mismatch/,
    means: 'Podman was used with another XDG_RUNTIME_DIR before',
    fix: 'use one XDG_RUNTIME_DIR for all calls, or podman system reset (removes all images)',
  },
  {
    code: 'store-foreign',
    pattern: /creating runtime static files directory: mkdir .*: permission denied/,
    means: 'the image store of this account belongs to somebody else, often since podman ran under sudo',
    fix: 'chown -R {user} ~/.local/share/containers (as root); never run podman with sudo and your HOME',
  },
  {
    code: 'home-read-only',
    pattern: /(bolt_state\.db|db\.sql|storage\.lock|\/containers\/storage\b.*): .*read-only file system/,
    means: 'the image store lies on a read-only file system',
    fix: 'set graphroot in ~/.config/containers/storage.conf to a writable folder',
  },
  {
    code: 'no-space',
    pattern: /no space left on device/i,
    means: 'the disk or XDG_RUNTIME_DIR is full',
    fix: 'free space: podman system prune, dwf image rm; df -h shows where',
  },
  {
    code: 'no-policy',
    pattern: /policy\.json: no such file or directory/,
    means: 'Podman has no signature policy',
    fix: 'apt-get install golang-github-containers-common (as root)',
    commands: [['apt-get', 'install', '-y', 'golang-github-containers-common']],
  },
  {
    code: 'no-conmon',
    pattern: /outdated conmon version|could not find a working conmon binary/,
    means: 'conmon, which Podman needs, does not work',
    fix: 'apt-get install conmon (as root)',
    commands: [['apt-get', 'install', '-y', 'conmon']],
  },
  {
    code: 'catatonit',
    pattern: /\/run\/podman-init": permission denied/,
    means: 'catatonit cannot be executed',
    fix: 'apt-get install --reinstall catatonit (as root)',
    commands: [['apt-get', 'install', '-y', '--reinstall', 'catatonit']],
  },
  {
    code: 'journald',
    pattern: /failed to initialize journal/,
    means: 'Podman is configured to log to a journal that is not there',
    fix: 'set log_driver = "k8s-file" under [containers] in ~/.config/containers/containers.conf',
  },
  {
    code: 'stale-pause',
    pattern: /failed to execvp podman: Permission denied/,
    means: 'an old pause process keeps an old view of the machine',
    fix: 'podman system migrate',
    commands: [['podman', 'system', 'migrate']],
  },
  {
    code: 'clock',
    pattern: /certificate has expired or is not yet valid/,
    means: 'a certificate is out of its time: often the clock of this machine is wrong',
    fix: 'check date; set the clock',
  },
  {
    code: 'tls',
    pattern:
      /certificate signed by unknown authority|self[- ]signed certificate in certificate chain|unable to get local issuer certificate|CERTIFICATE_VERIFY_FAILED/i,
    means: 'a TLS certificate is signed by an authority that is not trusted here',
    fix: 'let the host trust it (/usr/local/share/ca-certificates, update-ca-certificates), or set [container] ca_certificates',
  },
  {
    code: 'registry-http',
    pattern: /server gave HTTP response to HTTPS client/,
    means: 'the registry speaks plain HTTP',
    fix: 'set insecure = true for it in ~/.config/containers/registries.conf, if you trust the way to it',
  },
  {
    code: 'docker-down',
    pattern: /Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API/,
    means: 'no Docker daemon answers',
    fix: 'start it, or install podman',
  },
  {
    code: 'docker-denied',
    pattern: /permission denied while trying to connect to the Docker/,
    means: 'this account may not talk to the Docker daemon',
    fix: 'use rootless Docker or Podman; membership of the docker group is as good as root',
  },
  {
    code: 'no-registry',
    pattern:
      /no such host|connection refused|i\/o timeout|network is unreachable|Temporary failure in name resolution|manifest unknown|pinging container registry|failed to do request|failed to resolve source metadata|pull access denied|StatusCode: (403|404|5\d\d)/i,
    means: 'the image registry cannot be reached, or does not have the image',
    fix: 'check the network; without a registry, dwf image base makes the base image from Debian packages',
  },
  {
    code: 'no-network',
    pattern:
      /Temporary failure resolving|Could not resolve host|Could not connect to|Unable to connect to|getaddrinfo (ENOTFOUND|EAI_AGAIN)|NameResolutionError|Network is unreachable/,
    means: 'what it wanted to fetch could not be reached',
    fix: 'check the network and, behind a proxy, HTTP_PROXY and HTTPS_PROXY',
  },
  {
    code: 'short-name',
    pattern: /short-name ".*" did not resolve/,
    means: 'an image is named without its registry',
    fix: 'write docker.io/library/NAME',
  },
  {
    code: 'bind-source',
    pattern: /statfs .*: no such file or directory/,
    means: 'a folder to be mounted is not there',
    fix: 'look at the path in the message',
  },
]

/** Warnings that engines print on every call and that dwf says in its own words. */
const noise = [
  /Resource limits are not supported and ignored on cgroups V1 rootless/,
  /"\/" is not a shared mount/,
  /User-selected graph driver/,
  /Using rootless single mapping/,
  /Emulate Docker CLI using podman/,
  /Failed, retrying in \d/,
  /Running in rootless-mode without cgroups/,
  /does not support (swap limit capabilities|memory swappiness)/,
]

/** Podman's log lines have quotes escaped where nobody looks at a terminal. */
const plain = (text: string) => text.replaceAll('\\"', '"')

/** What an engine printed, without what is not worth reading. */
export function withoutNoise(text: string): string {
  return text
    .replace(/^goroutine \d+ \[[\s\S]*/m, '') // Podman falls over at times; its own trace helps nobody here.
    .split('\n')
    .filter((line) => line.trim() !== '' && !noise.some((pattern) => pattern.test(plain(line))))
    .join('\n')
}

/**
 * The first fault whose message is in the text, with names filled in.
 * @param codes only these, where other messages cannot be the engine's
 */
export function explain(
  text: string,
  who: { readonly user: string; readonly uid: number },
  codes?: readonly string[],
): Fault | undefined {
  const fault = faults.find(({ code, pattern }) => (codes?.includes(code) ?? true) && pattern.test(plain(text)))
  if (!fault) return undefined
  const fill = (word: string) => word.replaceAll('{user}', who.user).replaceAll('{uid}', String(who.uid))
  return {
    ...fault,
    fix: fill(fault.fix),
    ...(fault.commands ? { commands: fault.commands.map((argv) => argv.map(fill)) } : {}),
  }
}
