"""A causal language model from Hugging Face, loaded once, with or without an adapter, behind what scoring asks of it."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, DynamicCache
from transformers.utils import logging as transformers_logging

from .job import Spec, WorkerError
from .score import Branch

LOGIT_BYTES = {"cuda": 256 << 20, "cpu": 16 << 20}
"""Logits are made for so many bytes of positions at a time: all of them would not fit beside the model, or in a processor's cache."""

transformers_logging.disable_progress_bar()


@dataclass
class State:
    """What was read of some rows: the cache, which of its places a row may look at, and how far each row has come."""

    cache: DynamicCache
    seen: torch.Tensor
    length: torch.Tensor


@dataclass
class Loaded:
    """A base model and its tokenizer, as they were loaded."""

    model: Any
    tokenizer: Any
    device: torch.device
    quantized: bool


def device() -> torch.device:
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def load_tokenizer(spec: Spec) -> Any:
    try:
        return AutoTokenizer.from_pretrained(spec.source, **_source(spec))
    except Exception as error:
        raise _not_loaded(spec, error) from error


def load_config(spec: Spec) -> Any:
    try:
        return AutoConfig.from_pretrained(spec.source, **_source(spec))
    except Exception as error:
        raise _not_loaded(spec, error) from error


def load_base(spec: Spec, tokenizer: Any | None = None) -> Loaded:
    """NF4 with double quantisation where it is asked for and there is a GPU, bf16 where the GPU has it; full precision on a CPU.

    Weights go to the device shard by shard, so that the machine's memory need not hold the model.
    """
    at = device()
    quantized = quantizes(spec, at)
    dtype = precision(at)
    more: dict[str, Any] = {}
    if quantized:
        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    if at.type == "cuda" or quantized:
        more["device_map"] = {"": at.index if at.type == "cuda" else "cpu"}
    try:
        model = AutoModelForCausalLM.from_pretrained(spec.source, dtype=dtype, **_source(spec), **more)
    except torch.cuda.OutOfMemoryError as error:
        raise out_of_memory("loading the model") from error
    except (OSError, ValueError, ImportError) as error:
        raise _not_loaded(spec, error) from error
    model.eval()
    return Loaded(model, tokenizer or load_tokenizer(spec), at, quantized)


def quantizes(spec: Spec, at: torch.device) -> bool:
    """On a CPU 4-bit weights are slower than whole ones and only of use for trying the path: CLF_NF4_ON_CPU=1."""
    return spec.quantization == "nf4" and (at.type == "cuda" or os.environ.get("CLF_NF4_ON_CPU") == "1")


def precision(at: torch.device) -> torch.dtype:
    if at.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def out_of_memory(when: str) -> WorkerError:
    return WorkerError(
        f"The GPU ran out of memory while {when}.",
        "Lower max_tokens or batch_size, use quantization: nf4, or a smaller base; nvidia-smi shows who else uses the GPU.",
    )


def _source(spec: Spec) -> dict[str, Any]:
    # The hub token comes from HF_TOKEN, which the hub's client reads itself.
    return {"gguf_file": spec.gguf_file} if spec.gguf_file else {}


def _not_loaded(spec: Spec, error: Exception) -> WorkerError:
    why = str(error).strip().split("\n")[0]
    if Path(spec.source).is_dir():
        remedy = "Look at the files in that folder."
    else:
        remedy = (
            "Check the name, the way to the hub (HF_ENDPOINT, HF_HOME), and HF_TOKEN for models that ask for consent; "
            "without a way to the hub put the model's folder on this machine and name it as base."
        )
    return WorkerError(f'The model "{spec.base}" cannot be loaded: {why}', remedy)


class TorchModel:
    """Reads rows side by side and answers with log-probabilities.

    Attention masks are given whole (row, query, key), so that rows of different lengths and the branches of a trie stand side
    by side in one pass. That needs a decoder with full attention; `check` compares with the model's own forward pass.
    """

    def __init__(self, model: Any, at: torch.device) -> None:
        self.model = model
        self._device = at
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._body = getattr(causal, causal.base_model_prefix)
        self._head = causal.get_output_embeddings()
        self._config = causal.config
        self._dtype = next(self._body.parameters()).dtype if not _is_quantized(causal) else precision(at)
        self.read_tokens = 0

    def start(self, rows: int) -> State:
        empty = torch.zeros((rows, 0), dtype=torch.bool, device=self._device)
        return State(DynamicCache(config=self._config), empty, torch.zeros(rows, dtype=torch.long, device=self._device))

    def repeat(self, state: State, rows: int) -> State:
        """A state of one row, for several that begin alike."""
        cache = copy.deepcopy(state.cache)
        if state.seen.shape[1] > 0:
            cache.batch_repeat_interleave(rows)
        return State(cache, state.seen.expand(rows, -1), state.length.expand(rows))

    @torch.no_grad()
    def extend(self, state: State, tokens: list[list[int]], wanted: list[list[int]]) -> list[np.ndarray]:
        hidden = self.read(state, tokens)
        last = torch.tensor([len(row) - 1 for row in tokens], device=self._device)
        at_end = hidden[torch.arange(len(tokens), device=self._device), last]
        return self.logs(at_end, wanted)

    @torch.no_grad()
    def branch(self, state: State, branches: list[Branch]) -> list[list[np.ndarray]]:
        width = max(len(branch.tokens) for branch in branches)
        looks = torch.zeros((len(branches), width, width), dtype=torch.bool)
        depth = torch.zeros((len(branches), width), dtype=torch.long)
        for row, branch in enumerate(branches):
            size = len(branch.tokens)
            looks[row, :size, :size], depth[row, :size] = _ancestors(tuple(branch.parents))
        hidden = self._forward(state, [b.tokens for b in branches], looks, depth, keep=False)
        rows = [row for row, branch in enumerate(branches) for _ in branch.tokens]
        places = [place for branch in branches for place in range(len(branch.tokens))]
        logs = self.logs(hidden[rows, places], [wanted for branch in branches for wanted in branch.wanted])
        found = iter(logs)
        return [[next(found) for _ in branch.tokens] for branch in branches]

    @torch.no_grad()
    def read(self, state: State, tokens: list[list[int]]) -> torch.Tensor:
        """Reads tokens into the state; every row needs one at least. Returns the hidden states, rows padded on the right."""
        width = max(len(row) for row in tokens)
        lengths = torch.tensor([len(row) for row in tokens])
        looks = torch.ones((width, width), dtype=torch.bool).tril()[None].expand(len(tokens), -1, -1).clone()
        looks &= (torch.arange(width)[None] < lengths[:, None])[:, None]
        looks |= torch.eye(width, dtype=torch.bool)
        depth = torch.arange(width).expand(len(tokens), -1)
        hidden = self._forward(state, tokens, looks, depth, keep=True)
        self._keep(state, lengths, width)
        return hidden

    def _keep(self, state: State, lengths: torch.Tensor, width: int) -> None:
        new = (torch.arange(width)[None] < lengths[:, None]).to(self._device)
        state.seen = torch.cat([state.seen, new], dim=1)
        state.length = state.length + lengths.to(self._device)

    def _forward(
        self, state: State, tokens: list[list[int]], looks: torch.Tensor, depth: torch.Tensor, keep: bool
    ) -> torch.Tensor:
        width = looks.shape[1]
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in tokens], device=self._device)
        looks = looks | torch.eye(width, dtype=torch.bool)
        past = state.seen[:, None].expand(-1, width, -1)
        allowed = torch.cat([past, looks.to(self._device)], dim=2)[:, None]
        mask = torch.zeros(allowed.shape, dtype=self._dtype, device=self._device)
        mask.masked_fill_(~allowed, torch.finfo(self._dtype).min)
        out = self._body(
            input_ids=ids,
            attention_mask=mask,
            position_ids=state.length[:, None] + depth.to(self._device),
            past_key_values=state.cache,
            use_cache=True,
        )
        self.read_tokens += sum(len(row) for row in tokens)
        if not keep:
            state.cache.crop(-width)
        return out.last_hidden_state

    def logs(self, hidden: torch.Tensor, wanted: list[list[int]]) -> list[np.ndarray]:
        """Log-probabilities of the wanted tokens at each hidden state, over the whole vocabulary."""
        vocabulary = self._head.weight.shape[0] if hasattr(self._head, "weight") else self._config.vocab_size
        step = max(1, LOGIT_BYTES[self._device.type] // (4 * vocabulary))
        longest = max(len(tokens) for tokens in wanted)
        found: list[np.ndarray] = []
        for start in range(0, len(wanted), step):
            part = wanted[start : start + step]
            logits = self._head(hidden[start : start + step]).float()
            places = torch.tensor([[*tokens, *[0] * (longest - len(tokens))] for tokens in part], device=self._device)
            logs = logits.gather(1, places) - logits.logsumexp(dim=1, keepdim=True)
            found += [row[: len(tokens)] for row, tokens in zip(logs.double().cpu().numpy(), part, strict=True)]
        return found

    @torch.no_grad()
    def check(self, prefix: list[int], sequence: list[int], said: float) -> None:
        """Raises WorkerError unless the model's own forward pass gives a sequence the log-probability that branching gave."""
        ids = torch.tensor([[*prefix, *sequence]], device=self._device)
        logits = self.model(input_ids=ids, use_cache=False).logits[0].float()
        logs = logits.log_softmax(dim=1)
        own = sum(float(logs[len(prefix) - 1 + i, token]) for i, token in enumerate(sequence))
        # Half precision adds up differently in passes of different shapes.
        allowed = 1e-3 * max(1.0, abs(own)) if self._dtype == torch.float32 else 0.05 * max(1.0, abs(own)) + 0.1
        if abs(own - said) > allowed:
            raise WorkerError(
                f"This model cannot score labels by branching: a label's log-probability is {own:.4f} by the model itself and {said:.4f} by branches.",
                "Its attention is not that of a plain decoder. Use head: classifier, or another base model.",
            )


@lru_cache(maxsize=256)
def _ancestors(parents: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a branch, by token: the tokens it looks at (its ancestors and itself), and how deep it stands. Rows often have the same branch."""
    looks = np.eye(len(parents), dtype=bool)
    depth = np.zeros(len(parents), dtype=np.int64)
    for place, parent in enumerate(parents):
        if parent >= 0:
            looks[place] |= looks[parent]
            depth[place] = depth[parent] + 1
    return torch.from_numpy(looks), torch.from_numpy(depth)


def _is_quantized(model: Any) -> bool:
    return getattr(model, "is_loaded_in_4bit", False)
