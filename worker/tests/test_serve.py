"""A model that stays loaded: what it says, and that it scores rows as a job does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import make_job, make_rows, model_entry, read_jsonl

from clf_worker.job import Row, WorkerError
from clf_worker.serve import answer_all

SOURCES = Path(__file__).resolve().parents[1] / "src"


def question(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"rows": [{"row": row["row"], "inputs": row["inputs"]} for row in rows]}) + "\n"


def test_each_question_is_answered_and_an_error_ends_one_alone() -> None:
    said: list[dict[str, Any]] = []

    def score(rows: list[Row]) -> Iterator[list[dict[str, Any]]]:
        for row in rows:
            if row.inputs["text"] == "":
                raise WorkerError("There is no text.", "Send one.")
            yield [{"row": row.row, "split": row.split}]

    texts = [["a", "b"], ["c", ""], []]
    questions = [question([{"row": f"{i}", "inputs": {"text": text}} for i, text in enumerate(of)]) for of in texts]
    answer_all(questions, score, lambda type, **body: said.append({"type": type, **body}))
    assert said == [
        {"type": "predictions", "predictions": [{"row": "0", "split": "pool"}]},
        {"type": "predictions", "predictions": [{"row": "1", "split": "pool"}]},
        {"type": "answered"},
        {"type": "predictions", "predictions": [{"row": "0", "split": "pool"}]},
        {"type": "error", "message": "There is no text.", "remedy": "Send one."},
        {"type": "answered"},
    ]


def serve(folder: Path, name: str, questions: str) -> tuple[int, list[dict[str, Any]], str]:
    ended = subprocess.run(
        [sys.executable, "-m", "clf_worker.serve", str(folder), name],
        input=questions,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr


def test_a_model_that_the_job_does_not_have(tmp_path: Path, schema: Any) -> None:
    code, said, _ = serve(make_job(tmp_path, [model_entry("/nowhere")], kind="evaluate"), "other", "")
    assert (code, said) == (1, [{"type": "error", "message": 'The job has no model "other" of engine qlora.'}])
    schema("scorer-line", said[0])


@pytest.mark.parametrize("head", ["label-text", "classifier"])
def test_what_is_served_is_what_a_job_predicts(tiny_base: str, tmp_path: Path, head: str, schema: Any) -> None:
    from test_model import evaluation, run

    from clf_worker.predict import predict
    from clf_worker.train import fine_tune

    spec: dict[str, Any] = {"head": head, "learning_rate": 0.02}
    tuned = make_job(tmp_path / "tune", [model_entry(tiny_base, **spec)])
    run(tuned, fine_tune)
    folder = evaluation(tmp_path / "evaluate", tuned, tiny_base, **spec)
    run(folder, predict)
    predicted = {(line["row"], line["target"]): line for line in read_jsonl(folder / "predictions.jsonl")}
    rows = [row for row in make_rows() if row["split"] == "test"]
    long = {"row": "long", "inputs": {"text": "card " * 200}}
    code, said, stderr = serve(folder, "tuned", question(rows) + question([rows[3], long]))
    assert code == 0, stderr
    for line in said:
        schema("scorer-line", line)
    types = [line["type"] for line in said]
    assert types[:2] == ["progress", "ready"]
    first = types.index("answered")
    assert types[-1] == "answered" and types.count("answered") == 2
    one, two = ([each for line in part if line["type"] == "predictions" for each in line["predictions"]] for part in (said[:first], said[first:]))
    assert {(line["row"], line["target"]) for line in one} == {(row["row"], t) for row in rows for t in ("intent", "tone")}
    assert len(one) == 2 * len(rows)
    assert {(line["row"], line["problem"]) for line in two if "problem" in line} == {("long", "truncated")}
    for line in [*one, *two]:
        if line["row"] == "long":
            continue
        in_job = predicted[line["row"], line["target"]]
        assert line["split"] == "pool" and line["label"] == in_job["label"]
        assert [name for name, _ in line["top"]] == [name for name, _ in in_job["top"]]
        assert [p for _, p in line["top"]] == pytest.approx([p for _, p in in_job["top"]], abs=1e-5)
