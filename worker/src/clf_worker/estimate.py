"""What a fine-tune and a million rows cost on paper: docs/a10g.md is made of this. `python -m clf_worker.estimate` prints its tables.

Rows a second = FLOP/s that are reached / FLOPs a row. FLOPs a row = 2 * parameters of the layers * places + attention + logits, where
places are the tokens that go through the network for that row: its own prompt and, for `label-text`, the trie nodes that are evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

from .memory import Shape, fine_tune_bytes


@dataclass(frozen=True)
class Card:
    flops: float
    """Dense bf16 FLOP/s on paper."""
    reached: float
    """Share of it that large batches are taken to reach; to be measured by `clf bench-host`."""
    reached_nf4: float
    """The same with 4-bit weights, which are unpacked for every use."""


A10G = Card(flops=70e12, reached=0.5, reached_nf4=0.35)
PRICE_PER_HOUR = 1.0
PUBLISHED = 789.0
"""Dollars a million rows of the published system: 2.84 s a row, generated one row at a time, at $1 an hour."""

SHAPES = {
    "Qwen2.5-7B": Shape(28, 3584, 18944, 28, 4, 128, 152064, False),
    "Qwen2.5-1.5B": Shape(28, 1536, 8960, 12, 2, 128, 151936, True),
}


def row_flops(shape: Shape, prompt: int, nodes: int) -> float:
    """FLOPs of a row: `prompt` tokens of its own, `nodes` trie nodes."""
    places = prompt + nodes
    wide = shape.heads * shape.head_size
    attention = 4 * shape.layers * wide * (prompt * (prompt + 1) / 2 + nodes * (prompt + 4))
    return 2 * shape.linear * places + attention + 2 * shape.hidden * shape.vocabulary * (nodes + 1)


def rows_a_second(card: Card, flops: float, nf4: bool) -> float:
    return card.flops * (card.reached_nf4 if nf4 else card.reached) / flops


def dollars_a_million(rows: float) -> float:
    return 1e6 / rows / 3600 * PRICE_PER_HOUR


def training_seconds(card: Card, shape: Shape, rows: int, tokens: int, epochs: float, nf4: bool) -> float:
    """A frozen base: forward, the same again for checkpointed layers, and backward to the inputs: 6 FLOPs a parameter and token."""
    return rows * epochs * tokens * 6 * shape.linear / (card.flops * (card.reached_nf4 if nf4 else card.reached))


CASES = [
    # name, tokens of a row, nodes with branches left out, all nodes
    ("Banking77, 77 labels", 22, 8, 190),
    ("injury reports, 282 labels", 120, 12, 900),
    ("injury reports, 2 targets as JSON", 130, 40, 1100),
    ("long rows, 282 labels", 480, 12, 900),
]


def tables() -> str:
    lines = [
        "| model, rows | head | tokens a row | trie nodes | GFLOP a row | NF4: rows/s | $ a million | of $789 | bf16: rows/s | $ a million | of $789 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("Qwen2.5-7B", "Qwen2.5-1.5B"):
        shape = SHAPES[name]
        for case, tokens, few, every in CASES:
            for head, nodes in (("label-text", few), ("label-text, every node", every), ("classifier", 0)):
                flops = row_flops(shape, tokens, nodes)
                cells = [f"{name}, {case}", head, str(tokens), str(nodes), f"{flops / 1e9:,.0f}"]
                for nf4 in (True, False):
                    rows = rows_a_second(A10G, flops, nf4)
                    cost = dollars_a_million(rows)
                    cells += [f"{rows:.1f}", f"{cost:.1f}", f"{cost / PUBLISHED:.1%}"]
                lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "| model | tokens a row | rows at once | memory, NF4 | memory, bf16 | hours for 60,000 rows, 2 epochs, NF4 | $ |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("Qwen2.5-7B", "Qwen2.5-1.5B"):
        shape = SHAPES[name]
        for tokens in (150, 512, 2048, 4096):
            rows = max(1, min(16, 8192 // tokens))
            memory = [
                fine_tune_bytes(shape, rank=16, rows=rows, tokens=tokens, quantized=quantized, precision=2) / 2**30
                for quantized in (True, False)
            ]
            hours = training_seconds(A10G, shape, 60_000, tokens, 2, nf4=True) / 3600
            lines.append(
                f"| {name} | {tokens} | {rows} | {memory[0]:.1f} GiB | {memory[1]:.1f} GiB | {hours:.1f} | {hours * PRICE_PER_HOUR:.0f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
