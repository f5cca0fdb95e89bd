import { byCodeUnit } from '../../util/text.ts'
import { expression, type Job, type Workflow } from '../model/index.ts'
import { type CiInput, fileOf } from './input.ts'
import { checkJobs, type Frame, partsOfFrame, ready } from './jobs.ts'
import * as scripts from './scripts.ts'
import { action, download, harden, image, run, temp, token, upload } from './steps.ts'

/** release.yml: what a tag starts. */
export function releaseWorkflow(input: CiInput): Workflow {
  return {
    file: fileOf(input, 'release'),
    name: `${input.ci.prefix}release`,
    about: [],
    on: { push: { tags: ['v*'] } },
    concurrency: { group: expression`format('dwf-release-{0}', github.ref)`, cancel: false },
    jobs: {
      publish: {
        about: 'Builds, judges, pushes and attests the image.',
        name: 'publish',
        permissions: {
          attestations: { access: 'write', why: 'publish attests what it pushes' },
          contents: { access: 'read', why: 'publish checks out the repository' },
          'id-token': { access: 'write', why: 'publish signs the attestations' },
          packages: { access: 'write', why: 'publish pushes the image' },
        },
        calls: `./.github/workflows/${fileOf(input, 'publish')}`,
        secrets: secretsOf(input),
      },
      release: {
        about: 'The release on GitHub, with the line that verifies its image.',
        name: 'release',
        needs: ['publish'],
        timeoutMinutes: 10,
        permissions: { contents: { access: 'write', why: 'to create the release' } },
        steps: [
          harden(input, []),
          run('Write the release', scripts.writeRelease, {
            env: {
              GH_TOKEN: token,
              NAME: expression`needs.publish.outputs.name`,
              DIGEST: expression`needs.publish.outputs.digest`,
              PUBLISH: fileOf(input, 'publish'),
            },
          }),
        ],
      },
    },
  }
}

/**
 * publish.yml: a reusable workflow, so that what builds and attests is apart from what calls it: its name in the
 * attestation says which instructions made the image (SLSA build level 3).
 */
export function publishWorkflow(input: CiInput): Workflow {
  const frame = frameOf(input)
  return {
    file: fileOf(input, 'publish'),
    name: `${input.ci.prefix}publish`,
    about: [],
    on: {
      workflow_call: {
        secrets: secretsOf(input),
        outputs: {
          name: { description: 'Name of the image', value: expression`jobs.publish.outputs.name` },
          digest: { description: 'Digest of the image', value: expression`jobs.publish.outputs.digest` },
        },
      },
    },
    concurrency: { group: expression`format('dwf-publish-{0}', github.ref)`, cancel: false },
    jobs: { ...checkJobs(frame), sbom: sbom(frame), publish: publish(frame) },
  }
}

const frameOf = (input: CiInput): Frame => ({
  input,
  targets: ['release'],
  first: 'start',
  target: 'release',
  gate: 'release-gate',
  fetches: false,
})

const secretsOf = (input: CiInput): readonly string[] =>
  [...new Set(partsOfFrame(frameOf(input)).flatMap(({ secrets }) => secrets))].sort(byCodeUnit)

function sbom({ input, first }: Frame): Job {
  return {
    about: 'The list of what is in the image.',
    name: 'sbom',
    needs: [first, 'image'],
    timeoutMinutes: 15,
    permissions: { contents: { access: 'read', why: 'to check out the repository' } },
    outputs: { sha256: expression`steps.sbom.outputs.sha256` },
    steps: [
      harden(input, ['node', 'dockerHub']),
      ...ready({ input, first }),
      ...image(input),
      run('Make the SBOM', scripts.makeSbom, { id: 'sbom' }),
      upload(input, 'sbom', 'sbom.cdx.json'),
    ],
  }
}

/** The only job that may push and sign; it runs nothing of the repository. */
function publish({ input }: Frame): Job {
  const subject = {
    'subject-name': expression`steps.push.outputs.name`,
    'subject-digest': expression`steps.push.outputs.digest`,
    'push-to-registry': true,
    // It would need one more grant, and tells GitHub nothing that the attestation does not.
    'create-storage-record': false,
  }
  return {
    about:
      'Pushes the image that was judged, and attests how it was made and what is in it. It runs no code of the repository.',
    name: 'publish',
    needs: ['release-gate', 'image', 'sbom'],
    timeoutMinutes: 20,
    permissions: {
      attestations: { access: 'write', why: 'to store the attestations' },
      'id-token': { access: 'write', why: 'to sign the attestations' },
      packages: { access: 'write', why: 'to push the image' },
    },
    outputs: { name: expression`steps.push.outputs.name`, digest: expression`steps.push.outputs.digest` },
    steps: [
      harden(input, ['githubRegistry', 'sigstore']),
      download(input, 'image'),
      download(input, 'sbom'),
      run('Push the image', scripts.pushImage, {
        id: 'push',
        env: {
          GH_TOKEN: token,
          IMAGE_SHA256: expression`needs.image.outputs.sha256`,
          SBOM_SHA256: expression`needs.sbom.outputs.sha256`,
          FINGERPRINT: expression`needs.image.outputs.fingerprint`,
        },
      }),
      action(input, 'actions/attest', 'Attest how it was made', { with: subject }),
      action(input, 'actions/attest', 'Attest what is in it', {
        with: { ...subject, 'sbom-path': temp('sbom.cdx.json') },
      }),
    ],
  }
}
