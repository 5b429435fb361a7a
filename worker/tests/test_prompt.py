"""Prompts, answers and what of them is learnt. A tokenizer of single characters stands for a real one. No torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import make_job, model_entry

from clf_worker.encode import Encoder
from clf_worker.folder import JobFolder
from clf_worker.job import Label, Row, Target, WorkerError, read_rows
from clf_worker.prompt import make_prompt


class Characters:
    eos_token_id = 0
    bos_token_id = None
    chat_template: str | None = None

    def __call__(self, text: Any, add_special_tokens: bool = True) -> dict[str, Any]:
        if isinstance(text, list):
            return {"input_ids": [[ord(c) for c in one] for one in text]}
        return {"input_ids": [ord(c) for c in text]}

    def decode(self, tokens: list[int]) -> str:
        return "".join(chr(token) for token in tokens if token)

    def apply_chat_template(self, messages: list[dict[str, str]], **_: Any) -> str:
        return "".join(f"<{m['role']}>{m['content']}\n" for m in messages) + "<assistant>"


def encoder_of(folder: Path, chat: bool = False, **spec: Any) -> tuple[Encoder, list[Row]]:
    targets = spec.pop("targets", ("intent", "tone"))
    job = JobFolder(make_job(folder, [model_entry("base", **spec)], targets=targets), {}).job
    tokenizer = Characters()
    tokenizer.chat_template = "yes" if chat else None
    return Encoder(job, make_prompt(job, job.models[0].spec, tokenizer), tokenizer), read_rows(folder)


def test_one_target_is_answered_by_its_label(tmp_path: Path) -> None:
    encoder, rows = encoder_of(tmp_path, targets=("intent",))
    assert encoder.prompt.body(rows[0]).endswith("\nintent:")
    answer = encoder.answer({"intent": "card_arrival"})
    assert Characters().decode(answer.tokens) == " card_arrival"
    assert answer.tokens[-1] == 0
    assert answer.spans == [(0, len(answer.tokens))]


def test_several_targets_are_one_json_answer(tmp_path: Path) -> None:
    encoder, _ = encoder_of(tmp_path)
    answer = encoder.answer({"intent": "card", "tone": "calm"})
    text = Characters().decode(answer.tokens)
    assert json.loads(text) == {"intent": "card", "tone": "calm"}
    spans = [Characters().decode(answer.tokens[start:end]) for start, end in answer.spans]
    assert spans == ['card"', 'calm"']


def test_what_is_scored_is_what_is_learnt(tmp_path: Path) -> None:
    """The tokens before each label, its own and its end are the same in training and in scoring."""
    encoder, _ = encoder_of(tmp_path)
    for intent in encoder.fields[0].target.names:
        learnt = encoder.answer({"intent": intent, "tone": "angry"}).tokens
        scored: list[int] = []
        for field, name in zip(encoder.fields, (intent, "angry"), strict=True):
            scored += field.before
            sequence = field.trie.sequences[field.target.names.index(name)]
            assert learnt[len(scored) : len(scored) + len(sequence)] == sequence
            scored += field.labels[field.target.names.index(name)]
        assert learnt == scored + encoder.end


def test_an_answer_stops_before_a_missing_label(tmp_path: Path) -> None:
    encoder, _ = encoder_of(tmp_path)
    answer = encoder.answer({"intent": "card", "tone": None})
    assert Characters().decode(answer.tokens) == ' {"intent": "card"'
    assert len(answer.spans) == 1
    assert encoder.answer({"intent": None, "tone": "calm"}).spans == []


def test_the_fine_tuned_prompt_has_no_labels_and_the_untuned_one_has(tmp_path: Path) -> None:
    tuned, rows = encoder_of(tmp_path / "a")
    told, _ = encoder_of(tmp_path / "b", epochs=0)
    chat, _ = encoder_of(tmp_path / "c", chat=True, epochs=0)
    assert "top_up_failed" not in tuned.prompt.head + tuned.prompt.body(rows[0])
    assert "- top_up_failed" in told.prompt.head
    assert chat.prompt.head.startswith("<system>") and chat.prompt.foot.endswith("<assistant>")
    assert "- angry" in chat.prompt.head and rows[0].inputs["text"] in chat.prompt.body(rows[0])


def test_labels_are_escaped_in_json(tmp_path: Path) -> None:
    encoder, _ = encoder_of(tmp_path)
    assert json.loads(f'"{encoder.prompt.label(chr(34) + "a" + chr(92))}"') == '"a\\'


def test_labels_that_read_the_same_are_named(tmp_path: Path) -> None:
    encoder, _ = encoder_of(tmp_path, targets=("intent",))
    job = JobFolder(tmp_path, {}).job
    job.targets[0] = Target("intent", [Label("a", None), Label("b", None), Label("a", None)])
    with pytest.raises(WorkerError, match='labels "a" and "a" of intent'):
        Encoder(job, encoder.prompt, Characters())
