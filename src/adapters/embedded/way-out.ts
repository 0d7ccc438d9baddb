/// What an operator can do about damage; part of every DamagedError.
export const REPAIR =
  'Restore the data directory from a copy, or run `volumer repair --data DIR`: it moves what is damaged aside, keeps everything that is whole, and says exactly what is lost.'
