/// Columns of text for the terminal.

/// Rows as aligned columns: the first to the left, the others to the right, two spaces between.
export function columnsText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  }
  return rows
    .map(row => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
    .map(row => `${row.join('  ').trimEnd()}\n`)
    .join('')
}

/// `1,234.50`: a decimal string with separators and at least two decimals; what is below a cent is kept.
export function usdText(decimal: string): string {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction.padEnd(2, '0')}`
}

export const compactNumber = (value: number): string => value.toLocaleString('en')

/// Text from elsewhere with control characters made visible, so that a token's name cannot steer the terminal.
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, char => `\\u{${char.codePointAt(0)?.toString(16)}}`)
}
