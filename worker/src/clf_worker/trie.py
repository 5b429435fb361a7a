"""A trie over the token sequences of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Node:
    token: int
    parent: int
    """Place of the parent in `Trie.nodes`; -1 at the root."""
    children: dict[int, int] = field(default_factory=dict)
    """Token to place of the child."""
    label: int | None = None
    """At a leaf: which label ends here."""


class Trie:
    """Every sequence ends with an end token, so that a label which is the beginning of another one is no special case.

    Raises ValueError, naming the two labels by place, when two sequences are equal or one still is a prefix of another.
    """

    def __init__(self, sequences: Sequence[Sequence[int]]) -> None:
        self.nodes: list[Node] = [Node(token=-1, parent=-1)]
        self.sequences = [list(sequence) for sequence in sequences]
        for label, sequence in enumerate(sequences):
            at = 0
            for token in sequence:
                if self.nodes[at].label is not None:
                    raise ValueError(f"labels {self.nodes[at].label} and {label} cannot be told apart by their tokens")
                child = self.nodes[at].children.get(token)
                if child is None:
                    child = len(self.nodes)
                    self.nodes.append(Node(token, at))
                    self.nodes[at].children[token] = child
                at = child
            node = self.nodes[at]
            if node.label is not None or node.children:
                other = node.label if node.label is not None else self._any_label(at)
                raise ValueError(f"labels {other} and {label} cannot be told apart by their tokens")
            node.label = label
        self._below: dict[int, list[int]] = {}

    def _any_label(self, at: int) -> int:
        while self.nodes[at].label is None:
            at = next(iter(self.nodes[at].children.values()))
        label = self.nodes[at].label
        assert label is not None
        return label

    def below(self, at: int) -> list[int]:
        """The node and all under it, parents before children. Asked for every row again, so it is kept."""
        found = self._below.get(at)
        if found is None:
            found = [at]
            for node in found:
                found.extend(self.nodes[node].children.values())
            self._below[at] = found
        return found
