"""What a model reads of a row, and what it is to answer. A prompt is a head, the same for every row, and the row's own part.

The fine-tuned prompt has no label list: that is where its tokens are saved. The untuned model (`epochs: 0`) is told the labels,
in the chat format where its tokenizer has one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from .job import Job, Row, Spec, Target

SLOT = "\u241e"
"""Stands for the row in a chat template while it is rendered; no text to classify has it."""


@dataclass(frozen=True)
class Field:
    """An answer's field: the text before the label, and the target. The next field's `before` ends the label."""

    before: str
    target: str


@dataclass(frozen=True)
class Prompt:
    head: str
    """Before the row; the same for all."""
    inputs: list[str]
    foot: str
    """After the row; the same for all."""
    fields: list[Field]
    after: str
    """Ends the answer's last label; the end-of-text token comes after it."""
    json: bool
    """The answer is JSON: labels are written as JSON strings."""

    def body(self, row: Row) -> str:
        """The row's own part."""
        lines = [f"{name}: {' '.join(row.inputs.get(name, '').split())}" for name in self.inputs]
        return "\n".join(lines) + self.foot

    def label(self, name: str) -> str:
        """A label as it stands in the answer."""
        return json.dumps(name, ensure_ascii=False)[1:-1] if self.json else name

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def make_prompt(job: Job, spec: Spec, tokenizer: Any) -> Prompt:
    """The prompt of a model: of the untuned one with the labels, else without them."""
    return _told(job, spec, tokenizer) if spec.epochs == 0 and spec.head == "label-text" else _tuned(job, spec)


def _instructions(job: Job) -> str:
    return (job.instructions or "").strip()


def _tuned(job: Job, spec: Spec) -> Prompt:
    instructions = _instructions(job)
    head = f"{instructions}\n\n" if instructions else ""
    if spec.head == "classifier":
        return Prompt(head, job.inputs, "\n", [], "", False)
    if len(job.targets) == 1:
        name = job.targets[0].name
        return Prompt(head, job.inputs, f"\n{name}:", [Field(" ", name)], "", False)
    return Prompt(head, job.inputs, "\nanswer:", _json_fields(job.targets, " "), '"}', True)


def _json_fields(targets: list[Target], lead: str) -> list[Field]:
    names = [json.dumps(target.name, ensure_ascii=False) for target in targets]
    starts = [f"{lead}{{{names[0]}: \"", *(f'", {name}: "' for name in names[1:])]
    return [Field(before, target.name) for before, target in zip(starts, targets, strict=True)]


def _told(job: Job, spec: Spec, tokenizer: Any) -> Prompt:
    several = len(job.targets) > 1
    what = _instructions(job) or f"Classify the text: say its {' and its '.join(t.name for t in job.targets)}."
    parts = [what]
    for target in job.targets:
        lines = [f"- {label.name}: {label.description}" if label.description else f"- {label.name}" for label in target.labels]
        parts.append(f"{target.name} is one of:\n" + "\n".join(lines))
    example = ", ".join(f"{json.dumps(t.name, ensure_ascii=False)}: \"…\"" for t in job.targets)
    parts.append(f"Answer with JSON alone: {{{example}}}" if several else "Answer with the label alone, as it is written above.")
    system = "\n\n".join(parts)
    if getattr(tokenizer, "chat_template", None):
        head, foot = _chat(tokenizer, system)
        lead = ""
    else:
        head, foot, lead = f"{system}\n\n", "\nanswer:" if several else f"\n{job.targets[0].name}:", " "
    if several:
        return Prompt(head, job.inputs, foot, _json_fields(job.targets, lead), '"}', True)
    return Prompt(head, job.inputs, foot, [Field(lead, job.targets[0].name)], "", False)


def _chat(tokenizer: Any, system: str) -> tuple[str, str]:
    def render(messages: list[dict[str, str]]) -> str:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    try:
        text = render([{"role": "system", "content": system}, {"role": "user", "content": SLOT}])
    except Exception:  # noqa: BLE001 - templates without a system role raise errors of their own
        text = render([{"role": "user", "content": f"{system}\n\n{SLOT}"}])
    head, foot = text.split(SLOT)
    return head, foot
