"""Adapters in other forms: merged into their base model, and as GGUF. Knows files, and no server."""
