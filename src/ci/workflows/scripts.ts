import { script } from '../model/index.ts'

/*
 * The shell of the generated workflows. Values come in by env, never by text: see `script`. Each script is run by a test,
 * and read by shellcheck. `bash -e -o pipefail` runs them.
 */

/**
 * Finds the commit that decides what dwf is and what its policy says: for a pull request the base branch as it would be
 * merged into, for a merge queue the commit that the group goes on, for a commit of the default branch itself, else where
 * it left that branch. A base without dwf does not decide: somebody could choose it for that.
 */
export const findBase = script`
trunk=$(git rev-parse --verify --quiet "refs/remotes/origin/$DEFAULT" || true)
case "$EVENT" in
  pull_request)
    # HEAD is GitHub's test merge: its first parent is the branch that it would be merged into.
    before=$(git rev-parse --verify 'HEAD^1')
    head=$(git rev-parse --verify 'HEAD^2')
    test "$head" = "$HEAD_SHA"
    ;;
  merge_group) before=$(git rev-parse --verify "$GROUP_BASE^{commit}") ;;
  *)
    before=$(git rev-parse --verify HEAD)
    if [ "$REF_TYPE" = tag ]; then
      if [ -z "$trunk" ] || ! git merge-base --is-ancestor HEAD "$trunk"; then
        echo "::error title=dwf::This tag is not on $DEFAULT: only what was merged is released."
        exit 1
      fi
    elif [ -n "$trunk" ] && ! git merge-base --is-ancestor HEAD "$trunk"; then
      before=$(git merge-base HEAD "$trunk")
    fi
    ;;
esac
for base in "$before" "$trunk" HEAD; do
  if [ -n "$base" ] && git cat-file -e "$base:.github/dwf" 2> /dev/null && git cat-file -e "$base:devflow.toml" 2> /dev/null; then
    break
  fi
done
if [ "$base" = HEAD ]; then
  echo "::warning title=dwf::Neither the base nor $DEFAULT has dwf: this change brings the one that judges it. Look at it with care."
fi
echo "base=$(git rev-parse --verify "$base")" >> "$GITHUB_OUTPUT"
# An event of a pull request names the head before its last push: what came before that has still not been merged.
if [ "$EVENT" = push ]; then before=\${BEFORE:-$before}; fi
echo "before=$before" >> "$GITHUB_OUTPUT"
`

/** dwf as a file of the repository, and only when it is the one that devflow.lock names. */
export const takeVendored = script`
mkdir -p "$RUNNER_TEMP/dwf"
git cat-file blob "\${FROM:?}:.github/dwf/dwf.bundle" > "$RUNNER_TEMP/dwf.bundle"
sha256=$(git cat-file blob "$FROM:devflow.lock" | jq --exit-status --raw-output .bundle.sha256)
printf '%s  %s\n' "$sha256" "$RUNNER_TEMP/dwf.bundle" | sha256sum --check --strict
gunzip --stdout < "$RUNNER_TEMP/dwf.bundle" > "$RUNNER_TEMP/dwf/dwf.mjs"
`

/** dwf from npm, and only when it is the one that the package lock names. */
export const takeFromNpm = script`
mkdir -p "$RUNNER_TEMP/dwf" "$RUNNER_TEMP/npm"
for file in package.json package-lock.json; do
  git cat-file blob "\${FROM:?}:.github/dwf/$file" > "$RUNNER_TEMP/npm/$file"
done
npm ci --ignore-scripts --no-audit --no-fund --prefix "$RUNNER_TEMP/npm"
gunzip --stdout "$RUNNER_TEMP/npm/node_modules/dwf/standalone/dwf.mjs.gz" > "$RUNNER_TEMP/dwf/dwf.mjs"
`

/** The plan that the other jobs share in, and the policy that it is judged by. */
export const makePlan = script`
dwf() { node "$RUNNER_TEMP/dwf/dwf.mjs" "$@"; }
dwf validate --strict
dwf ci:start --target "$TARGET" --base "$BASE" --before "$BEFORE" --out "$RUNNER_TEMP/dwf"
tar --create --file "$RUNNER_TEMP/dwf.tar" --directory "$RUNNER_TEMP/dwf" .
echo "sha256=$(sha256sum "$RUNNER_TEMP/dwf.tar" | cut -d ' ' -f 1)" >> "$GITHUB_OUTPUT"
`

/** dwf, plan and policy as the first job passed them on. */
export const openDwf = script`
printf '%s  %s\n' "$SHA256" "$RUNNER_TEMP/dwf.tar" | sha256sum --check --strict
mkdir -p "$RUNNER_TEMP/dwf"
tar --extract --file "$RUNNER_TEMP/dwf.tar" --directory "$RUNNER_TEMP/dwf"
`

export const setUp = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" setup:ci
`

/** Approves what devflow.toml of the base asks for; what a pull request asks for on top of it stays refused. */
export const approve = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" trust --ci --from "$RUNNER_TEMP/dwf"
`

/** A published image of the same contents saves the build, but only one that the workflow of releases attested. */
export const fetchImage = script`
fingerprint=$(node "$RUNNER_TEMP/dwf/dwf.mjs" image fingerprint)
published="ghcr.io/\${GITHUB_REPOSITORY,,}/devflow"
export REGISTRY_AUTH_FILE="$RUNNER_TEMP/registry.json"
trap 'rm -f "$REGISTRY_AUTH_FILE"' EXIT
if ! printf '%s' "$GH_TOKEN" | podman login ghcr.io --username "$GITHUB_ACTOR" --password-stdin; then
  echo 'ghcr.io lets nobody look for a published image: it is built.'
elif ! digest=$(skopeo inspect --format '{{.Digest}}' "docker://$published:$fingerprint" 2> /dev/null); then
  echo 'No published image has these contents: it is built.'
elif ! attested=$(gh attestation verify "oci://$published@$digest" --repo "$GITHUB_REPOSITORY" --format json \
  --deny-self-hosted-runners --signer-workflow "$GITHUB_REPOSITORY/.github/workflows/$PUBLISH"); then
  echo "::warning title=dwf::$published@$digest has no attestation that holds: the image is built."
elif ! source=$(jq --exit-status --raw-output \
  '.[0].verificationResult.signature.certificate.sourceRepositoryDigest' <<< "$attested") ||
  ! git merge-base --is-ancestor "$source" "refs/remotes/origin/$DEFAULT"; then
  echo "::warning title=dwf::$published@$digest was made from a commit that is not on $DEFAULT: the image is built."
else
  node "$RUNNER_TEMP/dwf/dwf.mjs" image fetch "$published@$digest"
fi
`

export const buildImage = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" image build
node "$RUNNER_TEMP/dwf/dwf.mjs" image save "$RUNNER_TEMP/image.tar"
fingerprint=$(node "$RUNNER_TEMP/dwf/dwf.mjs" image fingerprint)
echo "sha256=$(sha256sum "$RUNNER_TEMP/image.tar" | cut -d ' ' -f 1)" >> "$GITHUB_OUTPUT"
echo "fingerprint=$fingerprint" >> "$GITHUB_OUTPUT"
`

export const loadImage = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" image load "$RUNNER_TEMP/image.tar" --sha256 "$SHA256"
`

export const fetchDatabase = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" scan db update
if [ "$JAVA" = true ]; then node "$RUNNER_TEMP/dwf/dwf.mjs" scan db update --java; fi
tar --create --file "$RUNNER_TEMP/database.tar" --directory "$DWF_TRIVY_CACHE" .
echo "sha256=$(sha256sum "$RUNNER_TEMP/database.tar" | cut -d ' ' -f 1)" >> "$GITHUB_OUTPUT"
`

export const openDatabase = script`
printf '%s  %s\n' "$SHA256" "$RUNNER_TEMP/database.tar" | sha256sum --check --strict
mkdir -p "$DWF_TRIVY_CACHE"
tar --extract --file "$RUNNER_TEMP/database.tar" --directory "$DWF_TRIVY_CACHE"
chmod 700 "$DWF_TRIVY_CACHE"
`

/** One part of the plan. What it ran, and what came of it, is an output that \`gate\` reads. */
export const runPart = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" ci:run "$DWF_PART" --from "$RUNNER_TEMP/dwf"
`

/** The gates of one part, with their findings as files. */
export const runGates = script`
mkdir -p "$RUNNER_TEMP/reports"
node "$RUNNER_TEMP/dwf/dwf.mjs" ci:run "$DWF_PART" --from "$RUNNER_TEMP/dwf" \
  --report "github=$RUNNER_TEMP/reports/$DWF_PART.sarif" \
  --report "json=$RUNNER_TEMP/reports/$DWF_PART.json" \
  --report "html=$RUNNER_TEMP/reports/$DWF_PART.html"
`

export const noUpload = script`
echo '::notice title=dwf::A pull request from a fork may not write to code scanning: its findings are in the artifacts, and they count at the gate.'
`

/** Needs nothing but jq, so that the verdict does not hang on dwf alone. */
export const allPassed = script`
jq --exit-status --null-input --argjson needs "$NEEDS" --arg may "$MAY_SKIP" '
  ($may | split(" ")) as $may
  | $needs
  | to_entries
  | map(select(.value.result != "success" and ((.value.result == "skipped" and (.key | IN($may[]))) | not)))
  | map("\(.key): \(.value.result)")
  | if length == 0 then true else (join("\n") + "\n" | halt_error(1)) end
'
`

/** The tasks that the jobs report, by their hashes, must be the whole plan. */
export const judge = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" ci:gate --from "$RUNNER_TEMP/dwf"
`

/** A schedule stops by itself in a repository without activity, and nobody is told. */
export const nightlyAge = script`
if ! last=$(gh run list --repo "$GITHUB_REPOSITORY" --workflow "$NIGHTLY" --branch "$BRANCH" --status success \
  --limit 1 --json createdAt --jq '.[0].createdAt // empty'); then
  echo "::warning title=nightly::GitHub does not say when $NIGHTLY last passed."
  exit 0
fi
if [ -z "$last" ]; then
  echo "::notice title=nightly::$NIGHTLY has not passed on $BRANCH yet."
  exit 0
fi
seconds=$(date --date "$last" +%s)
age=$(( ($(date +%s) - seconds) / 3600 ))
if [ "$age" -gt 48 ]; then
  echo "::warning title=nightly::The last green nightly of $BRANCH is older than 48 hours ($last): is $NIGHTLY still enabled, and what did it find?"
fi
`

/** One issue, opened once and updated after that. */
export const reportNightly = script`
{
  echo "The nightly of $GITHUB_SHA did not pass: $RUN"
  echo
  jq --raw-output 'to_entries[] | "- \(.key): \(.value.result)"' <<< "$NEEDS"
} > "$RUNNER_TEMP/body.md"
number=$(gh issue list --repo "$GITHUB_REPOSITORY" --state open --author 'app/github-actions' --limit 200 \
  --json number,title | jq --raw-output --arg title "$TITLE" 'map(select(.title == $title))[0].number // empty')
if [ -n "$number" ]; then
  gh issue comment "$number" --repo "$GITHUB_REPOSITORY" --body-file "$RUNNER_TEMP/body.md"
else
  gh issue create --repo "$GITHUB_REPOSITORY" --title "$TITLE" --body-file "$RUNNER_TEMP/body.md"
fi
`

/** The image as it was published; the token that fetches it goes no further. */
export const fetchPublished = script`
published="ghcr.io/\${GITHUB_REPOSITORY,,}/devflow"
released=$(gh run list --repo "$GITHUB_REPOSITORY" --workflow "$RELEASE" --status success --limit 1 --json databaseId --jq length)
if [ "$released" = 0 ]; then
  echo '::notice title=dwf::No image is published yet.'
  exit 0
fi
export REGISTRY_AUTH_FILE="$RUNNER_TEMP/registry.json"
trap 'rm -f "$REGISTRY_AUTH_FILE"' EXIT
printf '%s' "$GH_TOKEN" | podman login ghcr.io --username "$GITHUB_ACTOR" --password-stdin
digest=$(skopeo inspect --format '{{.Digest}}' "docker://$published:latest")
podman pull --quiet "$published@$digest"
echo "image=$published@$digest" >> "$GITHUB_OUTPUT"
`

/** The world may have learned more about it since. */
export const scanPublished = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" scan:image "$IMAGE"
`

export const makeSbom = script`
node "$RUNNER_TEMP/dwf/dwf.mjs" scan sbom image --format cyclonedx > "$RUNNER_TEMP/sbom.cdx.json"
echo "sha256=$(sha256sum "$RUNNER_TEMP/sbom.cdx.json" | cut -d ' ' -f 1)" >> "$GITHUB_OUTPUT"
`

/** What is pushed is what was scanned: the same archive, and the same id when it is there. */
export const pushImage = script`
printf '%s  %s\n' "$IMAGE_SHA256" "$RUNNER_TEMP/image.tar" | sha256sum --check --strict
printf '%s  %s\n' "$SBOM_SHA256" "$RUNNER_TEMP/sbom.cdx.json" | sha256sum --check --strict
published="ghcr.io/\${GITHUB_REPOSITORY,,}/devflow"
# actions/attest reads the credentials of Docker only (@sigstore/oci, seen November 2026); skopeo reads them too.
mkdir -p ~/.docker
printf '%s' "$GH_TOKEN" | podman login ghcr.io --authfile ~/.docker/config.json --username "$GITHUB_ACTOR" --password-stdin
scanned=$(skopeo inspect --config --raw "docker-archive:$RUNNER_TEMP/image.tar" | sha256sum | cut -d ' ' -f 1)
skopeo copy --digestfile "$RUNNER_TEMP/digest" "docker-archive:$RUNNER_TEMP/image.tar" "docker://$published:\${GITHUB_REF_NAME//[^A-Za-z0-9_.-]/-}"
digest=$(cat "$RUNNER_TEMP/digest")
pushed=$(skopeo inspect --config --raw "docker://$published@$digest" | sha256sum | cut -d ' ' -f 1)
test "$scanned" = "$pushed"
for tag in "$FINGERPRINT" latest; do
  skopeo copy "docker://$published@$digest" "docker://$published:$tag"
done
echo "name=$published" >> "$GITHUB_OUTPUT"
echo "digest=$digest" >> "$GITHUB_OUTPUT"
`

export const writeRelease = script`
{
  echo "The build image of this release is $NAME@$DIGEST. Verify it with"
  echo
  echo "    gh attestation verify oci://$NAME@$DIGEST --repo $GITHUB_REPOSITORY --signer-workflow $GITHUB_REPOSITORY/.github/workflows/$PUBLISH"
} > "$RUNNER_TEMP/notes.md"
gh release create "$GITHUB_REF_NAME" --repo "$GITHUB_REPOSITORY" --verify-tag --generate-notes \
  --notes-file "$RUNNER_TEMP/notes.md"
`
