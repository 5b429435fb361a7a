"""Which environment this is: worker/run.sh names it by the hash of the lock file it was built from."""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ["torch", "transformers", "peft", "bitsandbytes", "tokenizers", "numpy"]


def environment_hash() -> str:
    """CLF_ENVIRONMENT where run.sh made it; else (a test, a person's own environment) a hash of what is installed."""
    named = os.environ.get("CLF_ENVIRONMENT")
    return named if named else hashlib.sha256(repr(sorted(versions().items())).encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine_memory() -> int:
    """Bytes of RAM that could be had now."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
