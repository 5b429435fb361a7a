"""Predicting: batches of rows of like length, each written as soon as it is there, so that a killed run goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from safetensors.torch import load_file

from .encode import Encoder
from .folder import JobFolder, Predictions
from .job import Job, Model, Row, Target, WorkerError
from .language_model import Loaded, State, TorchModel, load_base, out_of_memory
from .prediction import no_answer, prediction_of
from .prompt import Field, Prompt, make_prompt
from .score import score_labels
from .train import make_heads

BOUND = 5e-5
"""The most that trie branches which are not evaluated may change any probability."""
BATCH_TOKENS = {"cuda": 32768, "cpu": 1024}
"""Places that go through the network at once, prompts and trie nodes together."""
BATCH_ROWS = 256


@dataclass(frozen=True)
class Batch:
    rows: list[Row]
    bodies: list[list[int]]


def predict(folder: JobFolder, rows: list[Row]) -> None:
    """Predicts with every `qlora` model of the job. Models on the same base share it: it is loaded once."""
    job = folder.job
    predictions = Predictions(folder.path)
    wanted = [row for row in rows if row.split in job.splits]
    if job.out_of_fold:
        folder.log("Engine qlora makes no out-of-fold predictions: without validation rows nothing can be calibrated.", "warning")
    groups: dict[tuple[str, str | None, str], list[Model]] = {}
    for model in job.models:
        groups.setdefault(model.spec.load_key, []).append(model)
    for models in groups.values():
        work = [(model, _waiting(job, model, wanted, predictions)) for model in models]
        if not any(waiting for _, waiting in work):
            continue
        folder.progress("loading the model", 0, None, "rows")
        loaded = load_base(models[0].spec)
        adapted = Adapted(loaded)
        for model, waiting in work:
            if waiting:
                _predict_model(folder, loaded, adapted, model, waiting, predictions)


def _waiting(job: Job, model: Model, rows: list[Row], predictions: Predictions) -> list[Row]:
    return [r for r in rows if not all(predictions.has(model.name, r.row, t.name) for t in job.targets)]


class Adapted:
    """One base with the adapters of several models, one of them or none at work."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._network: Any = loaded.model

    @contextmanager
    def of(self, adapter: Path | None) -> Iterator[Any]:
        if adapter is None:
            if not isinstance(self._network, PeftModel):
                yield self._network
                return
            with self._network.disable_adapter():
                yield self._network
            return
        if not isinstance(self._network, PeftModel):
            # PEFT keeps one adapter at least: the first one stays, others go when they have done their work.
            self._network = PeftModel.from_pretrained(self._network, str(adapter), adapter_name="first")
            self._network.eval()
            yield self._network
            return
        self._network.load_adapter(str(adapter), adapter_name="other")
        self._network.set_adapter("other")
        self._network.eval()
        yield self._network
        self._network.set_adapter("first")
        self._network.delete_adapter("other")


def _predict_model(
    folder: JobFolder, loaded: Loaded, adapted: Adapted, model: Model, rows: list[Row], predictions: Predictions
) -> None:
    job, price = folder.job, folder.job.price_per_hour
    with open_scoring(folder.path, job, model, loaded, adapted) as scoring:
        left_out, usable = scoring.sort(rows)
        predictions.append(scoring.unanswered(left_out))
        if left_out:
            folder.log(scoring.too_long(left_out), "warning")
        started, done, tokens = time.monotonic(), 0, 0
        folder.check_stop()
        for batch in scoring.batches(usable, lambda message: folder.log(message, "warning")):
            predictions.append(scoring.lines(batch))
            tokens += sum(one.prompt - one.cached + one.nodes for one in batch.made)
            done += len(batch.rows)
            spent = time.monotonic() - started
            folder.progress(f"predicting with {model.name}", done, len(usable), "rows", spent / done * (len(usable) - done))
            folder.check_stop()
        spent = max(time.monotonic() - started, 1e-9)
    if done:
        folder.event("metric", name="rows a second", value=done / spent, model=model.name)
        folder.event("metric", name="tokens a second", value=tokens / spent, model=model.name)
        folder.event("metric", name="tokens a row", value=tokens / done, model=model.name)
        if price is not None:
            folder.event("metric", name="dollars a million rows", value=spent / done * price / 3600 * 1e6, model=model.name)


@dataclass(frozen=True)
class Scored:
    """A batch with what was made of it."""

    rows: list[Row]
    made: list[Made]
    seconds: float
    """A row."""


class Scoring:
    """A loaded model that says what it thinks of rows: in a job, or for as long as it is served."""

    def __init__(self, job: Job, model: Model, encoder: Encoder, room: int, scorer: Any, at: torch.device) -> None:
        self._job, self._model, self._encoder, self._room, self._scorer = job, model, encoder, room, scorer
        self._device = at
        self._budget = BATCH_TOKENS[at.type]

    def predictions(self, rows: list[Row], warn: Callable[[str], None]) -> Iterator[list[dict[str, Any]]]:
        """The predictions of all rows, batch by batch."""
        left_out, usable = self.sort(rows)
        if left_out:
            yield self.unanswered(left_out)
        for batch in self.batches(usable, warn):
            yield self.lines(batch)

    def sort(self, rows: list[Row]) -> tuple[list[Row], list[Batch]]:
        """Rows that leave no room for the answer, and the others, by themselves, in the order in which they are to be scored."""
        bodies = self._encoder.bodies(rows)
        begin, end = len(self._encoder.head), self._encoder.longest_answer
        fits = [begin + len(body) + end <= self._room for body in bodies]
        usable = [Batch([row], [body]) for row, body, fit in zip(rows, bodies, fits, strict=True) if fit]
        # The longest first: what does not fit shows at once, and the time left is over-, not underestimated.
        usable.sort(key=lambda one: -len(one.bodies[0]))
        return [row for row, fit in zip(rows, fits, strict=True) if not fit], usable

    def unanswered(self, rows: list[Row]) -> list[dict[str, Any]]:
        return [no_answer(row, target.name, self._model.name, "truncated") for row in rows for target in self._job.targets]

    def too_long(self, rows: list[Row]) -> str:
        named = ", ".join(row.row for row in rows[:5])
        limit = self._model.spec.max_tokens
        return f"{len(rows)} rows leave no room for the answer within max_tokens ({limit}) and get none: {named}."

    def batches(self, usable: list[Batch], warn: Callable[[str], None]) -> Iterator[Scored]:
        done = 0
        while done < len(usable):
            batch = _take(usable, done, self._budget, self._scorer.nodes)
            begun = time.monotonic()
            try:
                made = self._scorer.score(batch)
            except torch.cuda.OutOfMemoryError as error:
                torch.cuda.empty_cache()
                if len(batch.rows) == 1:
                    raise out_of_memory("scoring a single row") from error
                self._budget //= 2
                warn(f"Out of memory with {len(batch.rows)} rows at once: goes on with fewer.")
                continue
            done += len(batch.rows)
            yield Scored(batch.rows, made, (time.monotonic() - begun) / len(batch.rows))

    def lines(self, batch: Scored) -> list[dict[str, Any]]:
        """The batch as lines of predictions.jsonl."""
        price = self._job.price_per_hour
        lines = []
        for row, one in zip(batch.rows, batch.made, strict=True):
            for place, (target, probabilities) in enumerate(one.targets):
                line = prediction_of(row, target, self._model.name, probabilities)
                # What a row took stands on one of its predictions.
                if place == 0:
                    line["tokens"] = {"prompt": one.prompt, "completion": one.nodes, "cached": one.cached}
                    line["seconds"] = round(batch.seconds, 6)
                    if price is not None:
                        line["dollars"] = round(batch.seconds * price / 3600, 12)
                lines.append(line)
        return lines


@contextmanager
def open_scoring(folder: Path, job: Job, model: Model, loaded: Loaded, adapted: Adapted) -> Iterator[Scoring]:
    """The model at work on its base. Raises WorkerError when it is of other labels than the job."""
    spec = model.spec
    artifact = folder / model.artifact if model.artifact else None
    prompt = read_prompt(artifact) if artifact else make_prompt(job, spec, loaded.tokenizer)
    if artifact is not None:
        check_targets(artifact, job, model)
    encoder = Encoder(job, prompt, loaded.tokenizer)
    adapter = artifact / "adapter" if artifact is not None and (artifact / "adapter").exists() else None
    # The untuned prompt's list of labels is no part of the row.
    room = spec.max_tokens + (len(encoder.head) if adapter is None else 0)
    with adapted.of(adapter) as network:
        reader = TorchModel(network, loaded.device)
        scorer = _ClassifierScorer(job, reader, encoder, artifact) if spec.head == "classifier" else _LabelScorer(reader, encoder)
        yield Scoring(job, model, encoder, room, scorer, loaded.device)


def _take(usable: list[Batch], start: int, budget: int, nodes: int) -> Batch:
    """The next rows whose places, padding included, stay within the budget; one at least."""
    width = len(usable[start].bodies[0]) + nodes
    count = max(1, min(budget // width, BATCH_ROWS))
    part = usable[start : start + count]
    return Batch([one.rows[0] for one in part], [one.bodies[0] for one in part])


@dataclass
class Made:
    """Of a row."""

    targets: list[tuple[Target, np.ndarray]]
    """Targets and the probabilities of their labels."""
    prompt: int
    """Tokens of its prompt, and how many of them were read once for all rows."""
    cached: int
    nodes: int = 0
    """Trie nodes that were evaluated: each is a token that goes through the network."""


class _LabelScorer:
    """`label-text`: field by field, each at its own position, after the likeliest labels of the fields before."""

    def __init__(self, reader: TorchModel, encoder: Encoder) -> None:
        self._reader, self._encoder = reader, encoder
        self.nodes = max(len(field.trie.nodes) for field in encoder.fields)
        self._head: State | None = None
        self._checked = False

    def score(self, batch: Batch) -> list[Made]:
        encoder, reader = self._encoder, self._reader
        state = self._begin(len(batch.rows))
        head = len(encoder.head)
        made = [Made([], head, head) for _ in batch.rows]
        tokens = [[*body, *encoder.fields[0].before] for body in batch.bodies]
        for place, field in enumerate(encoder.fields):
            scores = score_labels(reader, state, tokens, field.trie, BOUND)
            if not self._checked:
                self._check(batch, scores.probabilities[0], float(scores.mass[0]))
            for row, one in enumerate(made):
                one.targets.append((field.target, scores.probabilities[row]))
                one.prompt += len(tokens[row])
                one.nodes += int(scores.nodes[row])
            if place + 1 < len(encoder.fields):
                best = scores.probabilities.argmax(axis=1)
                tokens = [[*field.labels[label], *encoder.fields[place + 1].before] for label in best]
        return made

    def _begin(self, rows: int) -> State:
        """What all rows begin with is read once for the whole run."""
        if self._head is None:
            self._head = self._reader.start(1)
            if self._encoder.head:
                self._reader.read(self._head, [self._encoder.head])
        return self._reader.repeat(self._head, rows) if self._encoder.head else self._reader.start(rows)

    def _check(self, batch: Batch, probabilities: np.ndarray, mass: float) -> None:
        field, label = self._encoder.fields[0], int(probabilities.argmax())
        prefix = [*self._encoder.head, *batch.bodies[0], *field.before]
        self._reader.check(prefix, field.trie.sequences[label], float(np.log(probabilities[label] * mass)))
        self._checked = True


class _ClassifierScorer:
    """`classifier`: one pass, the softmax of a linear head a target on the last token's hidden state."""

    nodes = 0

    def __init__(self, job: Job, reader: TorchModel, encoder: Encoder, artifact: Path | None) -> None:
        if artifact is None:
            raise WorkerError("A classifier head has to be fine-tuned first.", "Fine-tune the model, or use head: label-text.")
        self._job, self._reader, self._encoder = job, reader, encoder
        weights = load_file(artifact / "heads.safetensors")
        self._heads = make_heads(job, weights["0.weight"].shape[1])
        self._heads.load_state_dict(weights)

    @torch.no_grad()
    def score(self, batch: Batch) -> list[Made]:
        tokens = [[*self._encoder.head, *body] for body in batch.bodies]
        hidden = self._reader.read(self._reader.start(len(tokens)), tokens)
        last = torch.stack([hidden[i, len(row) - 1] for i, row in enumerate(tokens)]).float().cpu()
        each = [head(last).double().softmax(dim=1).numpy() for head in self._heads]
        return [
            Made([(target, each[place][i]) for place, target in enumerate(self._job.targets)], len(row), 0)
            for i, row in enumerate(tokens)
        ]


def read_prompt(artifact: Path) -> Prompt:
    """The prompt that the model was trained with."""
    raw = json.loads((artifact / "model.json").read_text(encoding="utf-8"))["prompt"]
    return Prompt(**{**raw, "fields": [Field(**field) for field in raw["fields"]]})


def check_targets(artifact: Path, job: Job, model: Model) -> None:
    """A head's outputs and a prompt's fields mean the labels they were trained on, in that order."""
    described = json.loads((artifact / "model.json").read_text(encoding="utf-8"))
    known = {target["name"]: target["labels"] for target in described["targets"]}
    for target in job.targets:
        if known.get(target.name) != target.names:
            raise WorkerError(
                f'Model "{model.name}" was fine-tuned on other labels of {target.name} than the project has now.',
                "Fine-tune it again.",
            )
