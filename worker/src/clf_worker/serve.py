"""`python -m clf_worker.serve JOBFOLDER MODEL`: one model, loaded once, that answers rows until standard input ends.

Lines of JSON (schemas/scorer.ts). In: `{"rows": [{"row", "inputs"}, …]}`, one question after the other. Out: what is being loaded, that it is
ready, then for each question the predictions, batch by batch, and that it is answered. Rows are scored by what scores them in a job.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .job import Job, Model, Row, WorkerError, parse_job

Say = Callable[..., None]
Score = Callable[[list[Row]], Iterator[list[dict[str, Any]]]]


def answer_all(questions: Iterable[str], score: Score, say: Say) -> None:
    """Answers every question. What a person can mend ends the question alone."""
    for line in questions:
        rows = [Row(raw["row"], "pool", raw["inputs"]) for raw in json.loads(line)["rows"]]
        try:
            for predictions in score(rows):
                say("predictions", predictions=predictions)
            say("answered")
        except WorkerError as error:
            say_error(say, error)


def say_error(say: Say, error: Exception) -> None:
    if not isinstance(error, WorkerError):
        say("error", message=f"{type(error).__name__}: {error}")
    else:
        say("error", message=error.message, **({} if error.remedy is None else {"remedy": error.remedy}))


def serve(path: Path, name: str, questions: Iterable[str], say: Say) -> None:
    """Raises WorkerError when the model cannot be loaded."""
    job = parse_job((path / "job.json").read_text(encoding="utf-8"))
    model = _named(job, name)
    say("progress", step=f"loading {model.spec.base}")
    # Imported here: it takes seconds, and something is said before.
    from .language_model import load_base
    from .predict import Adapted, open_scoring

    loaded = load_base(model.spec)
    with open_scoring(path, job, model, loaded, Adapted(loaded)) as scoring:
        say("ready")
        answer_all(questions, lambda rows: scoring.predictions(rows, lambda message: say("log", level="warning", message=message)), say)


def _named(job: Job, name: str) -> Model:
    for model in job.models:
        if model.name == name:
            return model
    raise WorkerError(f'The job has no model "{name}" of engine qlora.')


def main() -> int:
    if len(sys.argv) != 3:
        print("Usage: python -m clf_worker.serve JOBFOLDER MODEL", file=sys.stderr)
        return 2
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Answers have standard output for themselves: whatever a library prints goes where messages go.
    answers = os.dup(1)
    os.dup2(2, 1)

    def say(type: str, **body: Any) -> None:
        line = f"{json.dumps({'type': type, **body}, ensure_ascii=False)}\n".encode()
        while line:
            line = line[os.write(answers, line) :]

    try:
        serve(Path(sys.argv[1]).resolve(), sys.argv[2], sys.stdin, say)
    except BrokenPipeError:
        # Whoever asked has gone.
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        if not isinstance(error, WorkerError):
            traceback.print_exc()
        say_error(say, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
