"""Starts workers as `python -m clf_worker FOLDER` does, each a process of its own, by fork: torch is loaded once and not at every start.

Reads `FOLDER ATTEMPT` lines (tab between), prints the process's id, and when it has ended its exit status, negative for a signal.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import transformers.models.qwen2.modeling_qwen2  # noqa: F401 - loaded late otherwise, in every process

import clf_worker.predict
import clf_worker.train  # noqa: F401
from clf_worker.__main__ import main


def work(folder: str, attempt: str) -> int:
    log = os.open(Path(folder) / f"log-{attempt}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ["CLF_ATTEMPT"] = attempt
    sys.argv = ["clf_worker", folder]
    return main()


for line in sys.stdin:
    folder, attempt = line.rstrip("\n").split("\t")
    process = os.fork()
    if process == 0:
        os._exit(work(folder, attempt))
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
