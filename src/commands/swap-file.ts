/// Files of swaps: CSV with a header, or one JSON document per line, either gzipped. What a file is, is told by its
/// first bytes, not by its name.

import { createReadStream, type ReadStream, statSync } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CommandError } from './failure.js'

export type SwapFormat = 'csv' | 'ndjson'

export class SwapFile {
  readonly path: string
  /// Size on disk, for progress.
  readonly size: number
  #stream: ReadStream | null = null

  /// Throws CommandError when there is no such file.
  constructor(path: string) {
    this.path = path
    try {
      const stat = statSync(path)
      if (!stat.isFile()) throw new CommandError(`${path} is not a file`)
      this.size = stat.size
    } catch (error) {
      if (error instanceof CommandError) throw error
      throw unreadable(path, error)
    }
  }

  /// Share of the file that has been read, 0 … 1.
  get share(): number {
    return this.size === 0 ? 1 : (this.#stream?.bytesRead ?? 0) / this.size
  }

  /// The content, decompressed, in pieces that end with a line (the last one may not): a record of CSV that holds a
  /// line break may still be cut.
  async *pieces(): AsyncGenerator<Buffer> {
    const stream = createReadStream(this.path, { highWaterMark: 1 << 18 })
    this.#stream = stream
    let rest: Buffer | null = null
    try {
      for await (const chunk of await decompressed(stream)) {
        const piece: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk])
        const end = piece.lastIndexOf(0x0a) + 1
        if (end > 0) yield piece.subarray(0, end)
        rest = end < piece.length ? piece.subarray(end) : null
      }
      if (rest !== null) yield rest
    } catch (error) {
      if (error instanceof CommandError) throw error
      throw unreadable(this.path, error)
    } finally {
      stream.destroy()
    }
  }
}

function unreadable(path: string, error: unknown): CommandError {
  const reason = error instanceof Error ? error.message : String(error)
  return new CommandError(`${path} cannot be read: ${reason}`)
}

/// The stream's chunks, through gunzip when they begin with gzip's magic number.
async function decompressed(stream: ReadStream): Promise<AsyncIterable<Buffer>> {
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  let ended = false
  while (head.length < 2 && !ended) {
    const { value, done } = await chunks.next()
    if (done) ended = true
    else head = Buffer.concat([head, value])
  }
  const all = async function* (): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head
    for (;;) {
      const { value, done } = await chunks.next()
      if (done) return
      yield value
    }
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return all()
  // An error on either side ends both; the reader of gunzip gets it.
  return pipeline(Readable.from(all(), { objectMode: false }), createGunzip({ chunkSize: 1 << 18 }), () => {})
}

/// What the first piece of a file says that the file is. Throws CommandError for what it cannot be.
export function formatOf(path: string, first: Buffer): SwapFormat {
  const text = first
    .subarray(0, 4096)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (text.startsWith('{')) return 'ndjson'
  if (text.startsWith('[')) {
    throw new CommandError(
      `${path} is a JSON array; wanted is one JSON document per line, or CSV with a header`,
    )
  }
  const [header = ''] = text.split(/\r?\n/, 1)
  const names = header.split(',').map(name => name.trim().replace(/^"(.*)"$/, '$1'))
  const missing = ['id', 'time', 'who', 'token', 'side', 'amount', 'usd'].filter(
    name => !names.includes(name),
  )
  if (missing.length === 0) return 'csv'
  throw new CommandError(
    `${path} is neither one JSON document per line nor CSV with a header: its first line lacks ${missing.join(', ')}`,
  )
}
