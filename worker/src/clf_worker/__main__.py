"""`python -m clf_worker [--base NAME FOLDER]… JOBFOLDER`: runs one job, and can be started again on the same folder.

`--base`: the base that the job calls NAME was brought to this machine, and lies in FOLDER."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .folder import JobFolder
from .job import WorkerError, read_rows


def work(folder: JobFolder) -> None:
    if not folder.job.models:
        raise WorkerError("The job has no model of engine qlora.", "Linear and prompted models run in the Node runner.")
    rows = read_rows(folder.path)
    folder.check_stop()
    # Imported here: whoever only asks for usage, or has a damaged folder, need not wait for torch.
    import torch

    if folder.job.threads:
        torch.set_num_threads(folder.job.threads)
    if folder.job.kind == "fine-tune":
        from .train import fine_tune

        fine_tune(folder, rows)
    else:
        from .predict import predict

        predict(folder, rows)


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m clf_worker", allow_abbrev=False)
    words.add_argument("job", type=Path, metavar="JOBFOLDER")
    words.add_argument("--base", nargs=2, action="append", default=[], metavar=("NAME", "FOLDER"))
    asked = words.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    folder = JobFolder(asked.job.resolve(), bases=dict(asked.base))
    return folder.run(lambda: work(folder))


if __name__ == "__main__":
    sys.exit(main())
