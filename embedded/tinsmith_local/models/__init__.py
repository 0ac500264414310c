"""Base models of the embedded service (in code, from files, fetched), and adapters on disk."""
