/// Swaps in per second: now, and as a line over the time that the page has been open.

import { clockTime, count, span } from '../numbers/format.js'
import type { RateSample } from '../session/rates.js'
import type { Session } from '../session/session.js'
import { Panel } from '../shell/panel.js'
import { Figure } from './figure.js'

const WIDTH = 600
const HEIGHT = 72

export function RatePanel({ session }: { readonly session: Session }) {
  // Drawn anew with each status.
  const rates = session.status.value?.rates
  const { samples } = session.rates
  const whole = (value: number | null | undefined) =>
    count(value === null || value === undefined ? null : Math.round(value))
  return (
    <Panel title="Swaps per second" class="rate">
      <div class="figures">
        <Figure
          label="in"
          value={whole(rates?.appendedPerSecond)}
          title="Appended to the trade log, over the last ten seconds"
          large
        />
        <Figure
          label="rolled"
          value={whole(rates?.rolledPerSecond)}
          title="Counted by the roller, over the last ten seconds"
        />
        <Figure
          label="updates out"
          value={whole(rates?.updatesPerSecond)}
          title="Statistics published, over the last ten seconds"
        />
      </div>
      <RateLine samples={samples} />
    </Panel>
  )
}

function RateLine({ samples }: { readonly samples: readonly RateSample[] }) {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined || samples.length < 2) return <div class="rate-line" />
  const most = Math.max(1, ...samples.map(({ perSecond }) => perSecond))
  const points = samples.map(({ at, perSecond }) => {
    const x = ((at - first.at) / (last.at - first.at)) * WIDTH
    return `${x.toFixed(1)} ${(HEIGHT - 2 - (perSecond / most) * (HEIGHT - 6)).toFixed(1)}`
  })
  const label = `From 0 to ${count(Math.round(most))} swaps a second, over the last ${span(last.at - first.at)}, since ${clockTime(first.at)}`
  return (
    <figure class="rate-line">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path class="area" d={`M0 ${HEIGHT}L${points.join('L')}L${WIDTH} ${HEIGHT}Z`} />
        <path class="edge" d={`M${points.join('L')}`} vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption>
        <span>{span(last.at - first.at)} ago</span>
        <span>at most {count(Math.round(most))}</span>
        <span>now</span>
      </figcaption>
    </figure>
  )
}
