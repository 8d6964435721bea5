/** Attempts that one step folds: some 0.2 ms of Redis, for which requests wait. */
export const FOLD_MOST = 50
