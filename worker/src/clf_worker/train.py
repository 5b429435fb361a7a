"""Fine-tuning: a LoRA adapter on a frozen base, by cross entropy of the answers alone. Read from `fine_tune` on.

What is kept in checkpoints is all that decides the rest of the run, so that a resumed run takes the same steps.
"""

from __future__ import annotations

import json
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

from .encode import Encoder
from .environment import environment_hash, machine_memory, versions
from .folder import JobFolder
from .job import Job, Model, Row, Spec, WorkerError
from .language_model import Loaded, device, load_base, load_config, load_tokenizer, out_of_memory, precision, quantizes
from .memory import Shape, fine_tune_bytes, load_bytes
from .prompt import make_prompt
from .weights import class_weights

IGNORED = -100
"""The mask of tokens that are not learnt, as cross_entropy has it."""
CHECKPOINT = "checkpoint"
CHECKPOINT_SECONDS = 60.0
PATIENCE = 3
"""Looks at the tune rows without a better loss, after which training stops."""
LOOKS_AN_EPOCH = 2
WARM_UP = 0.05
CLIP = 1.0


@dataclass(frozen=True)
class Example:
    """A row as tokens. `weights` are 0 where nothing is learnt; `classes` are the heads' labels, -100 where there is none."""

    tokens: list[int]
    weights: list[float]
    classes: list[int]
    class_weights: list[float]


@dataclass
class Progress:
    step: int = 0
    tokens: int = 0
    """Tokens learnt from so far, prompts included."""
    best: float = math.inf
    best_step: int = 0
    looks_since: int = 0
    seconds: float = 0.0


def fine_tune(folder: JobFolder, rows: list[Row]) -> None:
    job = folder.job
    model = job.models[0]
    spec = model.spec
    if folder.found("model") is not None:
        folder.forget(CHECKPOINT)
        return
    if spec.epochs == 0 and spec.head == "classifier":
        raise WorkerError("A classifier head has to be fine-tuned: epochs is 0.", "Set epochs, or head: label-text.")
    torch.manual_seed(job.seed)
    tokenizer = load_tokenizer(spec)
    encoder = Encoder(job, make_prompt(job, spec, tokenizer), tokenizer)
    if spec.epochs == 0:
        folder.artifact("model", "model", lambda to: save_model(to, job, model, encoder, None, None, Progress()))
        return
    train = make_examples(folder, job, spec, encoder, [row for row in rows if row.split == "train"], "train")
    tune = make_examples(folder, job, spec, encoder, [row for row in rows if row.split == "tune"], "tune")
    if not train:
        raise WorkerError("No train row can be learnt from.", "Raise max_tokens, or look at the labels of the train rows.")
    estimate_memory(folder, spec, train)
    folder.check_stop()
    folder.progress("loading the model", 0, None, "rows")
    loaded = load_base(spec, tokenizer)
    folder.check_stop()
    network, heads = add_adapter(loaded, spec, job)
    try:
        progress = train_loop(folder, job, spec, loaded, network, heads, train, tune)
    except torch.cuda.OutOfMemoryError as error:
        raise out_of_memory(f"fine-tuning with batch_size {spec.batch_size} and {longest(train)} tokens a row") from error
    folder.artifact("model", "model", lambda to: save_model(to, job, model, encoder, network, heads, progress))
    # The optimiser has nothing more to do.
    folder.forget(CHECKPOINT)


# --- rows --------------------------------------------------------------------------------------------------------


def make_examples(
    folder: JobFolder, job: Job, spec: Spec, encoder: Encoder, rows: list[Row], split: str
) -> list[Example]:
    """Rows as tokens. Rows whose prompt leaves no room for the answer are refused by id."""
    weights = {target.name: class_weights(rows, target, spec.class_weight) for target in job.targets}
    examples: list[Example] = []
    refused = 0
    for row, body in zip(rows, encoder.bodies(rows), strict=True):
        example = make_example(job, spec, encoder, row, body, weights)
        if example is None:
            continue
        if len(example.tokens) > spec.max_tokens:
            refused += 1
            if refused <= 20:
                message = f"Row {row.row} of {split} takes {len(example.tokens)} tokens with its answer; max_tokens is {spec.max_tokens}. It is left out."
                folder.error(message, "Raise max_tokens, or shorten the row.", row.row)
            continue
        check_mask(example, spec, row)
        examples.append(example)
    if refused > 20:
        folder.log(f"{refused} rows of {split} are longer than max_tokens and are left out.", "warning")
    if refused * 2 > len(rows):
        raise WorkerError(
            f"{refused} of {len(rows)} {split} rows are longer than max_tokens ({spec.max_tokens}).", "Raise max_tokens."
        )
    return examples


def make_example(
    job: Job, spec: Spec, encoder: Encoder, row: Row, body: list[int], weights: dict[str, list[float]]
) -> Example | None:
    """None for a row without a label to learn."""
    places = [t.names.index(name) if (name := row.labels.get(t.name)) is not None else IGNORED for t in job.targets]
    worth = [weights[t.name][place] if place >= 0 else 0.0 for t, place in zip(job.targets, places, strict=True)]
    prompt = [*encoder.head, *body]
    if spec.head == "classifier":
        return Example(prompt, [0.0] * len(prompt), places, worth) if any(worth) else None
    answer = encoder.answer(row.labels)
    if not answer.spans:
        return None
    # What stands between labels is learnt as well, so that what is exported writes the answer by itself.
    learnt = [1.0] * len(answer.tokens)
    for (start, end), worth_here in zip(answer.spans, worth, strict=False):
        learnt[start:end] = [worth_here] * (end - start)
    return Example([*prompt, *answer.tokens], [0.0] * len(prompt) + learnt, places, worth)


def check_mask(example: Example, spec: Spec, row: Row) -> None:
    """Only the answer is learnt, and there is something to learn. A mask that is wrong trains on the wrong thing in silence."""
    if spec.head == "classifier":
        assert any(place >= 0 for place in example.classes), f"nothing is learnt from row {row.row}"
        return
    learnt = [weight > 0 for weight in example.weights]
    assert len(learnt) == len(example.tokens) and not learnt[0], f"the mask of row {row.row} is wrong"
    assert any(learnt), f"nothing is learnt from row {row.row}"
    assert all(learnt[learnt.index(True) :]), f"the answer of row {row.row} is learnt in part"


def longest(examples: list[Example]) -> int:
    return max(len(example.tokens) for example in examples)


def estimate_memory(folder: JobFolder, spec: Spec, train: list[Example]) -> None:
    """Tells what the fine-tune will need and refuses what cannot fit."""
    config = load_config(spec)
    try:
        shape = Shape.of(config)
    except (TypeError, AttributeError):
        folder.log("The memory this model needs cannot be told from its configuration.", "warning")
        return
    at = device()
    quantized, size = quantizes(spec, at), precision(at).itemsize
    tokens = longest(train)
    needs = fine_tune_bytes(
        shape,
        rank=spec.lora.rank,
        rows=micro_batch(spec, tokens, at),
        tokens=tokens,
        quantized=quantized,
        precision=size,
        checkpointed=at.type == "cuda",
    )
    ram = load_bytes(shape, quantized=quantized, precision=size, gpu=at.type == "cuda")
    if at.type == "cuda":
        free, where = torch.cuda.mem_get_info(at)[0], "on the GPU"
    else:
        free, where, needs = machine_memory(), "of memory", max(needs, ram)
    total = sum(len(example.tokens) for example in train)
    folder.log(
        f"{len(train)} rows, {total} tokens an epoch, {tokens} in the longest row; {shape.parameters / 1e9:.2f} billion parameters; "
        f"needs about {needs / 2**30:.1f} GiB {where} of {free / 2**30:.1f} GiB free."
    )
    folder.event("metric", name="memory needed", value=needs)
    folder.event("metric", name="tokens an epoch", value=total)
    if needs > free:
        raise WorkerError(
            f"The fine-tune needs about {needs / 2**30:.1f} GiB {where}; {free / 2**30:.1f} GiB are free.",
            "Lower max_tokens or batch_size, use quantization: nf4, or a smaller base.",
        )
    if at.type == "cuda" and ram > machine_memory():
        folder.log(f"Loading needs about {ram / 2**30:.1f} GiB of memory, and less is free: it may be slow or fail.", "warning")


# --- the network -------------------------------------------------------------------------------------------------


def lora_config(spec: Spec) -> LoraConfig:
    lora = spec.lora
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
    )


def add_adapter(loaded: Loaded, spec: Spec, job: Job) -> tuple[Any, torch.nn.ModuleList | None]:
    """The base with a fresh adapter, and for `classifier` a head a target, in full precision."""
    base = loaded.model
    if loaded.device.type == "cuda":
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if loaded.quantized:
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=loaded.device.type == "cuda")
    network = get_peft_model(base, lora_config(spec))
    heads = make_heads(job, base.config.hidden_size).to(loaded.device) if spec.head == "classifier" else None
    return network, heads


def make_heads(job: Job, hidden: int) -> torch.nn.ModuleList:
    heads = torch.nn.ModuleList(torch.nn.Linear(hidden, len(target.labels)) for target in job.targets)
    for head in heads:
        # Even probabilities at the start.
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    return heads


def body_of(network: Any) -> Any:
    causal = network.get_base_model()
    return getattr(causal, causal.base_model_prefix)


def batch_loss(
    network: Any, heads: torch.nn.ModuleList | None, examples: list[Example], at: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of the weighted losses and sum of the weights, so that batches of any size add up."""
    width = longest(examples)
    ids = torch.tensor([[*e.tokens, *[0] * (width - len(e.tokens))] for e in examples], device=at)
    mask = torch.tensor([[1] * len(e.tokens) + [0] * (width - len(e.tokens)) for e in examples], device=at)
    hidden = body_of(network)(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    if heads is not None:
        last = hidden[torch.arange(len(examples), device=at), mask.sum(1) - 1].float()
        loss = total = torch.zeros((), device=at)
        for place, head in enumerate(heads):
            classes = torch.tensor([e.classes[place] for e in examples], device=at)
            weights = torch.tensor([e.class_weights[place] for e in examples], device=at)
            each = cross_entropy(head(last), classes, ignore_index=IGNORED, reduction="none")
            loss, total = loss + (each * weights).sum(), total + weights.sum()
        return loss, total
    weights = torch.tensor([[*e.weights, *[0.0] * (width - len(e.tokens))] for e in examples], device=at)
    # A token is predicted from the place before it; logits are made where something is learnt and nowhere else.
    learnt = weights[:, 1:] > 0
    logits = network.get_base_model().get_output_embeddings()(hidden[:, :-1][learnt]).float()
    each = cross_entropy(logits, ids[:, 1:][learnt], reduction="none")
    worth = weights[:, 1:][learnt]
    return (each * worth).sum(), worth.sum()


# --- the loop ----------------------------------------------------------------------------------------------------


def micro_batch(spec: Spec, tokens: int, at: torch.device) -> int:
    """Rows that go through the network at once; their gradients add up to those of the whole batch."""
    return max(1, min(spec.batch_size, (8192 if at.type == "cuda" else 2048) // tokens))


def learning_rate(spec: Spec, step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to a tenth."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return spec.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return spec.learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    order = list(range(count))
    random.Random(f"{seed} {epoch}").shuffle(order)
    return order


def train_loop(
    folder: JobFolder,
    job: Job,
    spec: Spec,
    loaded: Loaded,
    network: Any,
    heads: torch.nn.ModuleList | None,
    train: list[Example],
    tune: list[Example],
) -> Progress:
    """Trains until the epochs are over or the tune loss no longer falls, and leaves the best weights in the network."""
    at = loaded.device
    learnt = [p for p in network.parameters() if p.requires_grad] + (list(heads.parameters()) if heads else [])
    optimiser = torch.optim.AdamW(learnt, lr=spec.learning_rate, weight_decay=0.0)
    an_epoch = math.ceil(len(train) / spec.batch_size)
    steps = max(1, math.ceil(an_epoch * spec.epochs))
    look_every = max(1, an_epoch // LOOKS_AN_EPOCH)
    at_once = micro_batch(spec, longest(train), at)
    progress = restore(folder, job, network, heads, optimiser)
    started = time.monotonic() - progress.seconds
    saved = time.monotonic()
    while progress.step < steps and progress.looks_since < PATIENCE:
        epoch, place = divmod(progress.step, an_epoch)
        order = epoch_order(len(train), job.seed, epoch)
        # Rows of like length go through together.
        batch = sorted((train[i] for i in order[place * spec.batch_size :][: spec.batch_size]), key=lambda e: len(e.tokens))
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(spec, progress.step, steps)
        network.train()
        worth = batch_worth(batch, heads is not None)
        value = 0.0
        for start in range(0, len(batch), at_once):
            folder.check_stop()
            loss, _ = batch_loss(network, heads, batch[start : start + at_once], at)
            (loss / worth).backward()
            value += loss.item() / worth
        if not math.isfinite(value):
            raise WorkerError("The loss is no number any more.", "Lower learning_rate.")
        torch.nn.utils.clip_grad_norm_(learnt, CLIP)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        progress.step += 1
        progress.tokens += sum(len(e.tokens) for e in batch)
        progress.seconds = time.monotonic() - started
        at_epoch = progress.step / an_epoch
        folder.event("metric", name="loss", value=value, step=progress.step, epoch=at_epoch, split="train")
        left = progress.seconds / progress.step * (steps - progress.step)
        folder.progress(f"epoch {epoch + 1} of {math.ceil(spec.epochs)}, loss {value:.3f}", progress.step, steps, "steps", left)
        looked = progress.step % look_every == 0 or progress.step == steps
        if looked and tune:
            look(folder, network, heads, tune, at, at_once, progress, at_epoch)
        if looked or time.monotonic() - saved > CHECKPOINT_SECONDS:
            save(folder, job, network, heads, optimiser, progress)
            saved = time.monotonic()
    if progress.looks_since >= PATIENCE:
        folder.log(f"The loss of the tune rows has not fallen for {PATIENCE} looks: stopped at step {progress.step} of {steps}.")
    if progress.best_step:
        put_weights(network, heads, load_file(folder.path / CHECKPOINT / "best.safetensors"))
        folder.log(f"The best weights are those of step {progress.best_step}: tune loss {progress.best:.4f}.")
    folder.event("metric", name="tokens a second", value=progress.tokens / max(progress.seconds, 1e-9))
    return progress


def batch_worth(batch: list[Example], heads: bool) -> float:
    """What a batch's losses are divided by: its weights' sum."""
    return sum(sum(e.class_weights if heads else e.weights) for e in batch)


def look(
    folder: JobFolder,
    network: Any,
    heads: torch.nn.ModuleList | None,
    tune: list[Example],
    at: torch.device,
    at_once: int,
    progress: Progress,
    epoch: float,
) -> None:
    """The loss of the tune rows. The best weights so far are kept beside the checkpoint."""
    network.eval()
    loss = worth = 0.0
    ordered = sorted(tune, key=lambda e: len(e.tokens))
    with torch.no_grad():
        for start in range(0, len(ordered), at_once):
            folder.check_stop()
            part, part_worth = batch_loss(network, heads, ordered[start : start + at_once], at)
            loss, worth = loss + part.item(), worth + part_worth.item()
    value = loss / worth
    folder.event("metric", name="loss", value=value, step=progress.step, epoch=epoch, split="tune")
    if value < progress.best:
        progress.best, progress.best_step, progress.looks_since = value, progress.step, 0
    else:
        progress.looks_since += 1


# --- checkpoints and the model -----------------------------------------------------------------------------------


def get_weights(network: Any, heads: torch.nn.ModuleList | None) -> dict[str, torch.Tensor]:
    found = {f"adapter.{name}": value for name, value in get_peft_model_state_dict(network).items()}
    if heads is not None:
        found |= {f"heads.{name}": value for name, value in heads.state_dict().items()}
    return {name: value.detach().cpu().contiguous() for name, value in found.items()}


def put_weights(network: Any, heads: torch.nn.ModuleList | None, weights: dict[str, torch.Tensor]) -> None:
    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}

    set_peft_model_state_dict(network, part("adapter."))
    if heads is not None:
        heads.load_state_dict(part("heads."))


def run_identity(job: Job) -> dict[str, Any]:
    """What a checkpoint can be gone on from with: the same environment, settings and rows."""
    return {"environment": environment_hash(), "training_spec": job.models[0].training_spec, "data": job.fingerprint}


def save(
    folder: JobFolder,
    job: Job,
    network: Any,
    heads: torch.nn.ModuleList | None,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """All that decides the rest of the run: weights, optimiser, random state, how far it has come; and the best weights."""
    weights = get_weights(network, heads)
    before = folder.path / CHECKPOINT / "best.safetensors"

    def write(to: Path) -> None:
        to.mkdir()
        save_file(weights, to / "weights.safetensors")
        if progress.best_step == progress.step:
            save_file(weights, to / "best.safetensors")
        elif before.exists():
            (to / "best.safetensors").write_bytes(before.read_bytes())
        random_state = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_available():
            random_state["cuda"] = torch.cuda.get_rng_state()
        torch.save({"optimiser": optimiser.state_dict(), "random": random_state}, to / "optimiser.pt")
        state = {"identity": run_identity(job), "progress": vars(progress), "versions": versions()}
        (to / "checkpoint.json").write_text(json.dumps(state, default=str), encoding="utf-8")

    folder.checkpoint(CHECKPOINT, write, progress.step)


def restore(
    folder: JobFolder, job: Job, network: Any, heads: torch.nn.ModuleList | None, optimiser: torch.optim.Optimizer
) -> Progress:
    """Goes on from the job's checkpoint, if there is one. Raises WorkerError when it was made in another environment."""
    at = folder.found(CHECKPOINT)
    if at is None:
        return Progress()
    state = json.loads((at / "checkpoint.json").read_text(encoding="utf-8"))
    identity = run_identity(job)
    if state["identity"] != identity:
        changed = [name for name, value in identity.items() if state["identity"].get(name) != value]
        raise WorkerError(
            f"The checkpoint was made with another {' and '.join(changed)}: going on from it would mix two runs.",
            f"Start a new fine-tune, or remove {CHECKPOINT}/ from the job's folder to begin this one anew. "
            f"It was made with {', '.join(f'{k} {v}' for k, v in state['versions'].items())}.",
        )
    put_weights(network, heads, load_file(at / "weights.safetensors"))
    kept = torch.load(at / "optimiser.pt", weights_only=True)
    optimiser.load_state_dict(kept["optimiser"])
    torch.set_rng_state(kept["random"]["cpu"])
    if "cuda" in kept["random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(kept["random"]["cuda"])
    progress = Progress(**state["progress"])
    folder.log(f"Goes on from step {progress.step}.")
    return progress


def save_model(
    to: Path,
    job: Job,
    model: Model,
    encoder: Encoder,
    network: Any | None,
    heads: torch.nn.ModuleList | None,
    progress: Progress,
) -> None:
    """What prediction and export need: the adapter, the heads, and what it was made of. The base is named, not copied."""
    to.mkdir()
    if network is not None:
        network.save_pretrained(to / "adapter")
    if heads is not None:
        save_file({name: value.cpu() for name, value in heads.state_dict().items()}, to / "heads.safetensors")
    spec = model.spec
    described = {
        "base": spec.base,
        "gguf_file": spec.gguf_file,
        "quantization": spec.quantization,
        "head": spec.head,
        "epochs": spec.epochs,
        "prompt": encoder.prompt.to_json(),
        "targets": [{"name": target.name, "labels": target.names} for target in job.targets],
        "training": {"job": job.id, "data": job.fingerprint, "seed": job.seed, **{k: v for k, v in vars(progress).items() if v != math.inf}},
        "environment": environment_hash(),
        "versions": versions(),
    }
    (to / "model.json").write_text(json.dumps(described, ensure_ascii=False, indent=2), encoding="utf-8")
