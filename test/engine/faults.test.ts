import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildFailure, engineFailure } from '../../src/engine/failure.ts'
import { explain, faults, withoutNoise } from '../../src/engine/faults.ts'

const who = { user: 'ada', uid: 1234 }

/** What Podman 4.3.1, runc 1.1.5, crun 1.8.1, slirp4netns 1.2.0, shadow 4.13 and Docker 20.10 to 28.2 really print. */
const messages: Readonly<Record<string, readonly string[]>> = {
  'no-subuid': [
    'time="2026-11-22T06:00:00Z" level=warning msg="Using rootless single mapping into the namespace. This might break some images. Check /etc/subuid and /etc/subgid for adding sub*ids if not using a network user"\nno subuid ranges found for user "ada" in /etc/subuid - check rootless mode in man pages',
    'Error: keep-id requires additional UIDs or GIDs defined in /etc/subuid and /etc/subgid to function correctly: invalid argument',
  ],
  'no-newuidmap': [
    'Error: command required for rootless mode with multiple IDs: exec: "newuidmap": executable file not found in $PATH',
  ],
  'newuidmap-not-setuid': [
    'newuidmap: write to uid_map failed: Operation not permitted\ntime="2026-11-22T06:00:00Z" level=error msg="running `/usr/bin/newuidmap 90 0 1234 1 1 100000 65536`: newuidmap: write to uid_map failed: Operation not permitted\\n"\nError: cannot set up namespace using "/usr/bin/newuidmap": should have setuid or have filecaps setuid: exit status 1',
  ],
  'newuidmap-nosuid': [
    'newuidmap: write to uid_map failed: Operation not permitted\nError: cannot set up namespace using "/usr/bin/newuidmap": exit status 1',
  ],
  'no-user-namespaces': [
    'cannot clone: No space left on device\nError: cannot re-exec process',
    'user namespaces are not enabled in /proc/sys/user/max_user_namespaces\nError: could not get runtime: cannot re-exec process',
  ],
  tun: ['Error: slirp4netns failed: "open(\\"/dev/net/tun\\"): Permission denied\\nchild failed(1)\\n"'],
  'no-tun': ['Error: slirp4netns failed: "open(\\"/dev/net/tun\\"): No such file or directory\\nchild failed(1)\\n"'],
  'no-slirp4netns': [
    'Error: could not find slirp4netns, the network namespace can\'t be configured: exec: "slirp4netns": executable file not found in $PATH',
  ],
  'crun-hybrid': [
    'Error: OCI runtime error: crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2',
  ],
  'no-runtime': [
    'Error: no valid executable found for OCI runtime runc: invalid argument',
    'Error: default OCI runtime "crun" not found: invalid argument',
  ],
  rlimit: [
    'Error: runc: runc create failed: unable to start container process: error during container init: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted: OCI permission denied',
  ],
  'runtime-dir-foreign': [
    'XDG_RUNTIME_DIR directory "/run/user/1000" is not owned by the current user',
    'time="2026-11-22T06:00:00Z" level=error msg="XDG_RUNTIME_DIR directory \\"/run\\" is not owned by the current user"',
  ],
  'runtime-dir': [
    'Error: stat /run/user/1234: no such file or directory: the path in $XDG_RUNTIME_DIR must be writable by the user',
    'Error: OCI runtime error: runc: mkdir /run/user/1234: permission denied',
  ],
  'runroot-changed': [
    'Error: database storage temporary directory (runroot) "/run/user/1234/containers" does not match our storage temporary directory (runroot) "/tmp/containers-user-1234/containers": database configuration mismatch',
  ],
  'store-foreign': [
    'Error: creating runtime static files directory: mkdir /home/ada/.local/share/containers/storage/libpod: permission denied',
  ],
  'home-read-only': [
    'Error: opening database /home/ada/.local/share/containers/storage/libpod/bolt_state.db: open /home/ada/.local/share/containers/storage/libpod/bolt_state.db: read-only file system',
    'panic: open /srv/ada/store/storage.lock: read-only file system\n\ngoroutine 1 [running]:\ngithub.com/containers/storage/pkg/lockfile.(*lockfile).lock(0xc00035cb90, 0x1, 0x0)',
  ],
  'no-space': [
    'Error: processing tar file(write /usr/lib/x86_64-linux-gnu/libc.so.6: no space left on device): exit status 1',
    'Error: write /run/user/1234/containers/overlay-layers/.tmp-mountpoints.json123: no space left on device',
    "dd: error writing '/big': No space left on device",
  ],
  'no-policy': ['Error: open /etc/containers/policy.json: no such file or directory'],
  'no-conmon': [
    'Error: could not get runtime: please update to v2.0.1 or later: outdated conmon version',
    'Error: could not find a working conmon binary (configured options: [/usr/bin/conmon]): invalid argument',
  ],
  catatonit: [
    'Error: runc: runc create failed: unable to start container process: exec: "/run/podman-init": permission denied: OCI permission denied',
  ],
  journald: [
    'Error: failed to initialize journal: write unixgram @1c2d3->/run/systemd/journal/socket: sendmsg: no such file or directory',
  ],
  'stale-pause': ['failed to execvp podman: Permission denied'],
  clock: [
    'Error: pinging container registry example.com: Get "https://example.com/v2/": x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-01-01T00:00:00Z',
  ],
  tls: [
    'Error: pinging container registry registry.example: Get "https://registry.example/v2/": x509: certificate signed by unknown authority',
    'curl: (60) SSL certificate problem: self-signed certificate in certificate chain',
    'npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to https://registry.example.test/x failed, reason: self-signed certificate in certificate chain',
    '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1028)',
  ],
  'registry-http': [
    'Error: pinging container registry 127.0.0.1:5000: Get "https://127.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client',
  ],
  'docker-down': [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'error during connect: Get "http://10.0.0.1:2375/v1.24/info": dial tcp 10.0.0.1:2375: connect: connection refused',
    'failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running',
  ],
  'docker-denied': [
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/info": dial unix /var/run/docker.sock: connect: permission denied',
  ],
  'no-registry': [
    'Error: creating build container: initializing source docker://nosuch.example/library/debian:13: pinging container registry nosuch.example: Get "https://nosuch.example/v2/": dial tcp: lookup nosuch.example on 10.0.2.3:53: no such host',
    'Error: creating build container: initializing source docker://debian@sha256:1111: reading manifest sha256:1111 in 127.0.0.1:5055/library/debian: manifest unknown: manifest unknown',
    'ERROR: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do request: Head "http://127.0.0.1:9/v2/library/debian/manifests/13": dial tcp 127.0.0.1:9: connect: connection refused',
    'ERROR: failed to solve: debian:nosuch: failed to resolve source metadata for docker.io/library/debian:nosuch: docker.io/library/debian:nosuch: not found',
  ],
  'no-network': [
    "W: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary failure resolving 'deb.debian.org'",
    'npm error code ENOTFOUND\nnpm error errno ENOTFOUND\nnpm error network request to https://registry.example.test/x failed, reason: getaddrinfo ENOTFOUND registry.example.test',
    "fatal: unable to access 'https://example.com/': Could not resolve host: example.com",
  ],
  'short-name': [
    'Error: short-name "node:24" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"',
  ],
  'bind-source': ['Error: statfs /nosuch: no such file or directory'],
}

for (const { code } of faults) {
  test(`${code}: its real messages are explained by it, and by no other`, () => {
    assert.ok(messages[code]?.length, `${code} has a message here`)
    for (const text of messages[code]) {
      const found = explain(text, who)
      assert.equal(found?.code, code, text)
      const words = [found.fix, ...(found.commands ?? []).flat()].join(' ')
      assert.doesNotMatch(words, /[{}]/, 'names are filled in')
    }
  })
}

test('every code is there once', () => {
  assert.deepEqual(Object.keys(messages).sort(), faults.map(({ code }) => code).sort())
})

test('a fix names the account, in words and as a command', () => {
  const found = explain(messages['no-subuid']![0]!, who)!
  assert.equal(
    found.fix,
    'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ada (as root), then podman system migrate',
  )
  assert.deepEqual(found.commands, [
    ['usermod', '--add-subuids', '100000-165535', '--add-subgids', '100000-165535', 'ada'],
  ])
})

test('what engines say on every call is no message', () => {
  const noise = [
    'time="2026-11-22T06:00:00Z" level=warning msg="Resource limits are not supported and ignored on cgroups V1 rootless systems"',
    'time="2026-11-22T06:00:00Z" level=warning msg="\\"/\\" is not a shared mount, this could cause issues or missing mounts with rootless containers"',
    'time="2026-11-22T06:00:00Z" level=warning msg="User-selected graph driver \\"vfs\\" overwritten by graph driver \\"overlay\\" from database"',
    'WARNING: Running in rootless-mode without cgroups. To enable cgroups in rootless-mode, you need to boot the system in cgroup v2 mode.',
    'Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.',
    '',
  ]
  assert.equal(withoutNoise([...noise, 'Error: x'].join('\n')), 'Error: x')
  assert.equal(
    withoutNoise(messages['home-read-only']!.at(-1)!),
    'panic: open /srv/ada/store/storage.lock: read-only file system',
  )
})

test('an engine error in full: what, why, the last words once, the way out', () => {
  const { diagnostics, kind } = engineFailure('cannot list images', messages['no-policy']![0]!)
  assert.equal(kind, 'machine-cannot')
  assert.deepEqual(diagnostics, [
    {
      severity: 'error',
      code: 'no-policy',
      message:
        'cannot list images: Podman has no signature policy\n    Error: open /etc/containers/policy.json: no such file or directory',
      hint: 'apt-get install golang-github-containers-common (as root)',
    },
  ])
  const unknown = engineFailure('cannot list images', 'Error: never seen').diagnostics[0]!
  assert.deepEqual(
    [unknown.code, unknown.message, unknown.hint],
    ['engine', 'cannot list images: the engine says\n    Error: never seen', 'dwf doctor looks for what is wrong'],
  )
})

test('a build that failed: the machine and a command of the Dockerfile are told apart', () => {
  const registry = buildFailure(messages['no-registry']![0]!)
  assert.deepEqual([registry.kind, registry.diagnostics[0]!.code], ['machine-cannot', 'no-registry'])
  // What a command prints is its own: a test server that refuses is no registry.
  for (const said of [
    'connect ECONNREFUSED: connection refused\nError: building at STEP "RUN npm test": while running runtime: exit status 1',
    '0.2 dial tcp: connection refused\nERROR: failed to solve: executor failed running [/bin/sh -c npm test]: exit code: 1',
    'ERROR: failed to solve: process "/bin/sh -c npm test" did not complete successfully: exit code: 1',
  ]) {
    const step = buildFailure(said)
    assert.deepEqual([step.kind, step.diagnostics[0]!.code], ['failed', 'build-step-failed'], said)
  }
  for (const code of ['no-space', 'tls', 'no-network']) {
    const text = `${messages[code]!.at(-1)}\nError: building at STEP "RUN apt-get update": while running runtime: exit status 100`
    const step = buildFailure(text)
    assert.deepEqual([step.kind, step.diagnostics[0]!.code], ['machine-cannot', code], text)
  }
})
