"""Answers kept by idempotency key, for requests that have no number of their own."""

import sqlite3

from .database import Database


def insert_answer(connection: sqlite3.Connection, key: str, digest: bytes, answer: str, now: float) -> None:
    """Keep an answer inside somebody's transaction."""
    connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", (key, digest, answer, now))


class Answers:
    """The table of answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str, digest: bytes) -> str | None:
        """Find the answer to the same request under a key."""
        found = self._database.row("SELECT answer FROM answers WHERE key = ? AND digest = ?", key, digest)
        return str(found["answer"]) if found else None
