"""Job folders and a tiny model, made anew: no test reads anything from a network."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

WORDS = {
    "card": ["card", "plastic", "chip"],
    "card_arrival": ["post", "waiting", "delivery"],
    "top_up": ["money", "add", "balance"],
    "top_up_failed": ["error", "declined", "refused"],
    "pin": ["pin", "code", "digits"],
}
TONES = {"calm": ["please", "kindly"], "angry": ["now", "terrible"]}


def make_rows(count: int = 60, seed: int = 0) -> list[dict[str, Any]]:
    """Rows that can be learnt: a word tells each label."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        intent, tone = rng.choice(list(WORDS)), rng.choice(list(TONES))
        text = f"my {rng.choice(WORDS[intent])} {rng.choice(['thing', 'matter', 'case'])} {rng.choice(TONES[tone])}"
        split = ["train", "train", "train", "tune", "validation", "test"][i % 6]
        rows.append({"row": f"r{i}", "split": split, "inputs": {"text": text}, "labels": {"intent": intent, "tone": tone}})
    return rows


def model_entry(base: str, name: str = "tuned", artifact: str | None = None, **spec: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": name,
        "spec": {
            "engine": "qlora",
            "base": base,
            "head": "label-text",
            "lora": {"rank": 8, "alpha": 16, "dropout": 0.05, "target_modules": "all-linear"},
            "quantization": "none",
            "epochs": 2,
            "learning_rate": 0.005,
            "batch_size": 8,
            "max_tokens": 96,
            "class_weight": "none",
            **spec,
        },
        "training_spec": "0" * 64,
    }
    if artifact is not None:
        entry["artifact"] = {"job": "20261122-0000-tuned-00000000", "path": artifact}
    return entry


def make_job(
    folder: Path,
    models: list[dict[str, Any]],
    kind: str = "fine-tune",
    targets: tuple[str, ...] = ("intent", "tone"),
    rows: list[dict[str, Any]] | None = None,
    splits: tuple[str, ...] = ("tune", "validation", "test"),
) -> Path:
    """A job folder as the manager makes it."""
    rows = make_rows() if rows is None else rows
    names = {"intent": list(WORDS), "tone": list(TONES)}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    kept = [{**row, "labels": {t: row["labels"][t] for t in targets}} for row in rows]
    (folder / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    counts = {split: sum(row["split"] == split for row in rows) for split in ("train", "tune", "validation", "test", "pool")}
    job = {
        "contract": 2,
        "id": "20261122-0400-tuned-0a1b2c3d",
        "kind": kind,
        "project": {"name": "tiny", "file": "/tmp/tiny.clf.yaml"},
        "models": models,
        "host": {"name": "local", "kind": "local"},
        "task": {
            "inputs": [{"column": "text", "name": "text"}],
            "targets": [{"name": t, "column": t, "labels": [{"name": n} for n in names[t]]} for t in targets],
        },
        "data": {
            "fingerprint": "f" * 64,
            "rows": counts,
            "decisions": 0,
            "sampling": {"left_out": 0, "dropped_labels": {}, "applied": "train"},
            "validation": True,
            "grouped": False,
        },
        "confidence": {
            "calibration": "auto",
            "accept": {"risk": 0.05, "certainty": 0.95, "scope": "row"},
            "audit": 0.02,
        },
        "seed": 42,
        "created": "2026-11-22T04:00:00.000Z",
        "versions": {"clf": "0.0.0"},
        "options": {"splits": list(splits)} if kind != "fine-tune" else {},
    }
    (folder / "job.json").write_text(json.dumps(job))
    return folder


def read_jsonl(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def job_folder(tmp_path: Path) -> Path:
    return make_job(tmp_path / "job", [model_entry("base")])


@pytest.fixture(scope="session")
def schema() -> Any:
    """Checks a value against a committed JSON Schema; raises with what is wrong."""
    import jsonschema

    def check(name: str, value: Any) -> None:
        raw = json.loads((ROOT / "schemas" / "json" / f"{name}.schema.json").read_text())
        jsonschema.Draft202012Validator(raw).validate(value)

    return check


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random Qwen2 of 3 layers with a tokenizer of its own, as a folder."""
    pytest.importorskip("torch", reason="the environment with torch is not there")
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(1)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([row["inputs"]["text"] for row in make_rows(200)] + list(WORDS) * 9, trainer)
    folder = tmp_path_factory.mktemp("base")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>").save_pretrained(folder)
    config = Qwen2Config(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        initializer_range=0.1,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return str(folder)
