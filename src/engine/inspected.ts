import type { ImageInfo } from './types.ts'

/** Of `image inspect`, which Podman (4.3.1) and Docker (20.10 to 28.2) answer alike; only what is used. */
export interface InspectedImage {
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
  /** ISO 8601, with nanoseconds. */
  readonly Created: string
  readonly Size: number
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null } | null
}

export const readImage = (image: InspectedImage): ImageInfo => ({
  id: image.Id,
  tags: image.RepoTags ?? [],
  created: new Date(image.Created).toISOString(),
  size: image.Size,
  labels: image.Config?.Labels ?? {},
})
