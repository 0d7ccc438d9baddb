/// Candles with volume, drawn by Lightweight Charts. It is loaded when a chart is wanted: it is larger than the rest of the page.

import {
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import { clockTime, compact, dateTime, price } from '../numbers/format.js'
import type { Candle } from './candle-series.js'

/// How many candles are shown at first, at most.
const SHOWN = 120
/// With fewer than this, room is left for those to come.
const ROOM = 30
/// With fewer candles than this before the first one that is seen, older ones are wanted.
const BACK_FROM = 20

export interface ChartOptions {
  readonly intervalMs: number
  /// The candle below the pointer; null when there is none.
  onPoint(candle: Candle | null): void
  onBackWanted(): void
}

export class CandleChart {
  readonly #chart: IChartApi
  readonly #candles: ISeriesApi<'Candlestick'>
  readonly #volume: ISeriesApi<'Histogram'>
  readonly #options: ChartOptions
  #drawn: readonly Candle[] = []
  #byTime = new Map<number, Candle>()
  #ended = false

  constructor(element: HTMLElement, options: ChartOptions) {
    this.#options = options
    this.#chart = createChart(element, {
      autoSize: true,
      // The credit stands below the chart, as text: the one it would draw needs a style that the page's policy forbids.
      layout: { attributionLogo: false, fontFamily: getComputedStyle(element).fontFamily, fontSize: 12 },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.26 } },
      timeScale: {
        timeVisible: true,
        secondsVisible: options.intervalMs < 60_000,
        rightOffset: 4,
        minBarSpacing: 1,
        tickMarkFormatter: (time: Time) => tick(epochMs(time), options.intervalMs),
      },
      localization: { timeFormatter: (time: Time) => dateTime(epochMs(time)) },
      handleScroll: { vertTouchDrag: false },
    })
    this.#candles = this.#chart.addSeries(CandlestickSeries, {
      priceFormat: { type: 'custom', minMove: 1e-12, formatter: (value: number) => price(String(value)) },
    })
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: '',
      priceFormat: { type: 'custom', minMove: 0.01, formatter: (value: number) => `$${compact(value)}` },
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.8, bottom: 0 } })
    this.#chart.subscribeCrosshairMove(({ time }) => {
      options.onPoint(time === undefined ? null : (this.#byTime.get(epochMs(time)) ?? null))
    })
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(range => {
      if (range !== null && range.from < BACK_FROM) options.onBackWanted()
    })
    this.recolor()
  }

  /// With the colours that the page has now.
  recolor(): void {
    if (this.#ended) return
    const style = getComputedStyle(this.#chart.chartElement())
    const color = (name: string) => style.getPropertyValue(name)
    this.#chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: 'transparent' }, textColor: color('--muted') },
      grid: { vertLines: { color: color('--line') }, horzLines: { color: color('--line') } },
      rightPriceScale: { borderColor: color('--line') },
      timeScale: { borderColor: color('--line') },
      crosshair: { vertLine: { color: color('--muted') }, horzLine: { color: color('--muted') } },
    })
    // Rising candles are hollow, falling ones filled: they differ by more than their colour.
    this.#candles.applyOptions({
      priceLineColor: color('--muted'),
      upColor: color('--raised'),
      borderUpColor: color('--up'),
      wickUpColor: color('--up'),
      downColor: color('--down'),
      borderDownColor: color('--down'),
      wickDownColor: color('--down'),
    })
    const drawn = this.#drawn
    this.#drawn = []
    this.draw(drawn)
  }

  draw(candles: readonly Candle[]): void {
    if (this.#ended) return
    const before = this.#drawn
    this.#drawn = candles
    this.#byTime = new Map(candles.map(candle => [candle.time, candle]))
    const changed = candles.findIndex((candle, i) => candle !== before[i])
    // Most of the time only the last one has changed, or one more has come.
    if (before.length > 0 && candles.length - before.length <= 1 && changed >= before.length - 1) {
      for (const candle of candles.slice(changed)) this.#update(candle, before.at(-1))
      return
    }
    const style = this.#volumeColors()
    const times = [...this.#buckets(candles)]
    const at = (time: number) => this.#byTime.get(time)
    this.#candles.setData(times.map(time => ({ time: seconds(time), ...prices(at(time)) })))
    this.#volume.setData(times.map(time => ({ time: seconds(time), ...volumeOf(at(time), style) })))
    if (before.length === 0 && times.length > 0) {
      this.#chart.timeScale().setVisibleLogicalRange({
        from: times.length - Math.min(SHOWN, Math.max(ROOM, times.length)),
        to: times.length + 4,
      })
    }
  }

  /// Nothing is drawn after this, whoever asks.
  end(): void {
    this.#ended = true
    this.#chart.remove()
  }

  #update(candle: Candle, before: Candle | undefined): void {
    const style = this.#volumeColors()
    const { intervalMs } = this.#options
    const from = before === undefined || before.time === candle.time ? candle.time : before.time + intervalMs
    for (let time = from; time <= candle.time; time += intervalMs) {
      const there = time === candle.time ? candle : undefined
      this.#candles.update({ time: seconds(time), ...prices(there) })
      this.#volume.update({ time: seconds(time), ...volumeOf(there, style) })
    }
  }

  /// The beginnings of all intervals from the first candle to the last: those without a swap are left free.
  *#buckets(candles: readonly Candle[]): Generator<number> {
    const { intervalMs } = this.#options
    const [first] = candles
    if (first === undefined) return
    let next = first.time
    for (const { time } of candles) {
      // A hole longer than the screen is left out.
      if ((time - next) / intervalMs > SHOWN) next = time
      for (; next <= time; next += intervalMs) yield next
    }
  }

  #volumeColors(): VolumeColors {
    const style = getComputedStyle(this.#chart.chartElement())
    return { up: style.getPropertyValue('--volume-up'), down: style.getPropertyValue('--volume-down') }
  }
}

interface VolumeColors {
  readonly up: string
  readonly down: string
}

const seconds = (epochMs: number): UTCTimestamp => timestamp(epochMs / 1000)
const timestamp = (value: number): UTCTimestamp => value as UTCTimestamp
const epochMs = (time: Time): number => (typeof time === 'number' ? time * 1000 : 0)

function prices(candle: Candle | undefined) {
  if (candle === undefined) return {}
  const { open, high, low, close } = candle
  return { open, high, low, close }
}

/// Coloured by the side that bought or sold more.
function volumeOf(candle: Candle | undefined, { up, down }: VolumeColors) {
  if (candle === undefined) return {}
  const { buyVolume, sellVolume } = candle
  return { value: buyVolume + sellVolume, color: buyVolume >= sellVolume ? up : down }
}

/// By the reader's clock: the day at midnight, else the time.
function tick(time: number, intervalMs: number): string {
  const date = new Date(time)
  const clock = clockTime(time)
  if (intervalMs >= 86_400_000 || clock === '00:00:00') {
    return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  }
  return intervalMs < 60_000 ? clock : clock.slice(0, 5)
}
