"""PostgreSQL, in the two ways it is used here.

`Database.sessions` are SQLAlchemy sessions: the way for everything that is not hot. The hot
paths run `HotStatement`s: Core statements that are compiled once and run on the driver's own
connections, which costs a tenth. Those connections commit each statement by itself unless
`connection.transaction()` is open.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum as PythonEnum
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias, TypeVar, dataclass_transform

import asyncpg
import msgspec
from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    ColumnElement,
    Executable,
    MetaData,
    Text,
    func,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy import Enum as EnumColumn
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from app import connections
from app.connections import Connections, connect

Sessions: TypeAlias = async_sessionmaker[AsyncSession]
Connection: TypeAlias = connections.Connection

CLOCK: ColumnElement[datetime] = func.clock_timestamp()
"""The database's own, moment by moment: its hosts may disagree about the time, it does not."""
DRIVER = asyncpg_dialect()  # type: ignore[no-untyped-call]

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def _values(enum: type[PythonEnum]) -> list[str]:
    return [member.value for member in enum]


@dataclass_transform(kw_only_default=True, field_specifiers=(mapped_column, relationship))
class Base(MappedAsDataclass, DeclarativeBase, kw_only=True, repr=False):
    """A table whose constructor is type-checked and whose `repr` cannot leak a key into a log."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        list[str]: ARRAY(Text),
        # Text with a CHECK: unlike a PostgreSQL enum, a migration can take a state away again.
        StrEnum: EnumColumn(
            StrEnum,
            native_enum=False,
            create_constraint=True,
            length=40,
            values_callable=_values,
        ),
    }


R = TypeVar("R", bound=Base)


class Json(TypeDecorator[Any]):
    """A JSONB column that holds a msgspec type; a row that does not fit the type is not read."""

    impl = JSONB
    cache_ok = True

    def __init__(self, content: Any) -> None:
        super().__init__()
        self.content = content

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return msgspec.to_builtins(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else msgspec.convert(value, self.content)


class HotStatement:
    """A Core statement in the driver's own words. JSON goes in and comes out as text."""

    def __init__(self, statement: Executable) -> None:
        self.core = statement
        compiled = statement.compile(  # type: ignore[attr-defined]  # every executable has it
            dialect=DRIVER, compile_kwargs={"render_postcompile": True}
        )
        self.sql: str = compiled.string
        self.names: Sequence[str] = compiled.positiontup or ()
        self.constants: dict[str, Any] = compiled.params

    def _arguments(self, values: dict[str, Any]) -> list[Any]:
        constants = self.constants
        return [values[name] if name in values else constants[name] for name in self.names]

    async def row(self, connection: Connection, **values: Any) -> asyncpg.Record | None:
        return await connection.fetchrow(self.sql, *self._arguments(values))

    async def rows(self, connection: Connection, **values: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await connection.fetch(self.sql, *self._arguments(values))
        return rows


async def _as_it_is(_connection: object) -> None:
    """A connection goes back to its pool with nothing to undo: no statement here sets anything."""


# A transaction that hangs must not hold up all others until somebody looks.
PATIENCE = {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}


class Database:
    """The connections of one process. `reads` may lose its last writes when the server dies."""

    reads: Connections
    writes: Connections

    def __init__(
        self, url: str, *, connections: int = 4, longest_statement: str | None = None
    ) -> None:
        """`longest_statement`, such as `15s`, is for processes whose callers wait."""
        self.url = url
        self.patience = PATIENCE | (
            {"statement_timeout": longest_statement} if longest_statement else {}
        )
        self.connections = connections
        self.engine = engine_of(
            url,
            self.patience,
            pool_size=connections,
            max_overflow=connections,
            # What goes wrong is logged: a person's name or a secret may be among the values.
            hide_parameters=True,
        )
        self.sessions: Sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def open(self) -> None:
        self.reads = await self._pool(synchronous_commit="off")
        self.writes = await self._pool(synchronous_commit="on")

    async def _pool(self, **settings: str) -> Connections:
        pool = await asyncpg.create_pool(
            self.url,
            connect=connect,
            min_size=1,
            max_size=self.connections,
            server_settings={"jit": "off", **self.patience, **settings},
            reset=_as_it_is,
            # The timer that would close an idle connection costs a tenth of a statement.
            max_inactive_connection_lifetime=0,
        )
        return Connections(pool)

    async def close(self) -> None:
        await self.reads.close()
        await self.writes.close()
        await self.engine.dispose()


def engine_of(
    url: str, server_settings: Mapping[str, str] | None = None, **options: Any
) -> AsyncEngine:
    """The driver reads `url`: SQLAlchemy does not know all that may stand there, as `sslmode`."""
    creator = partial(connect, url, server_settings=server_settings)
    return create_async_engine("postgresql+asyncpg://", async_creator=creator, **options)


async def one_at_a_time(db: AsyncSession, name: str) -> None:
    """Make transactions that give the same name wait for each other until they end."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def leased_row(
    db: AsyncSession, table: type[R], *is_due: ColumnElement[bool], lasting: timedelta
) -> R | None:
    """Of those that are due, the row that has been so longest: nobody else gets it for a while."""
    columns, (key,) = table.__table__.c, inspect(table).primary_key
    free = or_(columns.leased_until.is_(None), columns.leased_until <= CLOCK)
    due = (
        select(key)
        .where(*is_due, free)
        .order_by(columns.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    leased: R | None = await db.scalar(
        update(table)
        .where(key == due.scalar_subquery())
        .values(leased_until=CLOCK + lasting)
        .returning(table)
    )
    return leased
