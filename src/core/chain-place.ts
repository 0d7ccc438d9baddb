/// A swap's place in chain order as bytes: of two swaps the one whose bytes compare lower comes first, byte by byte,
/// the shorter first where one begins with the other. So a database, which compares its binary type in just that way,
/// finds open and close as the roller does.
///
/// The order: time, block, txIndex, logIndex, a value that was not given before every given one; then the bytes of
/// the id, or, where block, txIndex and logIndex are all given, the first 64 bits of its fingerprint as two signed words
/// (docs/adr/0014-chain-order-ties.md).
///
///   u64  time, epoch ms          u32  txIndex + 1, 0 where it was not given
///   u64  block + 1, likewise     u32  logIndex + 1, likewise
///   then the id in UTF-8, or i32 word 0 and i32 word 1 of the fingerprint, each plus 2^31
///
/// All big-endian.

import type { SwapBatch } from './swap-batch.js'

const PREFIX_BYTES = 24

export function chainPlace(batch: SwapBatch, row: number): Uint8Array {
  const block = batch.block[row] ?? 0
  const txIndex = batch.txIndex[row] ?? 0
  const logIndex = batch.logIndex[row] ?? 0
  const decided = block >= 0 && txIndex >= 0 && logIndex >= 0
  const idAt = batch.idAt[row] ?? 0
  const idLength = batch.idLength[row] ?? 0
  const bytes = new Uint8Array(PREFIX_BYTES + (decided ? 8 : idLength))
  const view = new DataView(bytes.buffer)
  setUint64(view, 0, batch.timeMs[row] ?? 0)
  setUint64(view, 8, block + 1)
  view.setUint32(16, txIndex + 1)
  view.setUint32(20, logIndex + 1)
  if (decided) {
    view.setUint32(PREFIX_BYTES, (batch.id0[row] ?? 0) ^ 0x8000_0000)
    view.setUint32(PREFIX_BYTES + 4, (batch.id1[row] ?? 0) ^ 0x8000_0000)
  } else bytes.set(batch.bytes.subarray(idAt, idAt + idLength), PREFIX_BYTES)
  return bytes
}

function setUint64(view: DataView, at: number, value: number): void {
  const low = value % 2 ** 32
  view.setUint32(at, (value - low) / 2 ** 32)
  view.setUint32(at + 4, low)
}
