import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** Looks like none of GitHub's, so that no scanner takes it for one. */
export const token = 'a-token-for-tests-0123456789'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

interface Answer {
  readonly status?: number
  readonly message?: string
  readonly location?: string
}

/** A stand-in for GitHub's API of commit statuses: remembers what it was asked, and answers 201 unless it is told otherwise. */
export async function statusApi(
  context: TestContext,
  answer: (path: string, index: number) => Answer | 'never' = () => ({}),
): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url: path = '' } = request
    const index = asked.length
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    asked.push({ method, path, authorization: request.headers.authorization, body })
    const says = answer(path, index)
    if (says === 'never') return
    const { status = 201, message, location } = says
    response.writeHead(status, { 'content-type': 'application/json', ...(location ? { location } : {}) })
    response.end(JSON.stringify(message === undefined ? {} : { message }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
