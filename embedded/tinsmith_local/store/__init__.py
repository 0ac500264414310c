"""What the embedded service keeps on disk: one SQLite database (WAL) and files beside it, in one directory.

Knows nothing of HTTP and nothing of the engine: bytes, rows and paths only.
"""
