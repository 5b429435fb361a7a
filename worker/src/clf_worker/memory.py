"""How much memory a fine-tune needs, before it starts. The formula is in docs/a10g.md, where its inputs are listed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A decoder's shape, from its configuration."""

    layers: int
    hidden: int
    inner: int
    heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int
    tied: bool

    @staticmethod
    def of(config: object) -> "Shape":
        get = lambda name, other=None: getattr(config, name, None) or other  # noqa: E731
        hidden, heads = get("hidden_size"), get("num_attention_heads")
        return Shape(
            layers=get("num_hidden_layers"),
            hidden=hidden,
            inner=get("intermediate_size", 4 * hidden),
            heads=heads,
            key_value_heads=get("num_key_value_heads", heads),
            head_size=get("head_dim", hidden // heads),
            vocabulary=get("vocab_size"),
            tied=bool(get("tie_word_embeddings", False)),
        )

    @property
    def linear(self) -> int:
        """Parameters of the layers' linear maps: those that are quantised and get an adapter."""
        attention = self.hidden * self.head_size * (2 * self.heads + 2 * self.key_value_heads)
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def embedding(self) -> int:
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        return self.linear + self.embedding

    def adapter(self, rank: int) -> int:
        """Parameters of a LoRA adapter on all linear layers: rank * (inputs + outputs) each."""
        wide = self.heads * self.head_size
        narrow = self.key_value_heads * self.head_size
        each = 2 * (self.hidden + wide) + 2 * (self.hidden + narrow) + 3 * (self.hidden + self.inner)
        return self.layers * rank * each


def fine_tune_bytes(
    shape: Shape, *, rank: int, rows: int, tokens: int, quantized: bool, precision: int, checkpointed: bool = True
) -> int:
    """Bytes on the device for steps of `rows` rows of `tokens` tokens (a micro-batch).

    `precision`: bytes a whole number takes (2 for bf16, 4 for full). `checkpointed`: layers are gone through again, not kept; so it is on a GPU.
    """
    # NF4: 4 bits, and a double-quantised scale a block of 64: 0.127 bits.
    base = shape.linear * (4.127 / 8 if quantized else precision) + shape.embedding * precision
    # fp32 weights, gradients and Adam's two moments.
    adapter = shape.adapter(rank) * 16
    places = rows * tokens
    # The layers' inputs are kept, one layer is gone through again; logits in fp32 for the answers alone, at most a quarter of the places.
    kept = places * shape.layers * shape.hidden * precision
    one = places * (8 * shape.hidden + 3 * shape.inner) * precision * 2
    logits = places // 4 * shape.vocabulary * 4 * 2
    if not checkpointed:
        one *= shape.layers
    return int((base + adapter + kept + one + logits) * 1.1)


def load_bytes(shape: Shape, *, quantized: bool, precision: int, gpu: bool) -> int:
    """Bytes of RAM while loading: with a GPU a shard at a time (5 GB at most), else the whole model."""
    whole = shape.parameters * precision
    return min(whole, 5_000_000_000) + 1_500_000_000 if gpu else whole + 1_000_000_000
