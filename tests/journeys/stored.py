"""Looking into the service's database from outside."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from msgspec import Struct

# What clients and drafts consist of; housekeeping, the log of proofs and counters are left out.
TABLES = (
    "client_drafts",
    "client_configurations",
    "client_keys",
    "scope_accesses",
    "api_accesses",
    "claim_values",
    "client_changes",
)
# What time alone changes: drafts expire, keys become known to the issuer.
WITH_TIME = ["status", "state", "active_at", "last_used_at"]


class Stored(Struct, frozen=True):
    database_url: str

    def rows(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        return [dict(row) for row in asyncio.run(self._fetch(statement, *arguments))]

    def value(self, statement: str, *arguments: object) -> Any:
        return next(iter(self.rows(statement, *arguments)[0].values()))

    def everything(self) -> dict[str, Any]:
        """A fingerprint of each table: it changes with any row."""
        parts = [
            f"SELECT '{table}' AS name, count(*) AS rows,"
            f" md5(string_agg(t.what, '|' ORDER BY t.what)) AS hash"
            f" FROM (SELECT (to_jsonb(r) - $1::text[])::text AS what FROM {table} AS r) AS t"
            for table in TABLES
        ]
        found = self.rows(" UNION ALL ".join(parts), WITH_TIME)
        return {row["name"]: (row["rows"], row["hash"]) for row in found}

    @contextmanager
    def held(self, *statements: str) -> Iterator[Callable[[], None]]:
        """Rows that `statements` lock, until what is yielded is called.

        It lets go when several of the service's connections wait: so they are sure to meet.
        """
        with asyncio.Runner() as runner:
            connection = runner.run(asyncpg.connect(self.database_url))
            try:
                for statement in ("BEGIN", *statements):
                    runner.run(connection.execute(statement))

                def let_go() -> None:
                    self._until_several_wait()
                    runner.run(connection.execute("COMMIT"))

                yield let_go
            finally:
                runner.run(connection.close())

    def _until_several_wait(self) -> None:
        until, seen = time.monotonic() + 10, 0
        while time.monotonic() < until:
            waiting: int = self.value(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if waiting > 1 and waiting == seen:
                return
            seen = waiting
            time.sleep(0.1)
        raise AssertionError(f"Only {seen} of the service's connections wait.")

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database_url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows
        finally:
            await connection.close()
