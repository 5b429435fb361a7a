"""The probability of every label: the product of its tokens' conditional probabilities, renormalised over the label set.

DESIGN §5.1. Each inner node of the label trie is evaluated once, after a prefix that is read once. Where a row's first
token leaves next to nothing for a branch, the branch is not evaluated; what that can change is bounded and is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .trie import Trie


@dataclass(frozen=True)
class Branch:
    """Tokens that continue a prefix in several ways at once. `parents[i]` is a place before i, or -1: after the prefix."""

    tokens: list[int]
    parents: list[int]
    wanted: list[list[int]]
    """By token: the next tokens whose log-probability is asked for."""


class LanguageModel(Protocol):
    """What scoring asks of a model. A `state` holds what was read, a row each; its nature is the model's own."""

    def extend(self, state: Any, tokens: list[list[int]], wanted: list[list[int]]) -> list[np.ndarray]:
        """Reads more tokens of each row into `state`. Returns by row the log-probabilities of the wanted next tokens."""
        ...

    def branch(self, state: Any, branches: list[Branch]) -> list[list[np.ndarray]]:
        """Evaluates a branch of each row and leaves `state` as it was. Returns by row and token."""
        ...


@dataclass(frozen=True)
class Scores:
    probabilities: np.ndarray
    """A row each, a column a label; rows sum to 1."""
    mass: np.ndarray
    """By row: how much probability the model gives all labels together, before renormalising."""
    pruned: np.ndarray
    """By row: an upper bound of what branches that were not evaluated can change of any probability."""
    nodes: np.ndarray
    """By row: trie nodes that were evaluated, the prefix's end not counted."""


def score_labels(model: LanguageModel, state: Any, tokens: list[list[int]], trie: Trie, bound: float = 0.0) -> Scores:
    """Reads `tokens` into `state` and scores the labels that may follow.

    `bound`: the most that leaving branches out may change any probability; 0 evaluates every node.
    """
    count, labels = len(tokens), len(trie.sequences)
    first = list(trie.nodes[0].children)
    roots = model.extend(state, tokens, [first] * count)
    paths = [dict(zip(trie.nodes[0].children.values(), logs, strict=True)) for logs in roots]
    waiting = [_branches_needed(path, bound) for path in paths]
    weights = np.full((count, labels), -np.inf)
    evaluated = np.zeros(count, dtype=int)
    for kept in (0, 1):
        chosen = [needed[kept] for needed in waiting]
        if not any(chosen):
            break
        evaluated += _evaluate(model, state, trie, paths, chosen, weights)
        # What was left out must be small beside what was found; a row where it is not gets the rest evaluated too.
        for row, (_, left) in enumerate(waiting):
            if kept == 0 and _mass(paths[row], left) <= bound * np.exp(_log_sum(weights[row])):
                waiting[row] = (waiting[row][0], [])
    pruned = np.zeros(count)
    for row in range(count):
        left = [child for child in trie.nodes[0].children.values() if np.isneginf(weights[row, _first_label(trie, child)])]
        outside = _mass(paths[row], left)
        inside = float(np.exp(_log_sum(weights[row])))
        pruned[row] = outside / inside if inside > 0 else 0.0
        for child in left:
            # The branch's whole mass, evenly: the even share is as good as any below the bound.
            leaves = [trie.nodes[node].label for node in trie.below(child) if trie.nodes[node].label is not None]
            weights[row, leaves] = paths[row][child] - np.log(len(leaves))
    totals = np.array([_log_sum(row) for row in weights])
    return Scores(np.exp(weights - totals[:, None]), np.exp(totals), pruned, evaluated)


def _branches_needed(first: dict[int, float], bound: float) -> tuple[list[int], list[int]]:
    """The first tokens' nodes: those to evaluate now, and the least likely ones, whose sum is within the bound."""
    order = sorted(first, key=lambda node: first[node])
    allowed = bound * sum(np.exp(value) for value in first.values())
    left: list[int] = []
    total = 0.0
    for node in order[:-1]:
        total += float(np.exp(first[node]))
        if total > allowed:
            break
        left.append(node)
    return order[len(left) :], left


def _evaluate(
    model: LanguageModel,
    state: Any,
    trie: Trie,
    paths: list[dict[int, float]],
    chosen: list[list[int]],
    weights: np.ndarray,
) -> np.ndarray:
    """Evaluates the subtrees of the chosen nodes of each row and puts their labels' log weights into `weights`. Returns how many nodes, by row."""
    inner: list[list[int]] = []
    branches: list[Branch] = []
    for nodes in chosen:
        mine = [node for top in nodes for node in trie.below(top) if trie.nodes[node].label is None]
        places = {node: place for place, node in enumerate(mine)}
        inner.append(mine)
        branches.append(
            Branch(
                tokens=[trie.nodes[node].token for node in mine],
                parents=[places.get(trie.nodes[node].parent, -1) for node in mine],
                wanted=[list(trie.nodes[node].children) for node in mine],
            )
        )
    results = model.branch(state, branches) if any(inner) else [[] for _ in inner]
    for row, (nodes, found) in enumerate(zip(inner, results, strict=True)):
        path = paths[row]
        for node, logs in zip(nodes, found, strict=True):
            for child, log in zip(trie.nodes[node].children.values(), logs, strict=True):
                path[child] = path[node] + float(log)
        for top in chosen[row]:
            for node in trie.below(top):
                label = trie.nodes[node].label
                if label is not None:
                    weights[row, label] = path[node]
    return np.array([len(nodes) for nodes in inner])


def _first_label(trie: Trie, node: int) -> int:
    while (label := trie.nodes[node].label) is None:
        node = next(iter(trie.nodes[node].children.values()))
    return label


def _mass(path: dict[int, float], nodes: list[int]) -> float:
    return float(sum(np.exp(path[node]) for node in nodes))


def _log_sum(values: np.ndarray) -> float:
    top = values.max()
    return float(top if np.isneginf(top) else top + np.log(np.exp(values - top).sum()))
