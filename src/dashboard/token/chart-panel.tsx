/// Candles and volume, with the choice of their interval.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { compact, count, dateTime, price, windowMs } from '../numbers/format.js'
import { go } from '../route/navigation.js'
import { INTERVAL_MS, INTERVALS, type Interval, intervalFor, type TokenView } from '../route/route.js'
import type { Session } from '../session/session.js'
import { Panel } from '../shell/panel.js'
import { Segments } from '../shell/segments.js'
import { shownDark } from '../shell/theme.js'
import { useLive } from '../shell/use-live.js'
import type { CandleChart } from './candle-chart.js'
import { type Candle, CandleSeries, type SeriesState } from './candle-series.js'

export interface ChartPanelProps {
  readonly session: Session
  readonly view: TokenView
  /// The window that is shown: the interval suits it, unless one was chosen.
  readonly window: string
  readonly stats: TokenStatistics
}

export function ChartPanel({ session, view, window: name, stats }: ChartPanelProps) {
  const { token } = view
  const interval = view.interval ?? intervalFor(windowMs(name))
  const series = useLive(() => new CandleSeries(session.client, token, interval), [session, token, interval])
  const priceUsd = stats.priceUsd ?? null
  useEffect(() => {
    if (priceUsd !== null) series?.price(session.serverNow(), Number(priceUsd))
  }, [series, priceUsd])

  const [pointed, setPointed] = useState<Candle | null>(null)
  const element = useRef<HTMLDivElement>(null)
  const chart = useChart(element, series, interval, setPointed)
  const candles = series?.candles.value ?? []
  useEffect(() => chart?.draw(candles), [chart, candles])
  useEffect(() => chart?.recolor(), [chart, shownDark.value])

  const state = series?.state.value ?? 'asking'
  const shown = pointed ?? candles.at(-1) ?? null
  return (
    <Panel
      title="Candles"
      class="chart"
      aside={
        <Segments
          label="Interval of the candles"
          options={INTERVALS.map(value => ({ value, label: value }))}
          value={interval}
          onChoose={chosen => go({ ...view, interval: chosen }, 'replace')}
        />
      }
    >
      <Legend candle={shown} interval={interval} />
      <div
        ref={element}
        class="canvas"
        role="img"
        aria-label={`Candles of ${interval} with volume: ${candles.length} of them${candles.length > 0 ? `, since ${dateTime(candles[0]?.time ?? 0)}` : ''}. The newest numbers stand above.`}
      />
      {candles.length === 0 && <p class="over muted">{WHY[state]}</p>}
      <p class="credit muted">
        Charts by{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
          TradingView
        </a>
      </p>
    </Panel>
  )
}

const WHY: Readonly<Record<SeriesState, string>> = {
  asking: 'Asking for candles …',
  there: 'No candle yet: swaps are archived some seconds after they are counted.',
  'no-archive': 'This server keeps no archive, so there are no candles.',
  away: 'The archive cannot be reached for now.',
}

/// null until the library is loaded.
function useChart(
  element: { readonly current: HTMLElement | null },
  series: CandleSeries | null,
  interval: Interval,
  onPoint: (candle: Candle | null) => void,
): CandleChart | null {
  const [chart, setChart] = useState<CandleChart | null>(null)
  useEffect(() => {
    let made: CandleChart | null = null
    let ended = false
    void import('./candle-chart.js').then(({ CandleChart }) => {
      if (ended || element.current === null) return
      made = new CandleChart(element.current, {
        intervalMs: INTERVAL_MS[interval],
        onPoint,
        onBackWanted: () => void series?.goBack(),
      })
      setChart(made)
    })
    return () => {
      ended = true
      setChart(null)
      made?.end()
    }
  }, [series])
  return chart
}

function Legend({ candle, interval }: { readonly candle: Candle | null; readonly interval: Interval }) {
  if (candle === null) return <p class="legend">&nbsp;</p>
  const { time, open, high, low, close, buyVolume, sellVolume, swaps, traders } = candle
  const tone = close > open ? 'up' : close < open ? 'down' : ''
  const shown = (value: number) => price(String(value))
  return (
    <p class="legend">
      <span title={`The ${interval} from ${dateTime(time)} on`}>{dateTime(time)}</span>
      <Value name="O" value={shown(open)} tone={tone} title="open" />
      <Value name="H" value={shown(high)} tone={tone} title="high" />
      <Value name="L" value={shown(low)} tone={tone} title="low" />
      <Value name="C" value={shown(close)} tone={tone} title="close" />
      <Value
        name="Vol"
        value={`$${compact(buyVolume + sellVolume)}`}
        title={`$${compact(buyVolume, true)} bought, $${compact(sellVolume, true)} sold`}
      />
      <Value name="Swaps" value={count(swaps)} />
      <Value name="Traders" value={count(traders)} />
    </p>
  )
}

interface ValueProps {
  readonly name: string
  readonly value: string
  readonly tone?: string
  readonly title?: string
}

function Value({ name, value, tone = '', title }: ValueProps) {
  return (
    <span title={title}>
      <span class="muted">{name}</span> <span class={tone}>{value}</span>
    </span>
  )
}
