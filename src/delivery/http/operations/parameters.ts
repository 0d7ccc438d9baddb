/// Parameters and content types that several operations have.

import Type from 'typebox'
import { MAX_TIME_MS } from '../../../core/decode/row-writer.js'
import { ALL_FIELDS, MEDIAN_FIELD } from '../../wire/fields.js'
import { oneOf, WindowText } from '../../wire/schema.js'
import { commaList } from '../operation.js'

export const LIST_LIMIT_MAX = 500
export const JSON_CONTENT = 'application/json'

export const window = Type.Optional(
  commaList(WindowText, 64, 'Only these windows, such as `5m,24h`, in their usual order.'),
)
export const FieldChoice = oneOf([...ALL_FIELDS, '*'], 'A statistic; `*` is all of them.')
export const fields = Type.Optional(
  Type.Array(FieldChoice, {
    minItems: 1,
    maxItems: 32,
    description:
      'Only these statistics, such as `volume,txns`; `*` for all. Without it all come but the derived ones ' +
      '(netVolume, netBuyers, averageTrade, trending). token, asOf and version are always there.',
    examples: [['volume', 'netVolume']],
  }),
)
export const AnyFieldChoice = oneOf(
  [...ALL_FIELDS, MEDIAN_FIELD, '*'],
  'A statistic; `*` is all of them but medianTrade.',
)
export const anyWindow = Type.Optional(
  commaList(
    WindowText,
    32,
    'Only these windows, such as `5m,24h`: configured ones, or any other of whole seconds within the retention, such as `7m` or `90s`.',
  ),
)
export const asOf = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: MAX_TIME_MS,
    description:
      'Windows end with the second of this instant, epoch ms, which lies within the retention; now unless said.',
    examples: [1795478010000],
  }),
)
export const filter = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 1024,
    description: 'Only tokens that match: comparisons joined by `and`, `or` and parentheses.',
    examples: ['volume.h1>=10000 and (priceChange.h1>5 or txns.m5.traders>=50)'],
  }),
)
export const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX, description: 'How many tokens.', default: 50 }),
)
export const cursor = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 2048,
    description:
      '`*` begins a consistent listing; then `next` of the page before. The other parameters stay the same.',
  }),
)
