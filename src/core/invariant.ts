/// A violated invariant: a bug of ours or damaged state, never bad input. The process stops with it, because
/// anything it served afterwards could be wrong.
export class InvariantError extends Error {
  readonly code = 'E_INVARIANT'
  override readonly name = 'InvariantError'
}

/// Throws InvariantError unless `condition` holds. Stays on in production. `what` says what must hold.
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(`Invariant violated: ${what}`)
}
