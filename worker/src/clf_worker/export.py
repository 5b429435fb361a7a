"""`python -m clf_worker.export MODELFOLDER OUT [--merged]`: what other programs need to use a fine-tuned model.

The adapter, the prompt and the labels, a model card with how to serve it, and with --merged the whole model with the adapter in it.
Merging goes through the base a shard at a time: it needs the memory of one shard, not of the model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from .folder import remove
from .job import Lora, Spec, WorkerError
from .language_model import load_base, load_tokenizer


def export(model: Path, out: Path, merged: bool) -> None:
    """Raises WorkerError when there is nothing to merge or the base is not at hand."""
    described = json.loads((model / "model.json").read_text(encoding="utf-8"))
    temporary = out.with_name(f".{out.name}.tmp")
    remove(temporary)
    temporary.mkdir(parents=True)
    if (model / "adapter").exists():
        shutil.copytree(model / "adapter", temporary / "adapter")
    if (model / "heads.safetensors").exists():
        shutil.copy2(model / "heads.safetensors", temporary / "heads.safetensors")
    (temporary / "prompt.json").write_text(json.dumps(described["prompt"], ensure_ascii=False, indent=2), encoding="utf-8")
    (temporary / "labels.json").write_text(json.dumps(described["targets"], ensure_ascii=False, indent=2), encoding="utf-8")
    if merged:
        merge(spec_of(described), model / "adapter", temporary / "merged")
    (temporary / "README.md").write_text(card(described, merged), encoding="utf-8")
    remove(out)
    temporary.rename(out)


def spec_of(described: dict[str, Any]) -> Spec:
    return Spec(
        base=described["base"],
        gguf_file=described["gguf_file"],
        head=described["head"],
        lora=Lora(0, 0, 0, "all-linear"),
        quantization="none",
        epochs=described["epochs"],
        learning_rate=0,
        batch_size=1,
        max_tokens=0,
        class_weight="none",
    )


def merge(spec: Spec, adapter: Path, to: Path) -> None:
    if not adapter.exists():
        raise WorkerError("There is no adapter to merge: the model was not fine-tuned.", "Export it without merging.")
    to.mkdir()
    folder = base_folder(spec)
    shards = sorted(folder.glob("*.safetensors")) if folder is not None and spec.gguf_file is None else []
    if not shards:
        # A GGUF file is no list of tensors to go through: the whole model is loaded.
        from peft import PeftModel

        loaded = load_base(spec)
        network = PeftModel.from_pretrained(loaded.model, str(adapter))
        network.merge_and_unload().save_pretrained(to)
        loaded.tokenizer.save_pretrained(to)
        return
    assert folder is not None
    changes = deltas(adapter)
    used: set[str] = set()
    for shard in shards:
        tensors = {}
        with safe_open(shard, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - safe_open is no mapping
                value = file.get_tensor(name)
                module = name.removesuffix(".weight")
                if module in changes:
                    a, b, scale = changes[module]
                    value = (value.float() + scale * (b.float() @ a.float())).to(value.dtype)
                    used.add(module)
                tensors[name] = value
        save_file(tensors, to / shard.name, metadata={"format": "pt"})
    if missing := changes.keys() - used:
        raise WorkerError(f"The base has no layer {sorted(missing)[0]}, which the adapter changes.", "Is it the same base?")
    for file in folder.iterdir():
        if file.is_file() and file.suffix in {".json", ".txt", ".model", ".jinja"}:
            shutil.copy2(file, to / file.name)
    load_tokenizer(spec).save_pretrained(to)


def base_folder(spec: Spec) -> Path | None:
    if Path(spec.base).is_dir():
        return Path(spec.base)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(spec.base, allow_patterns=["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]))
    except Exception as error:
        raise WorkerError(f'The base "{spec.base}" is not at hand: {str(error).splitlines()[0]}', "Export where it was fine-tuned.") from error


def deltas(adapter: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor, float]]:
    """By layer of the base: LoRA's A and B, and their scale alpha / rank."""
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / config["r"]
    weights = load_file(adapter / "adapter_model.safetensors")
    start, end = "base_model.model.", ".lora_A.weight"
    return {
        name[len(start) : -len(end)]: (value, weights[name.replace("lora_A", "lora_B")], scale)
        for name, value in weights.items()
        if name.endswith(end)
    }


def card(described: dict[str, Any], merged: bool) -> str:
    prompt, training = described["prompt"], described["training"]
    targets = "\n".join(f"- {t['name']}: {len(t['labels'])} labels" for t in described["targets"])
    shown = prompt["head"] + "\n".join(f"{name}: …" for name in prompt["inputs"]) + prompt["foot"]
    versions = ", ".join(f"{name} {value}" for name, value in described["versions"].items())
    if described["head"] == "classifier":
        serve = (
            "`heads.safetensors` holds a linear layer a target (`0.weight`, `0.bias`, …, in the order of `labels.json`), to be applied to "
            "the last hidden state of the prompt's last token. Servers of text generation have no place for it: load model and "
            "adapter with transformers and peft."
        )
    else:
        what = "merged" if merged else f"{described['base']} --enable-lora --lora-modules tuned=adapter"
        name = "merged" if merged else "tuned"
        serve = f"""```
vllm serve {what}
curl localhost:8000/v1/completions -H 'content-type: application/json' \\
  -d '{{"model": "{name}", "prompt": "…", "max_tokens": 32, "temperature": 0, "structured_outputs": {{"choice": ["…the labels…"]}}}}'
```

The prompt is that above, with the row's texts in place of `…`, white space in them as single spaces. Text that is generated
shows the likeliest label by its first tokens; the probabilities that Clf calibrates and certifies are those of whole labels, so that
accept rules and figures of Clf hold for its own scoring and not for a served answer."""
    return f"""---
base_model: {described["base"]}
library_name: peft
pipeline_tag: text-classification
---

# A text classifier, fine-tuned with Clf

{targets}

Made from `{described["base"]}`{f" ({described['gguf_file']})" if described["gguf_file"] else ""}, head `{described["head"]}`, {training.get("step", 0)} steps,
tune loss {training.get("best", "not measured")}, job `{training["job"]}`, seed {training["seed"]}. Made with {versions}.
Its licence is the base model's. How good it is, and from which confidence on it may be trusted, is in the report of its evaluation.

## Prompt

```
{shown}
```

## Serving

{serve}
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="clf_worker.export")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--merged", action="store_true")
    chosen = parser.parse_args()
    try:
        export(chosen.model, chosen.out, chosen.merged)
    except WorkerError as error:
        print(error.message, error.remedy or "", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
