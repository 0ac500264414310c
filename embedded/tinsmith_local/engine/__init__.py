"""A decoder-only transformer in numpy: exact LoRA gradients, Adam, sampling with a KV cache.

Knows nothing of HTTP, of files or of tokenizers. Functions are not re-entrant: one thread at a time drives
the engine of a process; inside a call, work is spread over the worker threads of `workers`.
"""
