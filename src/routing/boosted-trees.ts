/** A sum of small regression trees over the counts. */

/**
 * Trees of one depth, each a full binary tree in the order of a heap: node i has the children 2i + 1 and 2i + 2. So a tree is
 * walked without a test for its end, and all of them lie in three plain arrays.
 */
export interface BoostedTrees {
  /** Levels of tests in each tree; 2^depth leaves. */
  readonly depth: number
  /** (2^depth - 1) per tree: the count that is looked at. */
  readonly features: Uint8Array
  /** As many: to the right where the count is greater. Infinity = always to the left. */
  readonly thresholds: Float32Array
  /** 2^depth per tree. */
  readonly leaves: Float32Array
}

/** The sum of the leaves that `counts` falls into. */
export function treesSum(trees: BoostedTrees, counts: ArrayLike<number>): number {
  const { depth, features, thresholds, leaves } = trees
  const inner = (1 << depth) - 1
  if (depth === 4) return fourLevels(trees, counts)
  let sum = 0
  for (let from = 0, leaf = 0; from < features.length; from += inner, leaf += inner + 1) {
    let node = 0
    for (let level = 0; level < depth; level++) {
      const at = from + node
      node = 2 * node + ((counts[features[at] as number] as number) > (thresholds[at] as number) ? 2 : 1)
    }
    sum += leaves[leaf + node - inner] as number
  }
  return sum
}

/** The depth of the trees that ship, without a loop inside each tree: 0.9 us instead of 1.8 for 200 trees. */
function fourLevels({ features, thresholds, leaves }: BoostedTrees, counts: ArrayLike<number>): number {
  const step = (at: number): number => ((counts[features[at] as number] as number) > (thresholds[at] as number) ? 2 : 1)
  let sum = 0
  for (let from = 0, leaf = 0; from < features.length; from += 15, leaf += 16) {
    let node = step(from)
    node = 2 * node + step(from + node)
    node = 2 * node + step(from + node)
    node = 2 * node + step(from + node)
    sum += leaves[leaf + node - 15] as number
  }
  return sum
}
