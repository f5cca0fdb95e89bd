import type { BuildRequest, Engine, ImageInfo } from '../../src/engine/types.ts'

export interface MemoryEngine extends Engine {
  readonly calls: string[]
  readonly store: Map<string, ImageInfo>
  readonly requests: BuildRequest[]
  smoke: { code: number; output: string }
  onBuild: () => Promise<void>
}

/** An engine whose images are a map: for what is decided before and after a real one is called. */
export function memoryEngine(): MemoryEngine {
  const store = new Map<string, ImageInfo>()
  const calls: string[] = []
  const requests: BuildRequest[] = []
  let count = 0
  const never = (): never => {
    throw new Error('not part of this engine')
  }
  const tagged = (info: ImageInfo, tag: string): void => {
    for (const [id, one] of store) store.set(id, { ...one, tags: one.tags.filter((other) => other !== tag) })
    store.set(info.id, { ...store.get(info.id)!, tags: [...store.get(info.id)!.tags, tag] })
  }
  const find = (reference: string): ImageInfo | undefined =>
    [...store.values()].find((one) => one.id === reference || one.tags.includes(reference))
  const engine: MemoryEngine = {
    calls,
    store,
    requests,
    smoke: { code: 0, output: '' },
    onBuild: async () => {},
    info: {
      name: 'podman',
      version: '4.3.1',
      rootless: true,
      idMapping: 'keep-id',
      cgroups: 'v2',
      limits: ['memory', 'cpus', 'pids'],
      unenforced: [],
      selinux: false,
      arch: 'amd64',
    },
    image: async (reference) => find(reference),
    async build(request) {
      calls.push(`build ${request.tags.join(' ')}`)
      requests.push(request)
      await engine.onBuild()
      const id = String(++count).repeat(12).padEnd(64, '0')
      store.set(id, { id, tags: [], created: new Date(count * 1000).toISOString(), size: 1, labels: request.labels })
      for (const tag of request.tags) tagged(store.get(id)!, tag)
    },
    async images(label) {
      const [name, value] = label.split('=')
      return [...store.values()].filter((one) => one.labels[name!] === value)
    },
    async removeImage(reference) {
      calls.push(`remove ${reference}`)
      const info = find(reference)
      if (!info) throw new Error(`no image ${reference}`)
      const tags = info.tags.filter((tag) => tag !== reference)
      if (tags.length === 0 || info.id === reference) store.delete(info.id)
      else store.set(info.id, { ...info, tags })
    },
    async tagImage(reference, tag) {
      calls.push(`tag ${tag}`)
      tagged(find(reference)!, tag)
    },
    importImage: async (_, reference) => void calls.push(`import ${reference}`),
    async runProgram(spec, argv) {
      calls.push(`run ${spec.image}`)
      calls.push(
        ...argv
          .at(-1)!
          .split('\n')
          .filter((line) => line.startsWith('echo')),
      )
      return { code: engine.smoke.code, stdout: engine.smoke.output, stderr: '', timedOut: false }
    },
    saveImage: never,
    loadImage: never,
    pullImage: never,
    open: never,
    containers: async () => [],
    removeContainer: never,
  }
  return engine
}
