/** Crates that link to a library of the system, and the Debian 13 packages that they need to build. */
const libraries: Readonly<Record<string, readonly string[]>> = {
  'openssl-sys': ['libssl-dev', 'pkg-config'],
  'native-tls': ['libssl-dev', 'pkg-config'],
  'libudev-sys': ['libudev-dev', 'pkg-config'],
  hidapi: ['libudev-dev', 'pkg-config'],
  'alsa-sys': ['libasound2-dev', 'pkg-config'],
  'libdbus-sys': ['libdbus-1-dev', 'pkg-config'],
  'pq-sys': ['libpq-dev'],
  'mysqlclient-sys': ['default-libmysqlclient-dev', 'pkg-config'],
  'libpulse-sys': ['libpulse-dev', 'pkg-config'],
  'fontconfig-sys': ['libfontconfig-dev', 'pkg-config'],
  'yeslogic-fontconfig-sys': ['libfontconfig-dev', 'pkg-config'],
  'freetype-sys': ['libfreetype-dev', 'pkg-config'],
  'glib-sys': ['libglib2.0-dev', 'pkg-config'],
  'gtk-sys': ['libgtk-3-dev', 'pkg-config'],
  'gtk4-sys': ['libgtk-4-dev', 'pkg-config'],
  'libsodium-sys': ['libsodium-dev', 'pkg-config'],
  'libseccomp-sys': ['libseccomp-dev'],
  'rdkafka-sys': ['cmake', 'g++', 'make', 'zlib1g-dev'],
  bindgen: ['libclang-dev'],
  cmake: ['cmake', 'g++', 'make'],
  'prost-build': ['protobuf-compiler'],
  'openssl-src': ['make', 'perl'],
  'tikv-jemalloc-sys': ['make'],
  'jemalloc-sys': ['make'],
  'libfuzzer-sys': ['g++'],
  'link-cplusplus': ['g++'],
}

/** The Debian packages that the crates in a Cargo.lock need, in order and once each. */
export function nativeLibraries(lock: string): readonly string[] {
  const found = new Set<string>()
  for (const match of lock.matchAll(/^name = "([A-Za-z0-9_-]+)"$/gm)) {
    const needed = Object.hasOwn(libraries, match[1]!) ? libraries[match[1]!]! : []
    for (const name of needed) found.add(name)
  }
  return [...found].sort()
}
