import type { ScanLayer } from '../config/commands.ts'
import { imageRepository } from '../scan/image-name.ts'
import type { Finding, ScanDocument } from '../scan/types.ts'

/** What a document judged: layers, each of subjects, each with scanners. */
export interface Coverage {
  readonly subjects: () => readonly { readonly layer: ScanLayer; readonly subject: string; readonly name: string }[]
  /** Why a subject of a layer was not judged; undefined where it was. */
  readonly lack: (layer: ScanLayer, subject: string) => 'not-scanned' | 'broken' | undefined
  /** Whether this document would have had a finding of another one, if it were there. */
  readonly judged: (finding: Finding, other: Coverage) => boolean
  readonly ran: (layer: ScanLayer, scanner: string) => boolean
}

/** An image keeps its name when it is built anew and gets another tag. */
export function subjectOf(place: { readonly image?: string | undefined }): string {
  return place.image === undefined ? 'repository' : `image ${imageRepository(place.image)}`
}

export function coverageOf({ layers }: ScanDocument): Coverage {
  const rows = layers.flatMap(({ layer, verdict, subjects, scanners }) =>
    subjects.map((name) => ({
      ...{ layer, name, scanners, isBroken: verdict === 'broken' },
      subject: subjectOf(name === 'repository' ? {} : { image: name }),
    })),
  )
  const of = (layer: ScanLayer, subject: string) => rows.filter((row) => row.layer === layer && row.subject === subject)
  const lack: Coverage['lack'] = (layer, subject) => {
    const found = of(layer, subject)
    // A gate that could not look may have named no subject.
    const broken = layers.some((one) => one.layer === layer && one.verdict === 'broken')
    if (found.length === 0) return broken ? 'broken' : 'not-scanned'
    return found.some(({ isBroken }) => isBroken) ? 'broken' : undefined
  }
  const ran: Coverage['ran'] = (layer, scanner) =>
    rows.some((row) => row.layer === layer && row.scanners.some(({ name }) => name === scanner))
  return {
    subjects: () => rows.filter(({ isBroken }) => !isBroken),
    lack,
    ran,
    judged: ({ layer, where, scanner }, other) =>
      lack(layer, subjectOf(where)) === undefined &&
      // What dwf finds itself is in no list of scanners.
      (ran(layer, scanner) || !other.ran(layer, scanner)),
  }
}
