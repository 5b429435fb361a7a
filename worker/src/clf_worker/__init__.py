"""The Clf worker: fine-tunes causal language models and scores labels, from a job folder (docs/qlora.md)."""
