"""`python -m clf_worker.bench MODEL.json`: rows a second on this machine, beside what docs/a10g.md says of the A10G.

MODEL.json: `{"spec": …, "labels": […]}`, as `clf bench-host` writes it. With --compare also what other ways to a label take: every label
by itself without a cache, and generation confined to the labels, in batches and one row at a time; one run, one model, one batch size.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .environment import versions
from .estimate import A10G, dollars_a_million, row_flops, rows_a_second
from .job import Lora, Spec, WorkerError
from .language_model import TorchModel, load_base
from .memory import Shape
from .predict import BOUND
from .score import score_labels
from .trie import Trie

Tokens = list[list[int]]


def brute_force(reader: TorchModel, prompts: Tokens, trie: Trie, at_once: int) -> np.ndarray:
    """Every label after every prompt, each a sequence of its own, `at_once` at a time. The log-probabilities."""
    pairs = [(row, label) for row in range(len(prompts)) for label in range(len(trie.sequences))]
    # Of like length together, as whoever needs it to be quick would do it.
    pairs.sort(key=lambda pair: len(prompts[pair[0]]) + len(trie.sequences[pair[1]]))
    found = np.zeros((len(prompts), len(trie.sequences)))
    with torch.no_grad():
        for start in range(0, len(pairs), at_once):
            part = pairs[start : start + at_once]
            texts = [[*prompts[row], *trie.sequences[label][:-1]] for row, label in part]
            hidden = reader.read(reader.start(len(part)), texts)
            places = [(i, len(prompts[row]) - 1 + k) for i, (row, label) in enumerate(part) for k in range(len(trie.sequences[label]))]
            wanted = [[token] for _, label in part for token in trie.sequences[label]]
            logs = iter(reader.logs(hidden[[i for i, _ in places], [k for _, k in places]], wanted))
            for row, label in part:
                found[row, label] = sum(float(next(logs)[0]) for _ in trie.sequences[label])
    return found


def generate(reader: TorchModel, prompts: Tokens, trie: Trie, at_once: int) -> list[int]:
    """The label of greedy generation confined to the trie."""
    labels: list[int] = []
    for start in range(0, len(prompts), at_once):
        tokens = prompts[start : start + at_once]
        state, nodes = reader.start(len(tokens)), [0] * len(tokens)
        while any(trie.nodes[node].label is None for node in nodes):
            # Rows that have ended wait for the others.
            wanted = [list(trie.nodes[node].children) or [0] for node in nodes]
            logs = reader.extend(state, tokens, wanted)
            tokens = [[w[int(row.argmax())]] for w, row in zip(wanted, logs, strict=True)]
            nodes = [trie.nodes[n].children.get(t[0], n) for n, t in zip(nodes, tokens, strict=True)]
        labels += [trie.nodes[node].label or 0 for node in nodes]
    return labels


def scored(reader: TorchModel, prompts: Tokens, trie: Trie, at_once: int, bound: float) -> np.ndarray:
    parts = [
        score_labels(reader, reader.start(len(part)), part, trie, bound).probabilities
        for part in (prompts[start : start + at_once] for start in range(0, len(prompts), at_once))
    ]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Timed:
    found: Any
    seconds: float
    processor_seconds: float
    """Of all threads: on a machine that does other things too, the better measure of work on a CPU."""
    tokens: int
    """That went through the network, padding not counted."""


def timed(reader: TorchModel, work: Callable[[], Any]) -> Timed:
    before, started, processor = reader.read_tokens, time.perf_counter(), time.process_time()
    found = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return Timed(found, time.perf_counter() - started, time.process_time() - processor, reader.read_tokens - before)


def compare(reader: TorchModel, prompts: Tokens, trie: Trie, at_once: int) -> dict[str, Any]:
    """Each way on the same prompts, rows of like length together."""
    prompts = sorted(prompts, key=len, reverse=True)
    ways: dict[str, Callable[[], Any]] = {
        "trie, every node": lambda: scored(reader, prompts, trie, at_once, 0.0),
        "trie, branches left out": lambda: scored(reader, prompts, trie, at_once, BOUND),
        "every label by itself": lambda: brute_force(reader, prompts, trie, at_once),
        "generation, in batches": lambda: generate(reader, prompts, trie, at_once),
        "generation, one row at a time": lambda: generate(reader, prompts, trie, 1),
    }
    # What is done once is no part of any of them.
    scored(reader, prompts[:at_once], trie, at_once, 0.0)
    results = {name: timed(reader, work) for name, work in ways.items()}
    trie_way, brute = results["trie, every node"], results["every label by itself"]
    weights = np.exp(brute.found - brute.found.max(axis=1, keepdims=True))
    expected = weights / weights.sum(axis=1, keepdims=True)
    tokens = brute.tokens / trie_way.tokens
    return {
        "prompt tokens": float(np.mean([len(prompt) for prompt in prompts])),
        "rows": len(prompts),
        "rows at once": at_once,
        "labels": len(trie.sequences),
        "trie nodes": sum(node.label is None for node in trie.nodes[1:]),
        "ways": {
            name: {
                "seconds": one.seconds,
                "processor seconds": one.processor_seconds,
                "tokens": one.tokens,
                "rows a second": len(prompts) / one.seconds,
            }
            for name, one in results.items()
        },
        "largest difference of a probability": {
            name: float(np.abs(results[name].found - expected).max()) for name in list(ways)[:2]
        },
        "largest difference of a row's sum from 1": float(np.abs(trie_way.found.sum(axis=1) - 1).max()),
        "ratio of tokens": tokens,
        "ratio of seconds over ratio of tokens": brute.seconds / trie_way.seconds / tokens,
        "ratio of processor seconds over ratio of tokens": brute.processor_seconds / trie_way.processor_seconds / tokens,
        "rows where generation finds the likeliest label": int(
            sum(label == row.argmax() for label, row in zip(results["generation, in batches"].found, expected, strict=True))
        ),
    }


def rates(reader: TorchModel, trie: Trie, shape: Shape, rows: int, nf4: bool) -> list[dict[str, Any]]:
    """Rows a second by length, random tokens for text: every trie node, and head `classifier` (the prompt alone)."""
    rng = np.random.default_rng(0)
    nodes = sum(node.label is None for node in trie.nodes[1:])
    found = []
    for tokens in (32, 128, 480):
        prompts = [[int(t) for t in rng.integers(10, 1000, size=tokens)] for _ in range(rows)]
        ways: list[tuple[str, int, Callable[[], Any]]] = [
            ("label-text, every node", nodes, lambda p=prompts: scored(reader, p, trie, rows, 0.0)),
            ("classifier", 0, lambda p=prompts: reader.extend(reader.start(rows), p, [[0]] * rows)),
        ]
        for head, evaluated, work in ways:
            work()
            seconds = timed(reader, work).seconds
            flops = row_flops(shape, tokens, evaluated)
            found.append(
                {
                    "head": head,
                    "tokens a row": tokens,
                    "trie nodes": evaluated,
                    "rows a second": rows / seconds,
                    "FLOP/s": flops * rows / seconds,
                    "dollars a million rows at $1 an hour": dollars_a_million(rows / seconds),
                    "rows a second on paper, A10G": rows_a_second(A10G, flops, nf4),
                }
            )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="clf_worker.bench")
    parser.add_argument("model", type=Path)
    parser.add_argument("--rows", type=int, default=None, help="rows at once; default: 64 on a GPU, 2 on a CPU")
    parser.add_argument("--compare", type=Path, help="a JSON list of texts to compare ways of scoring on")
    chosen = parser.parse_args()
    raw = json.loads(chosen.model.read_text(encoding="utf-8"))
    fields = {key: raw["spec"].get(key) for key in Spec.__dataclass_fields__ if key != "lora"}
    try:
        loaded = load_base(Spec(**fields, lora=Lora(**raw["spec"]["lora"])))
    except WorkerError as error:
        print(error.message, error.remedy or "", file=sys.stderr)
        return 1
    tokenizer = loaded.tokenizer
    reader = TorchModel(loaded.model, loaded.device)
    trie = Trie([[*tokenizer(f" {label}", add_special_tokens=False)["input_ids"], tokenizer.eos_token_id] for label in raw["labels"]])
    rows = chosen.rows or (64 if loaded.device.type == "cuda" else 2)
    name = torch.cuda.get_device_name(0) if loaded.device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    said: dict[str, Any] = {"device": name, "base": raw["spec"]["base"], "quantized": loaded.quantized, "versions": versions()}
    if chosen.compare:
        texts = json.loads(chosen.compare.read_text(encoding="utf-8"))
        prompts = [tokenizer(f"text: {text}\nlabel:", add_special_tokens=False)["input_ids"] for text in texts]
        said["compare"] = compare(reader, prompts, trie, rows)
    else:
        said["rates"] = rates(reader, trie, Shape.of(loaded.model.config), rows, loaded.quantized)
    print(json.dumps(said, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
