"""Scoring over a trie, against the product of every label's tokens computed one label at a time. No torch."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest

from clf_worker.score import Branch, score_labels
from clf_worker.trie import Trie

VOCABULARY = 40
END = 0


class Counted:
    """A model whose next-token distribution depends on the whole text before: one that mixes rows or branches up is found out."""

    def __init__(self, sharpness: float = 2.0) -> None:
        self.sharpness = sharpness
        self.evaluated = 0

    def logs(self, text: tuple[int, ...]) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(repr(text).encode()).digest()[:8], "little")
        values = np.random.default_rng(seed).normal(size=VOCABULARY) * self.sharpness
        return values - np.log(np.exp(values).sum())

    def extend(self, state: list[list[int]], tokens: list[list[int]], wanted: list[list[int]]) -> list[np.ndarray]:
        for row, more in zip(state, tokens, strict=True):
            row.extend(more)
        return [self.logs(tuple(row))[list(w)] for row, w in zip(state, wanted, strict=True)]

    def branch(self, state: list[list[int]], branches: list[Branch]) -> list[list[np.ndarray]]:
        found = []
        for row, branch in zip(state, branches, strict=True):
            texts: list[tuple[int, ...]] = []
            for token, parent in zip(branch.tokens, branch.parents, strict=True):
                before = tuple(row) if parent < 0 else texts[parent]
                texts.append((*before, token))
            self.evaluated += len(texts)
            found.append([self.logs(text)[list(w)] for text, w in zip(texts, branch.wanted, strict=True)])
        return found


def brute_force(model: Counted, text: list[int], sequences: list[list[int]]) -> tuple[np.ndarray, float]:
    logs = [
        sum(model.logs((*text, *sequence[:i]))[token] for i, token in enumerate(sequence)) for sequence in sequences
    ]
    weights = np.exp(np.array(logs))
    return weights / weights.sum(), float(weights.sum())


def labels(count: int, seed: int) -> list[list[int]]:
    """Sequences with shared prefixes, and labels that are prefixes of others."""
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, ...], None] = {}
    while len(found) < count:
        base = [int(t) for t in rng.integers(1, 6, size=rng.integers(1, 3))]
        found[tuple(base)] = None
        found[tuple(base + [int(t) for t in rng.integers(1, VOCABULARY, size=rng.integers(1, 4))])] = None
    return [[*sequence, END] for sequence in itertools.islice(found, count)]


@pytest.mark.parametrize("count", [2, 5, 77])
def test_equals_brute_force(count: int) -> None:
    sequences = labels(count, count)
    texts = [[7, 8], [9], [10, 11, 12, 13]]
    model = Counted()
    scores = score_labels(model, [[1], [1], [1]], texts, Trie(sequences))
    for row, text in enumerate(texts):
        expected, mass = brute_force(model, [1, *text], sequences)
        np.testing.assert_allclose(scores.probabilities[row], expected, atol=1e-12)
        assert scores.mass[row] == pytest.approx(mass, rel=1e-9)
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1)
    assert (scores.pruned == 0).all()


@pytest.mark.parametrize("bound", [1e-1, 1e-2, 1e-4])
@pytest.mark.parametrize("sharpness", [1.0, 4.0, 8.0])
def test_what_is_left_out_stays_within_the_bound(bound: float, sharpness: float) -> None:
    sequences = labels(77, 3)
    trie = Trie(sequences)
    texts = [[row, row + 1] for row in range(12)]
    model = Counted(sharpness)
    scores = score_labels(model, [[1] for _ in texts], texts, trie, bound)
    for row, text in enumerate(texts):
        expected, _ = brute_force(model, [1, *text], sequences)
        assert np.abs(scores.probabilities[row] - expected).max() <= bound + 1e-12
        assert scores.pruned[row] <= bound + 1e-12
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1)


def test_leaves_out_what_does_not_matter() -> None:
    sequences = labels(77, 3)
    trie = Trie(sequences)
    whole, part = Counted(8.0), Counted(8.0)
    texts = [[row] for row in range(10)]
    score_labels(whole, [[] for _ in texts], texts, trie)
    scores = score_labels(part, [[] for _ in texts], texts, trie, 1e-2)
    assert part.evaluated < whole.evaluated
    assert scores.nodes.sum() == part.evaluated


def test_every_inner_node_is_evaluated_once() -> None:
    trie = Trie(labels(30, 1))
    model = Counted()
    score_labels(model, [[]], [[5]], trie)
    inner = sum(1 for node in trie.nodes[1:] if node.label is None)
    assert model.evaluated == inner


def test_labels_of_the_same_tokens_are_named() -> None:
    with pytest.raises(ValueError, match="labels 0 and 2"):
        Trie([[1, 2, END], [1, END], [1, 2, END]])
    with pytest.raises(ValueError, match="labels 0 and 1"):
        Trie([[1, 2], [1]])
    with pytest.raises(ValueError, match="labels 0 and 1"):
        Trie([[1], [1, 2]])
