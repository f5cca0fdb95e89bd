# Builds Dockerfile.devflow with "docker buildx bake". Written by dwf and yours to edit.
#
#   docker buildx bake --print                      what would be built
#   docker buildx bake --set "*.platform=linux/amd64" --load ci      one platform, into the local image store
#   TAG=1.2.0 IMAGE=registry.example/team/image docker buildx bake --push ci       all platforms, into a registry
#
# An image of several platforms has no place in a local image store: without --push it would stay in the builder's
# cache and be lost. So the result of an ordinary run is the cache alone, said as such, and --load or --push say where
# an image goes.

variable "IMAGE" {
  default = "localhost/dwf/dwf"
}

variable "TAG" {
  default = "dev"
}

# Debian's packages are those of this day or later; as in devflow.lock.
variable "DWF_EPOCH" {
  default = "2026-11-22"
}

# Such as "type=gha" in GitHub Actions, or "type=registry,ref=registry.example/team/cache".
variable "CACHE_FROM" {
  default = ""
}

# Such as "type=gha,mode=max".
variable "CACHE_TO" {
  default = ""
}

group "default" {
  targets = ["ci"]
}

target "_common" {
  context    = "."
  dockerfile = "Dockerfile.devflow"
  platforms  = ["linux/amd64", "linux/arm64"]
  args = {
    DWF_EPOCH = DWF_EPOCH
  }
  labels = {
    "org.opencontainers.image.title"       = "dwf"
    "org.opencontainers.image.description" = "Build and test image of dwf: Debian 13 and node 24.21.0"
    "org.opencontainers.image.version"     = TAG
    "org.opencontainers.image.base.name"   = "docker.io/library/debian:13-slim"
    "org.opencontainers.image.base.digest" = "sha256:a99cfc517144bc59b1978475ec53b46ecabec7e43635402ee5b77cc54cd1b20a"
  }
  cache-from = CACHE_FROM == "" ? [] : [CACHE_FROM]
  cache-to   = CACHE_TO == "" ? [] : [CACHE_TO]
  # What is in it, and how it was built; they travel with the image to a registry.
  attest = ["type=sbom", "type=provenance,mode=max"]
  output = ["type=cacheonly"]
}

target "base" {
  inherits = ["_common"]
  target   = "base"
  tags     = ["${IMAGE}:${TAG}-base"]
}

target "toolchain" {
  inherits = ["_common"]
  target   = "toolchain"
  tags     = ["${IMAGE}:${TAG}-toolchain"]
}

target "ci" {
  inherits = ["_common"]
  target   = "ci"
  tags     = ["${IMAGE}:${TAG}"]
}
