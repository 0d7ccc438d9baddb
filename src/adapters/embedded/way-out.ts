/// What an operator can do about damage; part of every DamagedError.
export const REPAIR =
  'Restore the data directory from a copy, or run `volumer repair --data DIR`: it moves what is damaged aside, keeps everything that is whole, and says exactly what is lost.'

/// The same for the state, which may be made again.
export const REPAIR_STATE = `${REPAIR} As long as the trade log still has its first record, nothing of the state is lost: the next start rolls the log again.`
