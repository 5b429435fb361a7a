"""Class weights: what a label's rows count, by target."""

from __future__ import annotations

from .job import Row, Target


def class_weights(rows: list[Row], target: Target, kind: str) -> list[float]:
    """By label. `balanced` is scikit-learn's: rows / (labels that occur * rows of the label); labels without rows count 1."""
    if kind == "none":
        return [1.0] * len(target.labels)
    counts = dict.fromkeys(target.names, 0)
    for row in rows:
        name = row.labels.get(target.name)
        if name is not None and name in counts:
            counts[name] += 1
    total, occurring = sum(counts.values()), sum(count > 0 for count in counts.values())
    return [total / (occurring * count) if count else 1.0 for count in counts.values()]
