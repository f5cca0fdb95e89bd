import type { ToolchainRecipe } from './types.ts'

/**
 * How each tool comes into the image. Where official images keep things was read off their histories in November 2026;
 * Debian's versions are those of Debian 13. A tool without an image and without Debian packages comes from a registry.
 */
const recipes: readonly ToolchainRecipe[] = [
  {
    tool: 'node',
    image: 'docker.io/library/node',
    copy: ['/usr/local/bin/node', '/usr/local/include/node', '/usr/local/lib/node_modules'],
    links: [
      ['/usr/local/bin/npm', '../lib/node_modules/npm/bin/npm-cli.js'],
      ['/usr/local/bin/npx', '../lib/node_modules/npm/bin/npx-cli.js'],
    ],
    // Node 25 and later link to libatomic.
    packages: ['libatomic1', 'libgcc-s1', 'libstdc++6'],
    // node-gyp would download the headers that lie beside the binary.
    env: { npm_package_config_node_gyp_nodedir: '/usr/local' },
    debian: { packages: ['nodejs', 'npm'], version: '20.19.2', env: { npm_package_config_node_gyp_nodedir: '/usr' } },
    smoke: ['sh', '-c', 'node --version && npm --version'],
  },
  { tool: 'pnpm', npm: 'pnpm', needs: ['node'], smoke: ['pnpm', '--version'] },
  { tool: 'yarn', npm: 'yarn', needs: ['node'], smoke: ['yarn', '--version'] },
  // Yarn 2 and later are published under this name; `yarn` stays at 1.
  { tool: 'yarn-berry', npm: '@yarnpkg/cli-dist', needs: ['node'], smoke: ['yarn', '--version'] },
  {
    tool: 'bun',
    npm: 'bun',
    needs: ['node'],
    smoke: ['bun', '--version'],
  },
  {
    tool: 'python',
    image: 'docker.io/library/python',
    copy: ['/usr/local/bin', '/usr/local/include', '/usr/local/lib'],
    packages: [
      ...['ca-certificates', 'libbz2-1.0', 'libdb5.3t64', 'libffi8', 'libgdbm6t64', 'liblzma5', 'libncursesw6'],
      ...['libreadline8t64', 'libsqlite3-0', 'libssl3t64', 'libuuid1', 'libzstd1', 'netbase', 'tzdata', 'zlib1g'],
    ],
    // The interpreter finds its library by itself; what else links to it asks the loader.
    run: ['ldconfig'],
    debian: { packages: ['python-is-python3', 'python3', 'python3-pip', 'python3-venv'], version: '3.13.5' },
    smoke: ['python', '-c', 'import bz2, ctypes, lzma, pip, readline, sqlite3, ssl, venv, zlib'],
  },
  { tool: 'uv', pypi: 'uv', needs: ['python'], smoke: ['uv', '--version'] },
  { tool: 'poetry', pypi: 'poetry', needs: ['python'], smoke: ['poetry', '--version'] },
  {
    tool: 'rust',
    image: 'docker.io/library/rust',
    copy: ['/usr/local/rustup', '/usr/local/cargo'],
    tighten: true,
    packages: ['ca-certificates', 'gcc', 'libc6-dev'],
    env: { RUSTUP_HOME: '/usr/local/rustup' },
    // The compiler's own folder comes before rustup's stand-ins: these would read rust-toolchain.toml and download what
    // it names. The image has neither clippy nor rustfmt.
    path: ['/usr/local/rust/bin', '/usr/local/cargo/bin'],
    run: [
      'CARGO_HOME=/usr/local/cargo rustup component add clippy rustfmt',
      'ln -s "$(rustc --print sysroot)" /usr/local/rust',
    ],
    debian: { packages: ['cargo', 'gcc', 'libc6-dev', 'rust-clippy', 'rustc', 'rustfmt'], version: '1.85.0' },
    smoke: ['sh', '-c', 'cargo --version && rustc --version && cargo clippy --version && cargo fmt --version'],
  },
  {
    tool: 'go',
    image: 'docker.io/library/golang',
    copy: ['/usr/local/go'],
    packages: ['ca-certificates'],
    env: { GOTOOLCHAIN: 'local' },
    path: ['/usr/local/go/bin'],
    debian: { packages: ['ca-certificates', 'golang-go'], version: '1.24.4', env: { GOTOOLCHAIN: 'local' } },
    smoke: ['sh', '-c', 'go version && command -v gofmt'],
  },
  {
    tool: 'java',
    image: 'docker.io/library/eclipse-temurin',
    copy: ['/opt/java/openjdk'],
    env: { JAVA_HOME: '/opt/java/openjdk', LANG: 'C.UTF-8' },
    path: ['/opt/java/openjdk/bin'],
    debian: {
      packages: ['openjdk-21-jdk-headless'],
      version: '21.0.0',
      // The folder's name ends in the architecture.
      run: ['ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/javac)")")" /opt/jdk'],
      env: { JAVA_HOME: '/opt/jdk', LANG: 'C.UTF-8' },
    },
    smoke: ['sh', '-c', 'java -version && javac -version'],
  },
  {
    tool: 'maven',
    image: 'docker.io/library/maven',
    copy: ['/usr/share/maven'],
    links: [['/usr/bin/mvn', '/usr/share/maven/bin/mvn']],
    debian: { packages: ['maven'], version: '3.9.9' },
    needs: ['java'],
    smoke: ['mvn', '--version'],
  },
  {
    tool: 'gradle',
    image: 'docker.io/library/gradle',
    copy: ['/opt/gradle'],
    links: [['/usr/bin/gradle', '/opt/gradle/bin/gradle']],
    // Debian's is 4.4.1, which runs on no JDK that Debian has: there is no way without the image.
    needs: ['java'],
    // Gradle unpacks native code into its home before it says its version.
    smoke: ['sh', '-c', 'GRADLE_USER_HOME="$(mktemp -d)" gradle --version'],
  },
  { tool: 'just', debian: { packages: ['just'], version: '1.40.0' }, smoke: ['just', '--version'] },
  { tool: 'make', debian: { packages: ['make'], version: '4.4.1' }, smoke: ['make', '--version'] },
]

/** The recipes by the name of their tool. */
export const toolchains: Readonly<Record<string, ToolchainRecipe>> = Object.fromEntries(
  recipes.map((recipe) => [recipe.tool, recipe]),
)
