/** Disjoint sets of 0 … n−1 (Tarjan 1975, path halving). The representative of a set is its smallest member. */
export interface DisjointSets {
  find(a: number): number;
  /** Returns false when both were in one set already. */
  join(a: number, b: number): boolean;
}

export function disjointSets(n: number): DisjointSets {
  const parent = new Int32Array(n);
  for (let i = 0; i < n; i++) parent[i] = i;
  function find(a: number): number {
    let at = a;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  }
  return {
    find,
    join(a, b) {
      const first = find(a);
      const second = find(b);
      if (first === second) return false;
      if (first < second) parent[second] = first;
      else parent[first] = second;
      return true;
    },
  };
}
