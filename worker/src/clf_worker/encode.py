"""Prompts and answers as tokens. Pieces are encoded apart and joined: training and scoring see the same tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .job import Job, Row, Target, WorkerError
from .prompt import Prompt
from .trie import Trie


@dataclass(frozen=True)
class EncodedField:
    target: Target
    before: list[int]
    """Tokens between the label before (or the prompt) and this label."""
    labels: list[list[int]]
    """By label, without its end."""
    trie: Trie
    """Of the labels with their end."""


@dataclass(frozen=True)
class Answer:
    tokens: list[int]
    spans: list[tuple[int, int]]
    """By field: where its label begins and ends in `tokens`, its end included."""


class Encoder:
    def __init__(self, job: Job, prompt: Prompt, tokenizer: Any) -> None:
        self.prompt = prompt
        self._tokenizer = tokenizer
        eos = tokenizer.eos_token_id
        if eos is None:
            raise WorkerError("The model's tokenizer has no end-of-text token.", "Choose another base model.")
        bos = tokenizer.bos_token_id
        head = self.tokens(prompt.head)
        # Chat templates bring their own; other text begins as the tokenizer would begin it.
        begins = bos is not None and tokenizer("a")["input_ids"][:1] == [bos] and head[:1] != [bos]
        self.head: list[int] = [bos, *head] if begins else head
        self.end: list[int] = [*self.tokens(prompt.after), eos]
        targets = {target.name: target for target in job.targets}
        befores = [self.tokens(field.before) for field in prompt.fields]
        self.fields = [
            self._field(targets[field.target], befores[i], (befores[i + 1] if i + 1 < len(befores) else self.end)[:1])
            for i, field in enumerate(prompt.fields)
        ]

    def _field(self, target: Target, before: list[int], end: list[int]) -> EncodedField:
        # The lead before a label (a space, mostly) is part of the label's own first token.
        lead = " " if before and self._is_space(before) else ""
        labels = [self.tokens(lead + self.prompt.label(name)) for name in target.names]
        try:
            trie = Trie([[*label, *end] for label in labels])
        except ValueError as error:
            places = [int(word) for word in str(error).split() if word.isdigit()]
            names = [target.names[place] for place in places]
            raise WorkerError(
                f'The model reads the labels "{names[0]}" and "{names[1]}" of {target.name} as the same tokens.',
                "Rename one of them, or use head: classifier.",
            ) from error
        return EncodedField(target, [] if lead else before, labels, trie)

    def _is_space(self, tokens: list[int]) -> bool:
        return self._tokenizer.decode(tokens).strip(" ") == ""

    def tokens(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False)["input_ids"] if text else []

    def bodies(self, rows: list[Row]) -> list[list[int]]:
        """Each row's own part. Quick for many rows at once."""
        if not rows:
            return []
        return self._tokenizer([self.prompt.body(row) for row in rows], add_special_tokens=False)["input_ids"]

    def answer(self, labels: dict[str, str | None]) -> Answer:
        """The answer that a row with these labels is trained on. It stops after the label before the first missing one."""
        tokens: list[int] = []
        spans: list[tuple[int, int]] = []
        for field in self.fields:
            name = labels.get(field.target.name)
            if name is None:
                return Answer([*tokens, *field.before[:1]] if tokens else [], spans)
            start = len(tokens) + len(field.before)
            tokens += [*field.before, *field.labels[field.target.names.index(name)]]
            spans.append((start, len(tokens) + 1))
        return Answer([*tokens, *self.end], spans)

    @property
    def longest_answer(self) -> int:
        """Tokens of the longest answer, its end included."""
        return sum(len(f.before) + max(len(label) for label in f.labels) for f in self.fields) + len(self.end)
