/// Metrics as text, in the format that Prometheus scrapes (version 0.0.4). Base units: seconds, bytes, counts.

import type { Histogram } from './histogram.js'

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type Labels = Readonly<Record<string, string | number>>

export interface Sample {
  readonly labels?: Labels
  /// null is not known here, and is left out.
  readonly value: number | null
}

export class Exposition {
  #text = ''

  get text(): string {
    return this.#text
  }

  counter(name: string, help: string, samples: readonly Sample[] | number | null): void {
    this.#family(name, 'counter', help, samples)
  }

  gauge(name: string, help: string, samples: readonly Sample[] | number | null): void {
    this.#family(name, 'gauge', help, samples)
  }

  histogram(
    name: string,
    help: string,
    series: readonly { readonly labels?: Labels; readonly histogram: Histogram }[],
  ): void {
    if (series.length === 0) return
    this.#head(name, 'histogram', help)
    for (const { labels = {}, histogram } of series) {
      let below = 0
      for (const [i, bound] of histogram.bounds.entries()) {
        below += histogram.counts[i] ?? 0
        this.#sample(`${name}_bucket`, { ...labels, le: bound }, below)
      }
      this.#sample(`${name}_bucket`, { ...labels, le: '+Inf' }, histogram.count)
      this.#sample(`${name}_sum`, labels, histogram.sum)
      this.#sample(`${name}_count`, labels, histogram.count)
    }
  }

  #family(name: string, type: string, help: string, samples: readonly Sample[] | number | null): void {
    const all = typeof samples === 'object' && samples !== null ? samples : [{ value: samples }]
    const known = all.filter(({ value }) => value !== null)
    if (known.length === 0) return
    this.#head(name, type, help)
    for (const { labels = {}, value } of known) this.#sample(name, labels, value ?? 0)
  }

  #head(name: string, type: string, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([key, label]) => `${key}="${escapedLabel(String(label))}"`)
    this.#text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
  }
}

function escapedLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
