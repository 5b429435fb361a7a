"""The worker's side of the job folder. No torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import make_job, model_entry, read_jsonl

from clf_worker.folder import JobFolder, Predictions, Stopped
from clf_worker.job import WorkerError, parse_job, read_rows
from clf_worker.prediction import no_answer, prediction_of
from clf_worker.weights import class_weights

SOURCES = Path(__file__).resolve().parents[1] / "src"


def events(folder: Path, attempt: int = 1) -> list[Any]:
    return read_jsonl(folder / "attempts" / str(attempt) / "events.jsonl")


def states(folder: Path, attempt: int = 1) -> list[str]:
    return [event["state"] for event in events(folder, attempt) if event["type"] == "state"]


def test_all_events_validate_and_are_numbered(job_folder: Path, schema: Any) -> None:
    folder = JobFolder(job_folder, {"CLF_ATTEMPT": "1"})

    def work() -> None:
        folder.log("Straße, 東京")
        folder.log("careful", "warning")
        folder.progress("loading", 0, None, "rows")
        folder.progress("training", 1, 2, "steps", 3.25)
        folder.event("metric", name="loss", value=0.5, step=1, epoch=0.5, split="train")
        folder.error("Row r1 is too long.", "Raise max_tokens.", "r1")
        folder.checkpoint("checkpoint", lambda to: to.mkdir(), 1)
        folder.artifact("model", "model", lambda to: to.write_text("x"))

    assert folder.run(work) == 0
    found = events(job_folder)
    for event in found:
        schema("event", event)
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert {event["type"] for event in found} == {"state", "log", "progress", "metric", "error", "checkpoint", "artifact"}
    assert states(job_folder) == ["running", "succeeded"]


def test_goes_on_after_half_a_line(job_folder: Path) -> None:
    at = job_folder / "attempts" / "1"
    at.mkdir(parents=True)
    (at / "events.jsonl").write_text('{"seq":1,"time":"2026-11-22T00:00:00Z","type":"state","state":"running"}\n{"seq":2,"ti')
    JobFolder(job_folder, {"CLF_ATTEMPT": "1"}).log("again")
    assert [event["seq"] for event in events(job_folder)] == [1, 2]


def test_predictions_are_neither_lost_nor_doubled(tmp_path: Path) -> None:
    line = {"model": "m", "row": "a", "target": "t"}
    first = Predictions(tmp_path)
    first.append([line, line])
    with open(tmp_path / "predictions.jsonl", "a") as file:
        file.write('{"model": "m", "row": "b"')
    again = Predictions(tmp_path)
    assert len(again) == 1 and again.has("m", "a", "t") and not again.has("m", "b", "t")
    again.append([line, {**line, "row": "b"}])
    assert [p["row"] for p in read_jsonl(tmp_path / "predictions.jsonl")] == ["a", "b"]


@pytest.mark.parametrize(("cancel", "end"), [(True, "cancelled"), (False, "failed")])
def test_a_cancel_and_a_signal_end_differently(job_folder: Path, cancel: bool, end: str) -> None:
    folder = JobFolder(job_folder, {"CLF_ATTEMPT": "1"})

    def work() -> None:
        folder.check_stop()
        if cancel:
            (job_folder / "cancel").touch()
        else:
            os.kill(os.getpid(), 15)
        with pytest.raises(Stopped):
            folder.check_stop()
        folder.check_stop()

    assert folder.run(work) == 1
    assert states(job_folder) == ["running", end]


def test_what_goes_wrong_is_told_with_its_remedy(job_folder: Path) -> None:
    folder = JobFolder(job_folder, {"CLF_ATTEMPT": "2"})

    def work() -> None:
        raise WorkerError("It is too long.", "Shorten it.", "r7")

    assert folder.run(work) == 1
    error = next(event for event in events(job_folder, 2) if event["type"] == "error")
    assert (error["message"], error["remedy"], error["row"]) == ("It is too long.", "Shorten it.", "r7")
    assert states(job_folder, 2) == ["running", "failed"]


def test_a_kill_between_two_renames_loses_nothing(job_folder: Path) -> None:
    folder = JobFolder(job_folder, {"CLF_ATTEMPT": "1"})
    folder.place("checkpoint", lambda to: (to.mkdir(), (to / "a").write_text("1"))[0])
    (job_folder / "checkpoint").rename(job_folder / ".checkpoint.old")
    found = folder.found("checkpoint")
    assert found is not None and (found / "a").read_text() == "1"
    folder.place("checkpoint", lambda to: (to.mkdir(), (to / "a").write_text("2"))[0])
    assert (job_folder / "checkpoint" / "a").read_text() == "2"
    assert not (job_folder / ".checkpoint.old").exists()


def test_predictions_validate(job_folder: Path, schema: Any) -> None:
    job, rows = JobFolder(job_folder, {}).job, read_rows(job_folder)
    import numpy as np

    from clf_worker.job import Label, Target

    many = Target("many", [Label(f"l{i}", None) for i in range(60)])
    rng = np.random.default_rng(0)
    for target in [*job.targets, many]:
        for row in rows[:5]:
            row.labels["many"] = "l3"
            probabilities = rng.dirichlet(np.ones(len(target.labels)))
            line = prediction_of(row, target, "m", probabilities)
            schema("prediction", line)
            assert line["label"] == target.names[int(probabilities.argmax())]
            assert sum(p for _, p in line["top"]) + line["rest"] == pytest.approx(1, abs=1e-4)
            assert ("all" in line) == (len(target.labels) > 20)
    schema("prediction", no_answer(rows[0], "intent", "m", "truncated"))


def test_balanced_weights_are_those_of_scikit_learn(job_folder: Path) -> None:
    job = JobFolder(job_folder, {}).job
    target = job.targets[1]
    rows = [row for row in read_rows(job_folder) if row.split == "train"]
    counts = [sum(row.labels["tone"] == name for row in rows) for name in target.names]
    weights = class_weights(rows, target, "balanced")
    assert weights == pytest.approx([len(rows) / (2 * count) for count in counts])
    assert class_weights(rows, target, "none") == [1, 1]
    assert class_weights([r for r in rows if r.labels["tone"] == "calm"], target, "balanced") == [1, 1]


def test_a_newer_contract_is_refused(job_folder: Path) -> None:
    raw = json.loads((job_folder / "job.json").read_text())
    with pytest.raises(WorkerError, match="contract is 99"):
        parse_job(json.dumps({**raw, "contract": 99}))


def test_a_base_that_was_brought_is_read_where_it_lies_and_called_by_its_name(job_folder: Path) -> None:
    text = (job_folder / "job.json").read_text()
    name = json.loads(text)["models"][0]["spec"]["base"]
    brought = parse_job(text, {name: "/there/models/1"}).models[0].spec
    assert (brought.base, brought.source) == (name, "/there/models/1")
    for folders in ({}, {"another": "/there/models/2"}):
        assert parse_job(text, folders).models[0].spec.source == name


def test_a_job_without_a_model_of_ours_is_refused_in_words(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", [model_entry("base")])
    raw = json.loads((folder / "job.json").read_text())
    raw["models"][0]["spec"]["engine"] = "linear"
    (folder / "job.json").write_text(json.dumps(raw))
    run = subprocess.run(
        [sys.executable, "-m", "clf_worker", str(folder)],
        env={**os.environ, "PYTHONPATH": str(SOURCES), "CLF_ATTEMPT": "1"},
        capture_output=True,
    )
    assert run.returncode == 1
    assert states(folder) == ["running", "failed"]
