"""Auditing what came in: once per content, beside the delivery before it, with a verdict and a page that outlive the run."""

import json
import re
import stat
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from assets.intake import accepted_sources
from resources.dagster_home import HomeResource
from resources.home import Home
from tests.intake.files import csv_of, indication, line, pupil, school_class, setup_sheets, xlsx_bytes
from zio_pipeline.audit import Drift, drift_hash
from zio_pipeline.audit.pages import NOT_APPLICABLE
from zio_pipeline.contracts import sources
from zio_pipeline.errors import NotProved
from zio_pipeline.intake import PARSER_VERSION, Delivery, take_in
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.orchestration.outcomes import drift_outcome
from zio_pipeline.stages import auditing, publishing
from zio_pipeline.stages.auditing import audit_deliveries, compared, data_docs, write_data_docs
from zio_pipeline.stages.standing import vault_stem
from zio_pipeline.stages.verdicts import details_of, paged_details

SECRET = "GEHEIM-4711"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "zio", {})


@pytest.fixture
def comparing_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is about the delivery before: no audit of the contract and no pages, which take most of the time."""
    monkeypatch.setattr(auditing, "_audit", lambda *_: None)
    monkeypatch.setattr(auditing, "write_data_docs", lambda _: None)


def entry_of(home: Home, delivery: Delivery) -> ManifestEntry:
    """What receiving registers of a delivery."""
    known = {
        field.name: getattr(delivery, field.name) for field in fields(ManifestEntry) if hasattr(delivery, field.name)
    }
    own = {"parser_version": PARSER_VERSION, "key_id": home.keys.key_id, "received_on": date(2025, 8, 20)}
    return ManifestEntry(**known, **own)


def keep(home: Home, delivery: Delivery) -> None:
    """Into the vault, as receiving does before the audit."""
    for dataset, table in delivery.accepted.items():
        home.vault.put(f"{vault_stem(entry_of(home, delivery))}-{dataset}", table)


def register(home: Home, *deliveries: Delivery) -> None:
    for delivery in deliveries:
        keep(home, delivery)
        home.warehouse.register(entry_of(home, delivery))


def received(home: Home, *deliveries: Delivery) -> list[Drift]:
    """Audit deliveries that are offered together and register them; what was found of each."""
    audit_deliveries(home, deliveries)
    register(home, *deliveries)
    return [found(home, delivery) for delivery in deliveries]


def found(home: Home, delivery: Delivery) -> Drift:
    outcome = compared(home, entry_of(home, delivery))
    assert outcome is not None
    return outcome.drift


def timesheet(home: Home, month: int, lines: int, school: str = "02ZX00", first: int = 1) -> Delivery:
    rows = [line(n, datum=f"{1 + n % 28:02d}-{month:02d}-2025", vestiging=school) for n in range(first, first + lines)]
    return good(take_in(csv_of(*rows), home.keys))


def pupil_file(home: Home, numbers: Sequence[int], **changes: str) -> Delivery:
    return good(take_in(csv_of(*(pupil(n, klas=f"SO-{n % 3}", **changes) for n in numbers)), home.keys))


def good(delivery: Delivery) -> Delivery:
    assert delivery.status == "accepted", delivery.reason
    return delivery


FEW, MANY = range(5), range(7)


def test_every_content_is_audited_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a source without keys as one batch, a workbook sheet by sheet; a second time nothing at all."""
    asked: list[tuple[str, int]] = []
    audit = publishing.audit

    def counted(dataset, rows, minimum_rows):
        asked.append((dataset.name, rows.num_rows))
        return audit(dataset, rows, minimum_rows)

    monkeypatch.setattr(publishing, "audit", counted)
    setup = good(take_in(xlsx_bytes(setup_sheets()), home.keys))
    deliveries = [setup, timesheet(home, 9, 4), timesheet(home, 10, 3)]
    audit_deliveries(home, deliveries)
    assert asked[0] == ("provider_timesheets", 7)
    assert {name for name, _ in asked[1:]} == {dataset.name for dataset in sources()["school_year_setup"].datasets}
    asked.clear()
    monkeypatch.setattr(auditing, "render", lambda _: pytest.fail("every page is there"))
    audit_deliveries(home, deliveries)
    assert asked == []


@pytest.mark.usefixtures("comparing_only")
def test_a_month_is_compared_with_the_nearest_earlier_one(home: Home) -> None:
    (september,) = received(home, timesheet(home, 9, 40))
    assert (september.previous, september.deviations) == (None, ())
    november, later = timesheet(home, 11, 9), timesheet(home, 12, 30)
    outcome, december = received(home, november, later)
    assert outcome.deviations[0] == "Het aantal rijen is 78 % lager dan in de vorige aanlevering (van 40 naar 9)."
    assert december.previous == november.label, "files that are offered together have an order of their own"
    (october,) = received(home, timesheet(home, 10, 41))
    assert october.previous == september.label, "a later month is no earlier delivery, however long it has been here"
    assert october.deviations == ()


@pytest.mark.usefixtures("comparing_only")
def test_what_was_offered_in_an_earlier_portion_counts_too(home: Home) -> None:
    """A great many files are taken in some at a time; none of them is registered before all have been read."""
    september, october = timesheet(home, 9, 20), timesheet(home, 10, 20)
    keep(home, september)
    audit_deliveries(home, [september])
    audit_deliveries(home, [october], earlier=[entry_of(home, september)])
    assert found(home, october).previous == september.label


@pytest.mark.usefixtures("comparing_only")
def test_a_redelivery_is_compared_with_what_it_takes_the_place_of(home: Home) -> None:
    first, second = timesheet(home, 9, 20), timesheet(home, 9, 21)
    received(home, first, timesheet(home, 10, 50))
    (again,) = received(home, second)
    assert again.previous == first.label
    (third,) = received(home, timesheet(home, 9, 22))
    assert third.previous == second.label


@pytest.mark.usefixtures("comparing_only")
def test_another_school_or_a_refused_file_is_no_earlier_delivery(home: Home) -> None:
    refused = replace(timesheet(home, 9, 20), status="refused")
    received(home, timesheet(home, 9, 20, school="01FX00"))
    register(home, refused)
    (outcome,) = received(home, timesheet(home, 10, 20))
    assert outcome.previous is None


@pytest.mark.usefixtures("comparing_only")
def test_a_file_whose_rows_were_removed_is_no_earlier_delivery(home: Home) -> None:
    received(home, timesheet(home, 9, 20))
    home.vault.sweep(set())
    (outcome,) = received(home, timesheet(home, 10, 20))
    assert outcome.previous is None


@pytest.mark.usefixtures("comparing_only")
def test_the_same_bytes_read_again_are_not_compared_with_themselves(home: Home) -> None:
    delivery = timesheet(home, 9, 20)
    home.warehouse.register(replace(entry_of(home, delivery), parser_version="0"))
    (outcome,) = received(home, delivery)
    assert outcome.previous is None


def test_a_drift_stops_nothing_and_is_kept(home: Home) -> None:
    before, now = pupil_file(home, range(8)), pupil_file(home, [*range(8), *range(9, 32)])
    received(home, before)
    (outcome,) = received(home, now)
    sentence = "Het aantal rijen is 288 % hoger dan in de vorige aanlevering (van 8 naar 31)."
    assert outcome.deviations[0] == sentence
    assert home.warehouse.verdict("pupil_registrations", now.content_sha256, drift_hash()) is False
    detail = details_of(home, "pupil_registrations", drift_hash())[now.content_sha256]
    assert detail["drift"]["previous"] == before.label
    page = compared(home, entry_of(home, now)).page
    assert sentence in page.read_text("utf-8").replace("\u00a0", " ")


@pytest.mark.usefixtures("comparing_only")
def test_a_workbook_is_compared_sheet_by_sheet(home: Home) -> None:
    classes = [school_class(f"SO-{number}") for number in range(20)]
    few, many = (good(take_in(xlsx_bytes(setup_sheets(classes=some)), home.keys)) for some in (classes[:5], classes))
    received(home, few)
    (outcome,) = received(home, many)
    assert outcome.deviations[0].startswith("Blad klassen: Het aantal rijen is 300 % hoger")
    assert {change.table for change in outcome.changes} > {"klassen", "scholen"}


def broken(delivery: Delivery) -> Delivery:
    """A delivery of which intake accepted what it should not have."""
    table = delivery.accepted["pupil_registrations"]
    place = table.column_names.index("school")
    return replace(
        delivery,
        accepted={"pupil_registrations": table.set_column(place, "school", pa.array([SECRET] * table.num_rows))},
    )


def test_accepted_rows_that_break_their_contract_stop_everything(home: Home) -> None:
    delivery = broken(pupil_file(home, FEW))
    for words in (r"form \(school\): 5 rijen", "eerder mislukt"):
        with pytest.raises(NotProved, match=words):
            audit_deliveries(home, [delivery])
    (page,) = (path for path in data_docs(home).iterdir() if path.name != "index.html")
    text = page.read_text("utf-8")
    assert "5 rijen wijken af" in text
    assert compared(home, entry_of(home, delivery)) is None


def test_no_value_and_no_name_of_a_file_is_kept(home: Home) -> None:
    delivery = broken(pupil_file(home, FEW))
    with pytest.raises(NotProved):
        audit_deliveries(home, [delivery])
    kept = [path.read_bytes() for path in data_docs(home).iterdir()] + [json.dumps(paged_details(home)).encode()]
    assert b"form" in kept[-1]
    for content in [*kept, (home.folder / "warehouse.db").read_bytes()]:
        assert SECRET.encode() not in content
        assert b"5022KE" not in content


def test_the_pages_are_for_the_owner_only_and_need_no_network(home: Home) -> None:
    received(home, timesheet(home, 9, 5))
    received(home, timesheet(home, 10, 5), timesheet(home, 11, 5))
    folder = data_docs(home)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 3
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not re.search(r"https?://", path.read_text("utf-8"))
    linked = set(re.findall(r'href="([^"#]+)"', (folder / "index.html").read_text("utf-8")))
    assert linked == set(names)


def test_a_page_that_is_missing_is_made_again_out_of_the_verdicts(home: Home) -> None:
    received(home, timesheet(home, 9, 5))
    before = {path.name: path.read_bytes() for path in data_docs(home).iterdir()}
    for path in data_docs(home).iterdir():
        path.unlink()
    assert write_data_docs(home) == data_docs(home) / "index.html"
    assert {path.name: path.read_bytes() for path in data_docs(home).iterdir()} == before


def test_without_deliveries_there_are_no_pages(home: Home) -> None:
    audit_deliveries(home, [])
    assert not data_docs(home).exists()


# --- what Dagster shows ---------------------------------------------------------------------------------------------------


def materialised(home: Home, source: str, partition: str) -> dg.ExecuteInProcessResult:
    definitions = [asset for asset in accepted_sources if dg.AssetKey(source) in asset.keys]
    resources = {"home": HomeResource(folder=str(home.folder))}
    return dg.materialize(
        definitions, partition_key=partition, resources=resources, instance=dg.DagsterInstance.ephemeral()
    )


def test_a_source_shows_its_drift_as_a_warning_and_its_page(home: Home) -> None:
    received(home, timesheet(home, 9, 40))
    received(home, timesheet(home, 10, 9))
    result = materialised(home, "provider_timesheets", "2025-10")
    assert result.success
    (check,) = (c for c in result.get_asset_check_evaluations() if c.check_name == "afwijking")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "Het aantal rijen is 78 % lager" in check.description
    assert (check.metadata["rijen vorige aanlevering"].value, check.metadata["rijen"].value) == (40, 9)
    (event,) = result.asset_materializations_for_node("provider_timesheets")
    assert Path(event.metadata["data docs"].value).is_file()


def test_a_source_with_several_pages_links_their_list(home: Home) -> None:
    received(home, pupil_file(home, FEW))
    received(home, pupil_file(home, MANY, vestiging="01FX00"))
    (event,) = materialised(home, "pupil_registrations", "2025-2026").asset_materializations_for_node(
        "pupil_registrations"
    )
    assert Path(event.metadata["data docs"].value) == data_docs(home) / "index.html"


def test_nothing_to_compare_is_said_and_not_merely_passed(home: Home) -> None:
    received(home, good(take_in(csv_of(*(indication(n) for n in FEW)), home.keys)))
    (check,) = (
        c
        for c in materialised(home, "wlz_statuses", "2025-2026").get_asset_check_evaluations()
        if c.check_name == "afwijking"
    )
    assert check.passed
    assert check.description == NOT_APPLICABLE
    assert (check.metadata["bestanden"].value, check.metadata["vergeleken"].value) == (1, 0)


def test_a_file_that_was_never_compared_does_not_pass() -> None:
    result = drift_outcome([None, Drift("a", None, ())])
    assert not result.passed
    assert result.description == "Van 1 bestand(en) is geen vergelijking vastgelegd."
