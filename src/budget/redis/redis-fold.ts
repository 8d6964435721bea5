/** Attempts that one step folds: some 0.15 ms of Redis, for which requests wait. */
export const FOLD_MOST = 25
