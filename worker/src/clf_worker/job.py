"""What job.json and data/rows.jsonl say, as the worker reads them. The shapes are schemas/job.ts and schemas/rows.ts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTRACT = 2


class WorkerError(Exception):
    """A person can mend this: what is wrong, what to do about it, and the row it is about."""

    def __init__(self, message: str, remedy: str | None = None, row: str | None = None) -> None:
        super().__init__(message)
        self.message, self.remedy, self.row = message, remedy, row


@dataclass(frozen=True)
class Label:
    name: str
    description: str | None


@dataclass(frozen=True)
class Target:
    name: str
    labels: list[Label]

    @property
    def names(self) -> list[str]:
        return [label.name for label in self.labels]


@dataclass(frozen=True)
class Lora:
    rank: int
    alpha: float
    dropout: float
    target_modules: str | list[str]


@dataclass(frozen=True)
class Spec:
    """The settings of a `qlora` model (schemas/project.ts, QloraModel)."""

    base: str
    gguf_file: str | None
    head: str
    lora: Lora
    quantization: str
    epochs: float
    learning_rate: float
    batch_size: int
    max_tokens: int
    class_weight: str
    folder: str | None = None
    """Where the base lies on this machine, when it was brought here; else its name says so."""

    @property
    def source(self) -> str:
        return self.folder or self.base

    @property
    def load_key(self) -> tuple[str, str | None, str]:
        """Models with the same key share one base in memory."""
        return (self.base, self.gguf_file, self.quantization)


@dataclass(frozen=True)
class Model:
    name: str
    spec: Spec
    training_spec: str
    artifact: str | None


@dataclass(frozen=True)
class Row:
    row: str
    split: str
    inputs: dict[str, str]
    labels: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    id: str
    kind: str
    models: list[Model]
    instructions: str | None
    inputs: list[str]
    targets: list[Target]
    fingerprint: str
    seed: int
    price_per_hour: float | None
    splits: list[str]
    out_of_fold: bool
    threads: int | None


def parse_job(text: str, folders: Mapping[str, str] | None = None) -> Job:
    """Raises WorkerError for a folder made by a newer Clf. `folders`: where bases lie that were brought here, by name."""
    raw = json.loads(text)
    if raw["contract"] > CONTRACT:
        raise WorkerError(
            f"The job's contract is {raw['contract']}; this worker knows {CONTRACT}.", "Update the worker on this host."
        )
    options = raw.get("options", {})
    return Job(
        id=raw["id"],
        kind=raw["kind"],
        models=[_model(model, folders or {}) for model in raw["models"] if model["spec"]["engine"] == "qlora"],
        instructions=raw["task"].get("instructions"),
        inputs=[entry["name"] for entry in raw["task"]["inputs"]],
        targets=[
            Target(t["name"], [Label(label["name"], label.get("description")) for label in t["labels"]])
            for t in raw["task"]["targets"]
        ],
        fingerprint=raw["data"]["fingerprint"],
        seed=raw["seed"],
        price_per_hour=raw["host"].get("price_per_hour"),
        splits=options.get("splits", []),
        out_of_fold=options.get("outOfFold", False),
        threads=options.get("threads"),
    )


def _model(raw: dict[str, Any], folders: Mapping[str, str]) -> Model:
    spec = raw["spec"]
    return Model(
        name=raw["name"],
        spec=Spec(
            base=spec["base"],
            gguf_file=spec.get("gguf_file"),
            head=spec["head"],
            lora=Lora(**spec["lora"]),
            quantization=spec["quantization"],
            epochs=spec["epochs"],
            learning_rate=spec["learning_rate"],
            batch_size=spec["batch_size"],
            max_tokens=spec["max_tokens"],
            class_weight=spec["class_weight"],
            folder=folders.get(spec["base"]),
        ),
        training_spec=raw["training_spec"],
        artifact=(raw.get("artifact") or {}).get("path"),
    )


def read_rows(folder: Path) -> list[Row]:
    rows = []
    with open(folder / "data" / "rows.jsonl", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            rows.append(Row(raw["row"], raw["split"], raw["inputs"], raw["labels"]))
    return rows
