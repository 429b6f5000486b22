"""What the repository promises about its schema."""

import asyncio
import re
import subprocess
import sys
from enum import Enum as PythonEnum
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Enum

from app.database import engine_of
from app.migrating import alembic_config, upgrade
from app.schema import newest_revision
from app.tables import MODELS, metadata

pytestmark = pytest.mark.migration

# Everything, in PostgreSQL's own words: Alembic's comparison sees neither CHECKs nor triggers.
SAID = {
    "columns": """
        SELECT c.relname || '.' || a.attname || ' '
            || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
            || CASE a.attidentity WHEN '' THEN '' ELSE ' IDENTITY ' || a.attidentity::text END
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped
            AND c.relnamespace = 'public'::regnamespace""",
    "constraints": """
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": """
        SELECT pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace""",
    "persistence": """
        SELECT relname || ' ' || relpersistence::text FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace""",
}


async def schema(url: str) -> dict[str, set[str]]:
    connection = await asyncpg.connect(url)
    try:
        return {
            kind: {
                row[0].strip()
                for row in await connection.fetch(query)
                if "alembic_version" not in row[0]
            }
            for kind, query in SAID.items()
        }
    finally:
        await connection.close()


async def test_migrations_build_what_the_models_describe(
    database_url: str, empty_database_url: str
) -> None:
    engine = engine_of(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    migrated, described = await schema(database_url), await schema(empty_database_url)
    for kind in SAID:
        assert migrated[kind] == described[kind], kind
    assert migrated["triggers"]


def test_every_room_with_models_has_its_tables_in_the_metadata() -> None:
    rooms = Path(__file__).parents[1] / "app"
    on_disk = {f"app.{file.parent.name}.models" for file in rooms.glob("*/models.py")}
    assert {models.__name__ for models in MODELS} == on_disk


def test_every_value_of_an_enum_and_no_other_passes_its_check(database_url: str) -> None:
    said = asyncio.run(schema(database_url))["constraints"]
    checks = [line for line in said if " CHECK " in line]
    seen = 0
    for table in metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, Enum) or column.type.enum_class is None:
                continue
            seen += 1
            kind: type[PythonEnum] = column.type.enum_class
            check = [
                line for line in checks if line.startswith(f"{table.name} ") and column.name in line
            ]
            allowed = {part for line in check for part in line.split("'")[1::2]}
            assert allowed == {member.value for member in kind}, f"{table.name}.{column.name}"
    assert seen >= 8


def test_migrations_go_up_from_nothing_one_step_down_and_up_again(
    empty_database_url: str,
) -> None:
    upgrade(empty_database_url)
    newest = asyncio.run(schema(empty_database_url))
    command.downgrade(alembic_config(empty_database_url), "-1")
    older = asyncio.run(schema(empty_database_url))
    assert older != newest
    upgrade(empty_database_url)
    assert asyncio.run(schema(empty_database_url)) == newest


def test_migrations_leave_nothing_behind_when_they_are_all_undone(
    empty_database_url: str,
) -> None:
    upgrade(empty_database_url)
    command.downgrade(alembic_config(empty_database_url), "base")
    assert all(not found for found in asyncio.run(schema(empty_database_url)).values())


def test_migrations_are_one_line_that_ends_at_what_the_code_needs() -> None:
    script = ScriptDirectory.from_config(alembic_config(""))
    assert script.get_heads() == [newest_revision()]
    assert len(script.get_bases()) == 1


def test_a_migration_that_takes_something_away_names_the_oldest_code_that_can_do_without() -> None:
    for file in (Path(__file__).parents[1] / "migrations" / "versions").glob("*.py"):
        up = file.read_text(encoding="utf-8").partition("def downgrade")[0]
        if re.search(r"drop_(column|table)|rename_table|new_column_name|\b(DROP|RENAME) ", up):
            assert "COMMENT ON TABLE alembic_version" in up, file.name


def test_instances_that_start_together_migrate_one_after_the_other(
    empty_database_url: str,
) -> None:
    program = "import sys; from app.migrating import upgrade; upgrade(sys.argv[1])"
    command_line = [sys.executable, "-c", program, empty_database_url]
    instances = [subprocess.Popen(command_line) for _ in range(3)]
    assert [instance.wait(timeout=60) for instance in instances] == [0, 0, 0]
    assert asyncio.run(schema(empty_database_url))["columns"]
