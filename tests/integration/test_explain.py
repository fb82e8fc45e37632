"""Every line of the demo year goes back to pupils, hours, tariff and clause, and adds up (SPEC section 6, explain)."""

import re
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from assets.explain import explained_documents
from resources.dagster_home import HomeResource
from tests.integration.conftest import SCHOOL_YEAR, SettledYear
from tests.integration.test_privacy import leaks, personal_values, written_bytes
from zio_pipeline.cli import main
from zio_pipeline.errors import EstablishmentBlocked, NotProved
from zio_pipeline.explain.nodes import Given, walk
from zio_pipeline.stages import explaining


def explain(year: SettledYear, *arguments: str) -> int:
    return main(["--home", str(year.folder), "explain", *arguments])


def test_every_line_of_the_year_is_explained_and_adds_up(settled_year: SettledYear):
    explained = explaining.open_explainer(settled_year.home, SCHOOL_YEAR)
    assert len(explained.documents) > 100
    for number, document in explained.documents.items():
        tree = explained.document(number)
        assert [line.value for line in tree.parts] == [line.amount_cents for line in document.lines]
        assert all(node.adds_up for node in walk(tree))


def test_every_share_is_explained_down_to_the_pupils_who_were_counted(settled_year: SettledYear):
    """Also what no document carries, and one leaf per pupil in the key."""
    home = settled_year.home
    explained = explaining.open_explainer(home, SCHOOL_YEAR, pseudonyms=True)
    pupils = set()
    for row in home.warehouse.rows("municipal_shares", school_year=SCHOOL_YEAR):
        tree = explained.share(row["order_id"], row["stream"], row["payer"])
        assert tree.value == row["amount_cents"]
        pupils |= {
            n.label for n in walk(tree) if n.label.startswith("Leerling ") and isinstance(n.how, Given) and n.value == 1
        }
    counted = sum(row["pupils_counted"] for row in home.warehouse.rows("doelgroep_budgets", school_year=SCHOOL_YEAR))
    assert len(pupils) == counted


def test_the_command_prints_a_document_without_pseudonyms(
    settled_year: SettledYear, capsys: pytest.CaptureFixture[str]
):
    document = next(d for d in settled_year.home.ledger.posted(SCHOOL_YEAR) if len(d.lines) > 1)
    assert explain(settled_year, document.number) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("VERTROUWELIJK")
    assert document.number in shown
    assert not re.search(r"Leerling [0-9a-f]{8}|leerlingen-[0-9a-f]+:", shown)
    assert explain(settled_year, document.number, "--vault") == 0
    assert "persoonsgegevens" in capsys.readouterr().out


def test_the_command_prints_a_share(settled_year: SettledYear, capsys: pytest.CaptureFixture[str]):
    row = settled_year.home.warehouse.rows("municipal_shares", school_year=SCHOOL_YEAR)[0]
    share = (row["order_id"], row["stream"], row["payer"])
    assert explain(settled_year, "--share", *share, "--school-year", SCHOOL_YEAR) == 0
    assert f"Jaarbedrag van {row['payer']}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Noem een documentnummer, of --share"),
        (("X-1", "--share", "LP", "jeugdwet", "0855"), "Noem een documentnummer, of --share"),
        (("--share", "LP", "jeugdwet", "0855"), "Noem bij --share ook het schooljaar"),
        (("X-1",), "Document X-1 staat niet in het grootboek"),
        (("--share", "X", "jeugdwet", "0855", "--school-year", SCHOOL_YEAR), "heeft geen regel 'X, jeugdwet, 0855'"),
        (("--share", "LP", "jeugdwet", "0855", "--school-year", "2024-2025"), "nog niet vastgesteld"),
    ],
)
def test_the_command_says_what_is_wrong(
    settled_year: SettledYear, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
):
    assert explain(settled_year, *arguments) == 1
    assert said in capsys.readouterr().err


def test_the_asset_writes_a_file_per_document_and_shows_counts_only(small_year: SettledYear, tmp_path: Path):
    home = replace(small_year.home, folder=tmp_path)  # the files go elsewhere: the settled year is only read

    class Elsewhere(HomeResource):
        def open(self):
            return home

    result = dg.materialize([explained_documents], partition_key=SCHOOL_YEAR, resources={"home": Elsewhere()})
    assert result.success
    (event,) = result.asset_materializations_for_node("explained_documents")
    posted = home.ledger.posted(SCHOOL_YEAR)
    assert event.metadata["documenten"].value == len(posted)
    assert event.metadata["regels"].value == sum(len(d.lines) for d in posted)
    folder = tmp_path / "outbox" / SCHOOL_YEAR / "vertrouwelijk" / "uitleg"
    assert {path.stem for path in folder.iterdir()} == {d.number for d in posted}
    contents = written_bytes(tmp_path)
    assert len(contents) == len(posted)
    assert leaks(contents, personal_values(small_year.inbox)) == []
    before = {path: path.read_bytes() for path in folder.iterdir()}
    explaining.write_explanations(home, SCHOOL_YEAR)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_table_that_nobody_signed_for_is_not_explained(settled_year: SettledYear, monkeypatch: pytest.MonkeyPatch):
    honest = explaining.trusted_rows

    def forged(home, name, **scope):
        rows = honest(home, name, **scope)
        return [row | {"amount_cents": row["amount_cents"] + 1} for row in rows] if name == "terms" else rows

    monkeypatch.setattr(explaining, "trusted_rows", forged)
    with pytest.raises(NotProved, match="Wijkt af van wat is vastgesteld"):
        explaining.open_explainer(settled_year.home, SCHOOL_YEAR)


def test_a_year_that_is_not_established_has_nothing_to_explain(settled_year: SettledYear):
    with pytest.raises(EstablishmentBlocked, match="er is niets uit te leggen"):
        explaining.write_explanations(settled_year.home, "2024-2025")
