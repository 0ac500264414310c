"""Telemetry events as clients sent them, kept to be read by the person who runs the service."""

from collections.abc import Iterable, Iterator

from .database import Database

#: Oldest events beyond this number are dropped.
KEPT_EVENTS = 100_000


class Telemetry:
    """The table of telemetry events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session_id: str, events: Iterable[str], now: float) -> None:
        """Keep events, each a JSON text."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO telemetry (session_id, received_at, event) VALUES (?, ?, ?)",
                [(session_id, now, event) for event in events],
            )
            connection.execute(
                "DELETE FROM telemetry WHERE n <= (SELECT MAX(n) FROM telemetry) - ?", (KEPT_EVENTS,)
            )

    def read(self) -> Iterator[tuple[str, float, str]]:
        """All kept events: session, time of receipt, JSON text."""
        for found in self._database.rows("SELECT session_id, received_at, event FROM telemetry ORDER BY n"):
            yield found["session_id"], found["received_at"], found["event"]
