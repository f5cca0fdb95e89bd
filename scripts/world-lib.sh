# shellcheck shell=bash disable=SC2034
# What the scripts of the test world share: where it is, who owns it, how it speaks. Sourced, never run.

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
WORLD=${DWF_WORLD:-/var/tmp/dwf-world}
REGISTRY=127.0.0.1:${DWF_WORLD_PORT:-5055}
ACCOUNT=dwfuser ACCOUNT_UID=1001      # 1001 is also the uid of tasks in a container
OTHER=dwfother OTHER_UID=1207         # a uid that no image knows: finds places that assume 1001
MARK='made by scripts/world of dwf; "scripts/world clean" removes it'
export DWF_WORLD=$WORLD

say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }

# The machine or the person has to do something first: 3, as dwf's own exit codes have it.
refuse() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 3; }

# quietly CMD...: shows what a command says only when it fails.
quietly() {
  local log code=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || { code=$?; cat "$log" >&2; }
  rm -f "$log"
  return "$code"
}

is_root() { [ "$(id -u)" = 0 ]; }

home_of() { getent passwd "$1" | cut -d: -f6; }

# The same names on every machine: amd64 and arm64 are Debian's, x64 and arm64 npm's.
case $(uname -m) in
  x86_64)        ARCH=x86_64 DEB_ARCH=amd64 NPM_ARCH=x64 ;;
  aarch64|arm64) ARCH=aarch64 DEB_ARCH=arm64 NPM_ARCH=arm64 ;;
  *) refuse "the test world is made for x86_64 and aarch64, this is $(uname -m)" ;;
esac
export ARCH DEB_ARCH NPM_ARCH

# require_world: the folder exists and belongs to the one who works in it.
require_world() {
  local owner=$ACCOUNT
  is_root || owner=$(id -un)
  [ -d "$WORLD" ] || refuse "no test world at $WORLD. Make it with: scripts/world setup"
  [ "$(stat -c %U "$WORLD")" = "$owner" ] ||
    refuse "$WORLD belongs to $(stat -c %U "$WORLD"), not to $owner. Choose another folder with DWF_WORLD=..."
}

# install_file FILE TO: a file into the world in one step, owned as the world is (root installs for the account).
install_file() {
  local part
  part=$(dirname "$2")/.part.$$
  cp "$1" "$part"
  chmod 755 "$part"
  ! is_root || chown "$ACCOUNT:" "$part"
  mv -f "$part" "$2"
}

# lock ARGS...: starts this script again with the same arguments under the world's lock, so that two set-ups do not
# meet. By flock's own process (-o): a descriptor of ours would live on in Podman's pause process and never be free.
lock() {
  [ -n "${DWF_WORLD_LOCKED:-}" ] || DWF_WORLD_LOCKED=1 exec flock -o "$WORLD/.lock" bash "$0" "$@"
}

# registry_digest NAME TAG: the digest under which the loopback registry serves an image, or nothing where it has none.
# It is not the one that "podman image inspect" shows: that one is of the uncompressed image.
registry_digest() {
  curl -sfI --noproxy '*' -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
    "http://$REGISTRY/v2/library/$1/manifests/$2" |
    tr -d '\r' | awk 'tolower($1) == "docker-content-digest:" { print $2 }' || true
}
