/**
 * Stratified division of units (rows that must stay together) into parts of given shares, for any number of targets.
 *
 * The order is that of iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, "On the stratification of multi-label
 * data"): labels rarest first, so that the rare ones are placed while there is still a choice. Within a label large
 * units come first, then the order of a seeded hash, so that the order of the rows plays no part. A unit goes to the part
 * that lowers χ² the most: the sum of (rows − quota)² / quota over the unit's labels and over the rows as a whole. The
 * first unit of each label goes to the first part (train), so that no label is only ever tested.
 */
export interface Units {
  count: number;
  /** Rows in each unit. */
  sizes: Int32Array;
  /** Seeded hash of each unit, 32 bits: the order. */
  hashes: Uint32Array;
  /** Labels of the rows of unit u: labels[starts[u]] … labels[starts[u + 1] − 1]; numbered over all targets. */
  starts: Int32Array;
  labels: Int32Array;
}

/** Part of each unit: an index into `shares`, which add up to 1. A part of share 0 gets nothing. */
export function stratify(units: Units, shares: number[], labelCount: number): Uint8Array {
  const parts = shares.map((_, part) => part).filter((part) => shares[part]! > 0);
  const assigned = new Uint8Array(units.count).fill(255);
  const order = Int32Array.from({ length: units.count }, (_, u) => u).sort(
    (a, b) => units.sizes[b]! - units.sizes[a]! || units.hashes[a]! - units.hashes[b]! || a - b,
  );

  const totals = new Int32Array(labelCount);
  let rows = 0;
  for (const label of units.labels) totals[label]!++;
  for (const size of units.sizes) rows += size;
  /** Rows each part still lacks: over all, and by label. */
  const lacking = shares.map((share) => share * rows);
  const lackingOf = shares.map((share) => Float64Array.from(totals, (total) => share * total));
  const inFirst = new Uint8Array(labelCount);

  function assign(unit: number, part: number): void {
    assigned[unit] = part;
    lacking[part]! -= units.sizes[unit]!;
    for (let k = units.starts[unit]!; k < units.starts[unit + 1]!; k++) {
      lackingOf[part]![units.labels[k]!]!--;
      if (part === parts[0]) inFirst[units.labels[k]!] = 1;
    }
  }

  /** Half of what χ² falls when the unit goes to the part. */
  function gainOf(unit: number, part: number): number {
    const size = units.sizes[unit]!;
    let gain = (size * (lacking[part]! - size / 2)) / (shares[part]! * rows);
    for (let k = units.starts[unit]!; k < units.starts[unit + 1]!; k++) {
      const label = units.labels[k]!;
      gain += (lackingOf[part]![label]! - 0.5) / (shares[part]! * totals[label]!);
    }
    return gain;
  }

  // Units of each label, in order. A unit with several rows of a label stands there once for each: skipped when met again.
  const begin = new Int32Array(labelCount + 1);
  for (let label = 0; label < labelCount; label++) begin[label + 1] = begin[label]! + totals[label]!;
  const byLabel = new Int32Array(units.labels.length);
  const fill = begin.slice();
  for (const unit of order) {
    for (let k = units.starts[unit]!; k < units.starts[unit + 1]!; k++) byLabel[fill[units.labels[k]!]!++] = unit;
  }
  const rarestFirst = Int32Array.from({ length: labelCount }, (_, label) => label).sort(
    (a, b) => totals[a]! - totals[b]! || a - b,
  );
  for (const label of rarestFirst) {
    for (let k = begin[label]!; k < begin[label + 1]!; k++) {
      const unit = byLabel[k]!;
      if (assigned[unit] !== 255) continue;
      let chosen = parts[0]!;
      if (inFirst[label] === 1) {
        let best = Number.NEGATIVE_INFINITY;
        for (const part of parts) {
          const gain = gainOf(unit, part);
          if (gain <= best) continue;
          best = gain;
          chosen = part;
        }
      }
      assign(unit, chosen);
    }
  }
  // Units without a label.
  for (const unit of order) {
    if (assigned[unit] !== 255) continue;
    assign(
      unit,
      parts.reduce((best, part) => (lacking[part]! > lacking[best]! ? part : best)),
    );
  }
  return assigned;
}
