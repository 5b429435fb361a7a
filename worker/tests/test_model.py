"""Fine-tuning and scoring with a tiny random model. Skipped where torch is not there."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_job, make_rows, model_entry, read_jsonl

pytest.importorskip("torch", reason="the environment with torch is not there")

import torch

from clf_worker import train
from clf_worker.encode import Encoder
from clf_worker.export import export
from clf_worker.folder import JobFolder
from clf_worker.job import WorkerError, read_rows
from clf_worker.language_model import TorchModel, load_base
from clf_worker.predict import predict
from clf_worker.prompt import make_prompt
from clf_worker.score import score_labels
from clf_worker.train import fine_tune
from clf_worker.trie import Trie

SOURCES = Path(__file__).resolve().parents[1] / "src"
ROUNDS = int(os.environ.get("CLF_FAULT_ROUNDS", "2"))


def run(folder: Path, work: Any) -> JobFolder:
    opened = JobFolder(folder, {"CLF_ATTEMPT": "1"})
    assert opened.run(lambda: work(opened, read_rows(folder))) == 0, (folder / "attempts/1/events.jsonl").read_text()
    return opened


def metrics(folder: Path, name: str, attempt: int = 1, **more: Any) -> list[dict[str, Any]]:
    found = read_jsonl(folder / "attempts" / str(attempt) / "events.jsonl")
    return [e for e in found if e["type"] == "metric" and e["name"] == name and all(e.get(k) == v for k, v in more.items())]


def evaluation(path: Path, tuned: Path | None, base: str, **spec: Any) -> Path:
    """A job that predicts with a model that `tuned` made."""
    folder = make_job(path, [model_entry(base, artifact="data/models/tuned" if tuned else None, **spec)], kind="evaluate")
    if tuned:
        (folder / "data" / "models").mkdir()
        (folder / "data" / "models" / "tuned").symlink_to(tuned / "model")
    return folder


@torch.no_grad()
def brute_force(model: Any, prefix: list[int], sequences: list[list[int]]) -> np.ndarray:
    logs = []
    for sequence in sequences:
        logits = model(torch.tensor([[*prefix, *sequence]])).logits[0].log_softmax(-1)
        logs.append(sum(float(logits[len(prefix) - 1 + i, t]) for i, t in enumerate(sequence)))
    weights = np.exp(np.array(logs) - max(logs))
    return weights / weights.sum()


@pytest.mark.parametrize("bound", [0.0, 5e-5])
def test_branching_equals_brute_force_on_77_labels(tiny_base: str, tmp_path: Path, bound: float) -> None:
    job = JobFolder(make_job(tmp_path, [model_entry(tiny_base)]), {}).job
    loaded = load_base(job.models[0].spec)
    rng = random.Random(0)
    names = ["card", "card_arrival", "card_arrival_late"]
    while len(names) < 77:
        names.append(rng.choice(names) + rng.choice(["_pin", "_fee", " top up", "_x", " not working"]))
        names = list(dict.fromkeys(names))
    end = loaded.tokenizer.eos_token_id
    sequences = [[*loaded.tokenizer(name)["input_ids"], end] for name in names]
    head = loaded.tokenizer("Which intent? ")["input_ids"]
    bodies = [loaded.tokenizer(row["inputs"]["text"])["input_ids"] for row in make_rows(5)]
    reader = TorchModel(loaded.model, loaded.device)
    first = reader.start(1)
    reader.read(first, [head])
    scores = score_labels(reader, reader.repeat(first, len(bodies)), bodies, Trie(sequences), bound)
    for row, body in enumerate(bodies):
        expected = brute_force(loaded.model, [*head, *body], sequences)
        assert np.abs(scores.probabilities[row] - expected).max() < 1e-4
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1)


def test_fields_of_a_json_answer_are_scored_at_their_own_positions(tiny_base: str, tmp_path: Path) -> None:
    folder = evaluation(tmp_path, None, tiny_base, epochs=0)
    opened = run(folder, predict)
    job = opened.job
    loaded = load_base(job.models[0].spec)
    encoder = Encoder(job, make_prompt(job, job.models[0].spec, loaded.tokenizer), loaded.tokenizer)
    lines = {(p["row"], p["target"]): p for p in read_jsonl(folder / "predictions.jsonl")}
    for row in [row for row in read_rows(folder) if row.split == "test"][:3]:
        text = [*encoder.head, *encoder.bodies([row])[0]]
        for field in encoder.fields:
            text += field.before
            expected = brute_force(loaded.model, text, field.trie.sequences)
            line = lines[row.row, field.target.name]
            for name, probability in line["top"]:
                assert probability == pytest.approx(expected[field.target.names.index(name)], abs=1e-4)
            text += field.labels[int(expected.argmax())]


@pytest.mark.parametrize("head", ["label-text", "classifier"])
def test_learns_and_what_it_writes_validates(tiny_base: str, tmp_path: Path, head: str, schema: Any) -> None:
    spec: dict[str, Any] = {"head": head, "epochs": 8, "class_weight": "balanced"}
    tuned = make_job(tmp_path / "tune", [model_entry(tiny_base, **spec)], rows=make_rows(180))
    run(tuned, fine_tune)
    losses = [e["value"] for e in metrics(tuned, "loss", split="train")]
    assert losses[-1] < losses[0] * 0.7
    looks = [e["value"] for e in metrics(tuned, "loss", split="tune")]
    assert min(looks) < looks[0]
    folder = evaluation(tmp_path / "evaluate", tuned, tiny_base, **spec)
    run(folder, predict)
    predictions = read_jsonl(folder / "predictions.jsonl")
    assert len({(p["row"], p["target"]) for p in predictions}) == len(predictions) == 30 * 2
    for line in predictions:
        schema("prediction", line)
    for job in (tuned, folder):
        for event in read_jsonl(job / "attempts/1/events.jsonl"):
            schema("event", event)


def count_loads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The list that every base loaded for prediction from now on goes on."""
    loads: list[Any] = []
    monkeypatch.setattr("clf_worker.predict.load_base", lambda spec: loads.append(spec) or load_base(spec))
    return loads


def test_base_and_fine_tuned_share_one_load(tiny_base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = make_job(tmp_path / "tune", [model_entry(tiny_base)])
    run(tuned, fine_tune)
    alone = run(evaluation(tmp_path / "alone", None, tiny_base, epochs=0), predict)
    entries = [
        model_entry(tiny_base, "first", artifact="data/models/tuned"),
        model_entry(tiny_base, "base", epochs=0),
        model_entry(tiny_base, "v1.2", artifact="data/models/tuned"),
    ]
    folder = make_job(tmp_path / "compare", entries, kind="compare")
    (folder / "data/models").mkdir()
    (folder / "data/models/tuned").symlink_to(tuned / "model")
    loads = count_loads(monkeypatch)
    run(folder, predict)
    assert len(loads) == 1
    lines = read_jsonl(folder / "predictions.jsonl")

    def scores(of: list[dict[str, Any]], model: str) -> list[float]:
        return [p["score"] for p in sorted(of, key=lambda p: (p["row"], p["target"])) if p["model"] == model]

    assert scores(lines, "first") == pytest.approx(scores(lines, "v1.2"), abs=1e-5)
    assert scores(lines, "base") == pytest.approx(scores(read_jsonl(alone.path / "predictions.jsonl"), "tuned"), abs=1e-5)
    assert scores(lines, "base") != pytest.approx(scores(lines, "first"), abs=1e-3)


def test_both_heads_share_one_load(tiny_base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both heads and the base in one job: each predicts what it predicts in a job of its own, whichever comes first."""
    # Adapters of different layers, neither of which may be left at work in the other's; names that are alike without their dots.
    specs: dict[str, dict[str, Any]] = {
        "v1.2": {"learning_rate": 0.02},
        "v1_2": {"head": "classifier", "lora": {"rank": 4, "alpha": 8, "dropout": 0, "target_modules": ["q_proj", "v_proj"]}},
        "base": {"epochs": 0},
    }
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    for name in ("v1.2", "v1_2"):
        tuned = make_job(tmp_path / f"tune-{name}", [model_entry(tiny_base, **specs[name])])
        run(tuned, fine_tune)
        (artifacts / name).symlink_to(tuned / "model")

    def predictions(job: str, models: list[str]) -> dict[tuple[str, str, str], tuple[str, float]]:
        entries = [
            model_entry(tiny_base, name, artifact=None if name == "base" else f"data/models/{name}", **specs[name]) for name in models
        ]
        folder = make_job(tmp_path / job, entries, kind="compare")
        (folder / "data" / "models").symlink_to(artifacts)
        run(folder, predict)
        lines = read_jsonl(folder / "predictions.jsonl")
        assert len(lines) == len(models) * 30 * 2
        return {(line["model"], line["row"], line["target"]): (line["label"], line["score"]) for line in lines}

    alone = {key: value for name in specs for key, value in predictions(f"alone-{name}", [name]).items()}
    assert len({tuple(score for key, (_, score) in alone.items() if key[0] == name) for name in specs}) == 3
    loads = count_loads(monkeypatch)
    for place, order in enumerate((["v1.2", "v1_2", "base"], ["v1_2", "base", "v1.2"])):
        together = predictions(f"together{place}", order)
        assert len(loads) == place + 1
        assert together.keys() == alone.keys()
        for key, (label, score) in together.items():
            assert (label, score) == (alone[key][0], pytest.approx(alone[key][1], abs=1e-5)), key


def test_a_priced_host_puts_what_a_row_cost_beside_it(tiny_base: str, tmp_path: Path, schema: Any) -> None:
    folder = evaluation(tmp_path, None, tiny_base, epochs=0)
    raw = json.loads((folder / "job.json").read_text())
    raw["host"]["price_per_hour"] = 1.5
    (folder / "job.json").write_text(json.dumps(raw))
    run(folder, predict)
    lines = [line for line in read_jsonl(folder / "predictions.jsonl") if line["target"] == "intent"]
    for line in lines:
        schema("prediction", line)
        assert line["dollars"] == pytest.approx(line["seconds"] * 1.5 / 3600, rel=1e-3)
    [million] = metrics(folder, "dollars a million rows")
    # Of the whole loop: what lies between the batches is paid for as well.
    assert million["value"] > sum(line["dollars"] for line in lines) / len(lines) * 1e6 * 0.999


def test_rows_without_room_for_the_label_are_refused_by_id(tiny_base: str, tmp_path: Path) -> None:
    rows = make_rows()
    long = next(row for row in rows if row["split"] == "train")
    unseen = next(row for row in rows if row["split"] == "test")
    for row in (long, unseen):
        row["inputs"]["text"] = "card " * 200
    folder = make_job(tmp_path / "tune", [model_entry(tiny_base, epochs=1)], rows=rows)
    run(folder, fine_tune)
    errors = [e for e in read_jsonl(folder / "attempts/1/events.jsonl") if e["type"] == "error"]
    assert [error["row"] for error in errors] == [long["row"]]
    assert "max_tokens is 96" in errors[0]["message"]
    evaluated = make_job(tmp_path / "e", [model_entry(tiny_base, artifact="m")], kind="evaluate", rows=rows)
    (evaluated / "m").symlink_to(folder / "model")
    run(evaluated, predict)
    line = [p for p in read_jsonl(evaluated / "predictions.jsonl") if p["row"] == unseen["row"]]
    assert [(p["label"], p["score"], p["problem"]) for p in line] == [(None, 0, "truncated")] * 2
    short = make_job(tmp_path / "short", [model_entry(tiny_base, max_tokens=16)])
    with pytest.raises(WorkerError, match="longer than max_tokens"):
        fine_tune(JobFolder(short, {}), read_rows(short))


def test_only_the_answer_is_learnt(tiny_base: str, tmp_path: Path) -> None:
    """The loss is that of the answer's tokens after the prompt, and no prompt token adds to it."""
    opened = JobFolder(make_job(tmp_path, [model_entry(tiny_base)]), {})
    job, spec = opened.job, opened.job.models[0].spec
    loaded = load_base(spec)
    encoder = Encoder(job, make_prompt(job, spec, loaded.tokenizer), loaded.tokenizer)
    rows = [row for row in read_rows(tmp_path) if row.split == "train"][:4]
    examples = train.make_examples(opened, job, spec, encoder, rows, "train")
    network, _ = train.add_adapter(loaded, spec, job)
    network.eval()
    with torch.no_grad():
        loss, worth = train.batch_loss(network, None, examples, loaded.device)
        expected, count = 0.0, 0
        for row, body in zip(rows, encoder.bodies(rows), strict=True):
            answer = encoder.answer(row.labels).tokens
            logs = network(torch.tensor([[*encoder.head, *body, *answer]])).logits[0].log_softmax(-1)
            start = len(encoder.head) + len(body)
            expected -= sum(float(logs[start - 1 + i, token]) for i, token in enumerate(answer))
            count += len(answer)
    assert worth.item() == count
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    broken = train.Example(examples[0].tokens, [1.0] * len(examples[0].tokens), [], [])
    with pytest.raises(AssertionError, match="mask"):
        train.check_mask(broken, spec, rows[0])


def test_four_bit_weights_go_the_same_way(tiny_base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLF_NF4_ON_CPU", "1")
    spec: dict[str, Any] = {"quantization": "nf4", "epochs": 1}
    tuned = make_job(tmp_path / "tune", [model_entry(tiny_base, **spec)])
    run(tuned, fine_tune)
    assert load_base(JobFolder(tuned, {}).job.models[0].spec).quantized
    losses = [e["value"] for e in metrics(tuned, "loss", split="train")]
    assert losses[-1] < losses[0]
    folder = evaluation(tmp_path / "evaluate", tuned, tiny_base, **spec)
    run(folder, predict)
    assert len(read_jsonl(folder / "predictions.jsonl")) == 30 * 2


def test_another_environment_does_not_go_on(tiny_base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_job(tmp_path, [model_entry(tiny_base)])
    monkeypatch.setattr(JobFolder, "forget", lambda *_: None)
    run(folder, fine_tune)
    (folder / "model").rename(tmp_path / "gone")
    monkeypatch.setenv("CLF_ENVIRONMENT", "another")
    with pytest.raises(WorkerError, match="another environment"):
        fine_tune(JobFolder(folder, {}), read_rows(folder))


class Worker:
    """Starts the worker on job folders, and kills it."""

    def __init__(self) -> None:
        env = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(Path(__file__).with_name("started.py"))]
        self._server = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, folder: Path, attempt: int, kill_after: float | None = None) -> tuple[bool, float]:
        """Whether it was killed before it had ended by itself, and the seconds it took."""
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(f"{folder}\t{attempt}\n")
        self._server.stdin.flush()
        process, started = int(self._server.stdout.readline()), time.monotonic()
        if kill_after is not None:
            ended, _, _ = select.select([self._server.stdout], [], [], kill_after)
            if not ended:
                os.kill(process, signal.SIGKILL)
        status = int(self._server.stdout.readline())
        killed = status == -signal.SIGKILL and kill_after is not None
        assert killed or status == 0, (status, (folder / f"log-{attempt}.txt").read_text())
        return killed, time.monotonic() - started

    def close(self) -> None:
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()


def last_told(folder: Path, attempt: int) -> str:
    """What a killed attempt did last."""
    path = folder / "attempts" / str(attempt) / "events.jsonl"
    lines = read_jsonl(path) if path.exists() else []
    if not lines:
        return "starting"
    return lines[-1].get("step", lines[-1]["type"]) if lines[-1]["type"] == "progress" else lines[-1]["type"]


def with_kills(worker: Worker, folder: Path, kills: int, whole: float, rng: random.Random) -> tuple[int, list[str]]:
    """Runs a job to its end with up to so many kills, each at a random moment of the time it takes unbroken. Returns attempts and what was broken off."""
    broken: list[str] = []
    attempt = 0
    while True:
        attempt += 1
        killed, _ = worker.run(folder, attempt, rng.uniform(0, whole) if len(broken) < kills else None)
        if not killed:
            return attempt, broken
        broken.append(last_told(folder, attempt))


def curve(folder: Path, attempts: int) -> dict[tuple[str, int], float]:
    """Loss by split and step; of steps that were taken twice the last."""
    told = [n for n in range(1, attempts + 1) if (folder / "attempts" / str(n) / "events.jsonl").exists()]
    return {(e["split"], e["step"]): e["value"] for n in told for e in metrics(folder, "loss", n)}


def test_killed_runs_go_on_to_the_same_end(tiny_base: str, tmp_path: Path) -> None:
    """`kill -9` at random moments of training and of scoring. CLF_FAULT_ROUNDS: how many of each."""
    rng = random.Random(int(os.environ.get("CLF_FAULT_SEED", "7")))
    spec: dict[str, Any] = {"epochs": 2}
    rows, many = make_rows(240), make_rows(1800)
    worker = Worker()
    unbroken = [make_job(tmp_path / name, [model_entry(tiny_base, **spec)], rows=rows) for name in ("whole", "again")]
    training = [worker.run(folder, 1)[1] for folder in unbroken]
    expected, again = (curve(folder, 1) for folder in unbroken)
    noise = max(abs(expected[at] - again[at]) for at in expected)
    scored = evaluation(tmp_path / "scored", unbroken[0], tiny_base, **spec)
    write_rows(scored, many)
    scoring = worker.run(scored, 1)[1]
    wanted = predictions_of(scored)

    differences: list[float] = []
    broken: list[str] = []
    while len(broken) < ROUNDS:
        folder = make_job(tmp_path / f"killed{len(broken)}", [model_entry(tiny_base, **spec)], rows=rows)
        attempts, here = with_kills(worker, folder, min(3, ROUNDS - len(broken)), training[1], rng)
        found = curve(folder, attempts)
        assert found.keys() == expected.keys()
        differences.append(max(abs(found[at] - expected[at]) for at in expected))
        assert differences[-1] <= max(1e-5, 2 * noise)
        broken += here
        shutil.rmtree(folder)
    print(f"\ntraining: {len(broken)} kills in {len(differences)} runs of {training[1]:.1f} s, while {dict(Counter(broken))}")
    print(f"largest difference of a loss: two unbroken runs {noise:.1e}, killed and unbroken {max(differences):.1e}")

    broken, runs = [], 0
    while len(broken) < ROUNDS:
        folder = evaluation(tmp_path / f"scored{len(broken)}", unbroken[0], tiny_base, **spec)
        write_rows(folder, many)
        _, here = with_kills(worker, folder, min(3, ROUNDS - len(broken)), scoring, rng)
        assert predictions_of(folder) == pytest.approx(wanted, abs=1e-6)
        broken += here
        runs += 1
        shutil.rmtree(folder)
    worker.close()
    print(f"scoring: {len(broken)} kills in {runs} runs of {scoring:.1f} s, {len(wanted)} predictions each, while {dict(Counter(broken))}")


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def predictions_of(folder: Path) -> dict[tuple[str, str], float]:
    """Scores by row and target: each of the rows asked for stands there, and none twice."""
    lines = read_jsonl(folder / "predictions.jsonl")
    asked = {row.row for row in read_rows(folder) if row.split in ("tune", "validation", "test")}
    keys = [(line["row"], line["target"]) for line in lines]
    assert len(keys) == len(set(keys))
    assert set(keys) == {(row, target) for row in asked for target in ("intent", "tone")}
    return {key: line["score"] for key, line in zip(keys, lines, strict=True)}


def test_what_is_exported_predicts_the_same(tiny_base: str, tmp_path: Path) -> None:
    tuned = make_job(tmp_path / "tune", [model_entry(tiny_base)])
    run(tuned, fine_tune)
    out = tmp_path / "out"
    export(tuned / "model", out, merged=True)
    own = evaluation(tmp_path / "own", tuned, tiny_base)
    run(own, predict)
    # The merged model in place of base and adapter, with the prompt that was exported.
    served = evaluation(tmp_path / "served", tuned, str(out / "merged"))
    (served / "data" / "models" / "tuned").unlink()
    bare = served / "data" / "models" / "tuned"
    bare.mkdir()
    described = json.loads((tuned / "model" / "model.json").read_text())
    described["prompt"] = json.loads((out / "prompt.json").read_text())
    described["targets"] = json.loads((out / "labels.json").read_text())
    (bare / "model.json").write_text(json.dumps(described))
    run(served, predict)
    scores = [
        [p["score"] for p in sorted(read_jsonl(job / "predictions.jsonl"), key=lambda p: (p["row"], p["target"]))]
        for job in (own, served)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    assert "vllm serve merged" in (out / "README.md").read_text()
    assert (out / "adapter" / "adapter_model.safetensors").exists()
