"""The rights on PostgreSQL: the program can do all of its work with them, and a reader sees what is open and no more."""

import uuid
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from resources.grants import PROGRAM, READER, SETTLEMENT, grants, readable, ungranted
from resources.warehouse import Warehouse
from tests.money.shapes import Shape
from tests.region import Region, quick
from zio_pipeline.contracts import products
from zio_pipeline.errors import WarehouseError
from zio_pipeline.stages.verifying import verify

As = Callable[[str], str]


@pytest.fixture
def logged_in(postgres_url: str) -> Iterator[As]:
    """Per role the URL of a schema with tables and rights; the roles have names of their own and are gone afterwards."""
    owner, mark = Warehouse(postgres_url), uuid.uuid4().hex
    owner.create()
    roles = {role: f"{role}_{mark}" for role in (PROGRAM, READER, SETTLEMENT)}
    schema = str(make_url(postgres_url).query["options"]).removeprefix("-csearch_path=")
    run(owner, *(f"CREATE ROLE {name}" for name in roles.values()), *(named(one, roles) for one in grants(schema)))

    def url(role: str) -> str:
        options = {"options": f"-csearch_path={schema} -crole={roles[role]}"}
        return make_url(postgres_url).update_query_dict(options).render_as_string(hide_password=False)

    yield url
    for name in roles.values():
        run(owner, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def named(statement: str, roles: dict[str, str]) -> str:
    for role, name in roles.items():
        statement = statement.replace(role, name)
    return statement


def run(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.database.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


def may(url: str, statement: str) -> bool:
    try:
        with Warehouse(url).database.writing() as connection:
            connection.execute(text(statement))
    except (ProgrammingError, WarehouseError) as error:
        assert "permission denied" in str(error)
        return False
    return True


def test_every_table_is_named() -> None:
    assert ungranted() == []


def test_the_program_does_its_work_with_its_rights_alone(logged_in: As, tmp_path: Path) -> None:
    with quick():
        region = Region(tmp_path, logged_in(PROGRAM))
        region.deliver(Shape().year())
        region.establish(date(2025, 8, 1))
        region.bill_and_publish(date(2025, 9, 3))
        region.deliver(Shape().priced("LP", 61_00).year())
        region.establish(date(2025, 9, 10), reason="parameterfout")
        region.bill_and_publish(date(2025, 9, 12))
        assert verify(region.home) == []
    for statement in ("DELETE FROM documents", "UPDATE year_closures SET detail = ''", "DELETE FROM register_chain"):
        assert not may(logged_in(PROGRAM), statement)


def test_the_general_reader_reads_what_is_open_and_settlement_everything(logged_in: As) -> None:
    for name, dataset in products().items():
        opened = readable(dataset)
        for column in (c.name for c in dataset.columns):
            query = f'SELECT "{column}" FROM {name}'
            assert may(logged_in(READER), query) is (column in opened), query
        assert may(logged_in(SETTLEMENT), f"SELECT * FROM {name}")
    for statement in ("SELECT * FROM documents", "DELETE FROM terms", "SELECT * FROM vault_manifest"):
        assert not may(logged_in(READER), statement)
    assert may(logged_in(SETTLEMENT), "SELECT * FROM documents")
    assert not may(logged_in(SETTLEMENT), "DELETE FROM terms")


def test_no_restricted_column_is_open_and_no_table_with_restricted_amounts() -> None:
    for name, dataset in products().items():
        closed: set[Any] = {c.name for c in dataset.columns if c.classification in ("restricted", "personal")}
        assert not closed & set(readable(dataset))
        assert "amount_cents" not in closed or readable(dataset) == [], name
    assert readable(products()["municipal_shares"])
    assert "invoice_number" not in readable(products()["claim_lines"])
    assert readable(products()["share_details"]) == []
