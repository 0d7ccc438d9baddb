/// Makes parts of whole blocks (core/roller/rebuild/part-maker.ts), beside whoever fills the next ones.
///
/// Contract:
/// - Order: blocks ascend; parts are made in the order of the calls, each of which says what got an id since the one before.
/// - The block's rows are the maker's from the call on. They come back with the part, to be filled anew.
/// - When a part cannot be made, its call and all later ones reject.

import type { FilledBlock, PartMakerOptions } from '../core/roller/rebuild/part-maker.js'
import type { Block } from '../core/roller/rows/block.js'
import type { EncodedPart } from '../core/roller/storage/part-encoder.js'

export interface MadePart {
  readonly part: EncodedPart
  readonly rows: Block
}

export interface PartMaking {
  make(filled: FilledBlock): Promise<MadePart>
  /// Parts that are not made yet are not made any more.
  close(): Promise<void>
}

export type StartPartMaking = (options: PartMakerOptions) => PartMaking
