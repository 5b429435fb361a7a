"""The job folder as the worker uses it: everything it writes (docs/job-folder.md)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .job import Job, WorkerError, parse_job

PROGRESS_SECONDS = 0.5
"""Progress is told at most so often: the file is followed over slow lines."""


class Stopped(Exception):
    """A person cancelled the job, or the system ends the process."""


class JobFolder:
    """Opens a job folder for its one runner; last lines that a killed attempt left half-written are cut off."""

    def __init__(
        self, path: Path, environment: dict[str, str] | None = None, bases: Mapping[str, str] | None = None
    ) -> None:
        env = dict(os.environ) if environment is None else environment
        self.path = path
        self.job: Job = parse_job((path / "job.json").read_text(encoding="utf-8"), bases)
        self.attempt = int(env.get("CLF_ATTEMPT") or _last_attempt(path))
        at = path / "attempts" / str(self.attempt)
        at.mkdir(parents=True, exist_ok=True)
        self._seq = 0
        for event in whole_lines(at / "events.jsonl"):
            self._seq = event["seq"]
        self._events = os.open(at / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._progress_told = (0.0, "")
        self._terminated = False

    # --- events -------------------------------------------------------------------------------------------------

    def event(self, type: str, **body: Any) -> None:
        """Appends an event, numbered and dated, in one write."""
        self._seq += 1
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"seq": self._seq, "time": now, "type": type, **body}, ensure_ascii=False)
        os.write(self._events, f"{line}\n".encode())

    def log(self, message: str, level: str = "info") -> None:
        self.event("log", level=level, message=message)

    def error(self, message: str, remedy: str | None = None, row: str | None = None) -> None:
        said = {"remedy": remedy, "row": row}
        self.event("error", message=message, **{key: value for key, value in said.items() if value is not None})

    def progress(self, step: str, done: float, total: float | None, unit: str, left: float | None = None) -> None:
        told, before = self._progress_told
        now = time.monotonic()
        if step == before and now - told < PROGRESS_SECONDS and done != total:
            return
        self._progress_told = (now, step)
        more = {} if left is None else {"left": round(left, 1)}
        self.event("progress", step=step, done=done, total=total, unit=unit, **more)

    # --- files --------------------------------------------------------------------------------------------------

    def place(self, path: str, write: Callable[[Path], None]) -> Path:
        """Writes a file or folder under a temporary name, then gives it its own."""
        to = self.path / path
        temporary, old = to.with_name(f".{to.name}.tmp"), to.with_name(f".{to.name}.old")
        to.parent.mkdir(parents=True, exist_ok=True)
        remove(temporary)
        write(temporary)
        if to.is_dir():
            # A folder cannot be renamed over another one.
            remove(old)
            to.rename(old)
        temporary.rename(to)
        remove(old)
        return to

    def found(self, path: str) -> Path | None:
        """A file or folder written by `place`; the one before, if a kill came between the two renames."""
        to = self.path / path
        old = to.with_name(f".{to.name}.old")
        if not to.exists() and old.exists():
            old.rename(to)
        return to if to.exists() else None

    def forget(self, path: str) -> None:
        """Removes what `place` wrote."""
        to = self.path / path
        for each in (to, to.with_name(f".{to.name}.tmp"), to.with_name(f".{to.name}.old")):
            remove(each)

    def artifact(self, name: str, path: str, write: Callable[[Path], None]) -> None:
        to = self.place(path, write)
        size = sum(file.stat().st_size for file in ([to] if to.is_file() else to.rglob("*")) if file.is_file())
        self.event("artifact", name=name, path=path, bytes=size)

    def checkpoint(self, path: str, write: Callable[[Path], None], step: int) -> None:
        self.place(path, write)
        self.event("checkpoint", path=path, step=step)

    # --- stop and end -------------------------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        return (self.path / "cancel").exists()

    def check_stop(self) -> None:
        """Raises Stopped when the runner should end."""
        if self._terminated or self.cancelled:
            raise Stopped

    def run(self, work: Callable[[], None]) -> int:
        """Does the work and writes the attempt's end. Returns the exit code."""
        signal.signal(signal.SIGTERM, self._on_terminate)
        self.event("state", state="running")
        try:
            work()
            self._end("succeeded")
            return 0
        except Stopped:
            self._stopped()
        except Exception as error:  # noqa: BLE001 - whatever it is, the attempt's end is told
            if self._terminated or self.cancelled:
                self._stopped()
            else:
                traceback.print_exc()
                self._failed(error)
        return 1

    def _on_terminate(self, *_: object) -> None:
        self._terminated = True

    def _stopped(self) -> None:
        if self.cancelled:
            self._end("cancelled")
        else:
            self._end("failed", "The runner was asked to end by the system (SIGTERM). Resume goes on from where it stopped.")

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, WorkerError)
        message = error.message if known else f"{type(error).__name__}: {error}"
        remedy = error.remedy if known else None
        row = error.row if known else None
        self.error(message, remedy, row)
        self._end("failed", message)

    def _end(self, state: str, message: str | None = None) -> None:
        """The end is on the disk before the process ends, also if the machine goes down right after."""
        self.event("state", state=state, **({} if message is None else {"message": message}))
        os.fsync(self._events)


class Predictions:
    """`predictions.jsonl`: a line a (model, row, target), each written once, over all attempts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "predictions.jsonl"
        self._known = {(p["model"], p["row"], p["target"]) for p in whole_lines(self._path)}

    def __len__(self) -> int:
        return len(self._known)

    def has(self, model: str, row: str, target: str) -> bool:
        return (model, row, target) in self._known

    def append(self, predictions: list[dict[str, Any]]) -> None:
        """Appends those that are not there yet, as whole lines in one write."""
        lines = []
        for prediction in predictions:
            key = (prediction["model"], prediction["row"], prediction["target"])
            if key in self._known:
                continue
            self._known.add(key)
            lines.append(json.dumps(prediction, ensure_ascii=False))
        if lines:
            with open(self._path, "ab", buffering=0) as file:
                file.write(("\n".join(lines) + "\n").encode())


def whole_lines(path: Path) -> Iterator[Any]:
    """The JSON lines of a file, none if it is absent. A torn last line is cut off first."""
    if not path.exists():
        return
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end < len(data):
        os.truncate(path, end)
    for line in data[:end].splitlines():
        yield json.loads(line)


def _last_attempt(folder: Path) -> int:
    attempts = folder / "attempts"
    numbers = [int(entry.name) for entry in attempts.iterdir() if entry.name.isdigit()] if attempts.exists() else []
    return max(numbers, default=1)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
