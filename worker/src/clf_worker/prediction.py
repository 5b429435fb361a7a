"""Lines of predictions.jsonl (schemas/predictions.ts), made as server/src/engines/prediction.ts makes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .job import Row, Target

TOP_LABELS = 20
DIGITS = 6
"""Significant digits of probabilities: far below any interval that is printed."""


def rounded(p: float) -> float:
    return min(1.0, max(0.0, float(f"{p:.{DIGITS}g}")))


def prediction_of(row: Row, target: Target, model: str, probabilities: np.ndarray) -> dict[str, Any]:
    """A prediction from the probabilities of all labels. Of equally likely labels the one that is listed first comes first."""
    names = target.names
    order = np.argsort(-probabilities, kind="stable")[:TOP_LABELS]
    top = [[names[i], rounded(float(probabilities[i]))] for i in order]
    several = len(names) > TOP_LABELS
    line: dict[str, Any] = {
        "row": row.row,
        "target": target.name,
        "model": model,
        "split": row.split,
        "label": top[0][0],
        "score": top[0][1],
        "top": top,
        "rest": rounded(1 - float(probabilities[order].sum())) if several else 0,
    }
    if several and row.labels.get(target.name) is not None:
        line["all"] = [rounded(float(p)) for p in probabilities]
    return line


def no_answer(row: Row, target: str, model: str, problem: str) -> dict[str, Any]:
    return {
        "row": row.row,
        "target": target,
        "model": model,
        "split": row.split,
        "label": None,
        "score": 0,
        "top": [],
        "rest": 1,
        "problem": problem,
    }
