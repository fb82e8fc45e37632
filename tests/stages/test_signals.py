"""Signals, missing weeks and messages on the real stores: what was planted in the demo year is found, and nothing told twice."""

import argparse
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from assets import hour_signals
from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from resources.notifier import LogNotifier
from tests.intake.files import csv_of
from tests.intake.files import line as timesheet_line
from tests.region import quick
from tests.year_builder import DE_BODDE, LEIJPARK
from zio_pipeline.cli.commands import export
from zio_pipeline.cli.parsing import school_year
from zio_pipeline.cli.signals import add_to
from zio_pipeline.contracts import products
from zio_pipeline.demo import DemoYear, generate
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.orchestration.partitions import SCHOOL_YEARS, year_of
from zio_pipeline.stages import establishing, faces, hours, receiving, signals
from zio_pipeline.stages.standing import accepted_table
from zio_pipeline.stages.timesheets import TIMESHEETS, months_of
from zio_pipeline.stages.withdrawing import withdraw

YEAR = "2025-2026"
JULY, AFTER = date(2025, 7, 15), date(2026, 8, 11)
SEPTEMBER, OCTOBER = "2025-09", "2025-10"
Rows = list[dict[str, Any]]


@dataclass
class Told:
    """A notifier that keeps what it was told, or is out of order."""

    works: bool = True
    messages: list[str] = field(default_factory=list)
    channel: str = "mail"

    def send(self, subject: str, body: str) -> bool:
        if self.works:
            self.messages.append(f"{subject}\n{body}")
        return self.works


@dataclass(frozen=True)
class Standing:
    """The demo year, established, with signals and missing weeks published (and audited) after its end."""

    home: Home
    demo: DemoYear
    signals: Rows
    missing: Rows


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    folder = tmp_path_factory.mktemp("hours") / "home"
    with quick():
        home = Home.open(folder, {})
        demo = generate(home.inbox, YEAR, 60, 5)
        receiving.receive(home, home.inbox, JULY)
        assert establishing.establish_if_fictitious(home, YEAR, JULY)
    found = signals.publish_hour_signals(home, YEAR, AFTER)
    return Standing(home, demo, found, signals.publish_missing(home, YEAR, AFTER))


@pytest.fixture
def audited(tmp_path: Path, standing: Standing) -> Home:
    """A copy to write in."""
    shutil.copytree(standing.home.folder, tmp_path / "home")
    return Home.open(tmp_path / "home", {})


@pytest.fixture
def home(audited: Home) -> Iterator[Home]:
    """The same, and nothing is audited."""
    with quick():
        yield audited


def of_kind(rows: Sequence[dict[str, Any]], kind: str) -> Rows:
    return [row for row in rows if row["kind"] == kind]


def rows_of(planted: Sequence[str]) -> set[str]:
    """The row numbers of what was planted, as `file:row`."""
    return {place.rpartition(":")[2] for place in planted}


@pytest.mark.parametrize(
    ("case", "kind", "month"),
    [
        ("hours_weekend", "outside_open_days", "2025-10"),
        ("hours_line_twice", "duplicate_line", "2025-11"),
        ("hours_over_twelve", "over_twelve_hours", "2025-12"),
        ("hours_unknown_class", "unknown_class", "2026-02"),
    ],
)
def test_a_planted_line_is_found_and_no_other(standing: Standing, case: str, kind: str, month: str) -> None:
    found = of_kind(standing.signals, kind)
    assert {(row["month"], row["school"]) for row in found} == {(month, LEIJPARK)}
    named = {ref.rpartition(":")[2] for row in found for ref in row["row_refs"].split(", ")}
    assert rows_of(standing.demo.planted[case]) <= named
    assert {row["line_count"] for row in found} <= {1, 2}, "with the planted line at most the one it was copied from"


def test_two_classes_at_once_is_found_where_begin_and_end_are_known(standing: Standing) -> None:
    """The line of the unknown class in February was copied from a real one: somebody is in two classes at once."""
    known = rows_of(standing.demo.planted["hours_unknown_class"])
    found = [row for row in of_kind(standing.signals, "two_classes_at_once") if row["month"] == "2026-02"]
    (unknown,) = [row for row in found if row["class_code"] == "onbekend"]
    assert {unknown["row_refs"].rpartition(":")[2]} == known
    assert len(found) == 2


def test_the_missing_week_is_owed_by_its_provider(standing: Standing) -> None:
    (planted,) = standing.demo.planted["hours_missing_week"]
    owed = {(row["school"], row["class_code"], row["week"]) for row in standing.missing if row["step"] == "hand_in"}
    assert tuple(planted.split()) in owed


def take_out(home: Home, *months: str) -> None:
    """As if nobody had handed in these months."""
    for month in months:
        while files := [e for e in home.warehouse.active(TIMESHEETS, YEAR) if month in months_of(e)]:
            withdraw(home, files[0].label, "beheerder", "verkeerd bestand", AFTER)


def test_a_month_that_was_never_handed_in_is_missing_and_overdue(home: Home) -> None:
    assert signals.overdue(home, YEAR, AFTER) == []
    take_out(home, "2025-08", "2026-07")
    missing = signals.publish_missing(home, YEAR, AFTER)
    assert {row["month"] for row in missing if row["step"] == "hand_in"} >= {"2025-08", "2026-07"}
    late = signals.overdue(home, YEAR, AFTER)
    assert {(school, month) for _, school, month in late} == {
        (school, month) for school in (LEIJPARK, DE_BODDE) for month in ("2025-08", "2026-07")
    }
    assert {month for _, _, month in signals.overdue(home, YEAR, date(2026, 8, 10))} == {"2025-08"}


def test_what_is_published_is_what_was_found_and_again_the_same(standing: Standing, home: Home) -> None:
    assert home.warehouse.rows("hour_signals", school_year=YEAR) == sorted(
        standing.signals, key=lambda row: row["signal_id"]
    )
    before = home.warehouse.rows("hour_signals", school_year=YEAR)
    again = signals.publish_hour_signals(home, YEAR, AFTER, "2025-11")
    assert home.warehouse.rows("hour_signals", school_year=YEAR) == before
    assert {row["month"] for row in again} == {"2025-11"}


def test_a_month_of_another_year_and_a_year_without_signatures(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ZioError, match="2024-09 valt niet in schooljaar 2025-2026"):
        signals.publish_hour_signals(home, YEAR, AFTER, "2024-09")
    empty = Home.open(tmp_path / "empty", {})
    with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
        signals.publish_missing(empty, YEAR, AFTER)


def test_a_state_is_told_once_per_channel(home: Home) -> None:
    first = Told()
    sent = signals.notify(home, YEAR, AFTER, first).sent
    assert len(first.messages) == len(sent) == len({alert.month for alert in sent}) > 1
    assert all(message.startswith("[fictief] ") for message in first.messages)
    assert signals.notify(home, YEAR, date(2026, 8, 12), first) == signals.Notified([], [])
    assert len(first.messages) == len(sent)
    assert {row["sent_on"] for row in home.warehouse.rows("alerts", school_year=YEAR)} == {AFTER}
    assert len(signals.notify(home, YEAR, AFTER, LogNotifier()).sent) == len(sent), "another channel was not told yet"


def test_what_could_not_be_sent_is_tried_again(home: Home) -> None:
    broken = Told(works=False)
    told = signals.notify(home, YEAR, AFTER, broken, OCTOBER)
    assert ([alert.month for alert in told.failed], told.sent) == ([OCTOBER], [])
    assert home.warehouse.rows("alerts", school_year=YEAR) == []
    broken.works = True
    told = signals.notify(home, YEAR, AFTER, broken, OCTOBER)
    assert ([alert.month for alert in told.sent], told.failed) == ([OCTOBER], [])


def test_a_state_that_comes_back_is_told_again(home: Home) -> None:
    """October is not well; its weeks come in; they are withdrawn again. Every change is told, once."""
    told, rows = Told(), home.warehouse.rows("missing_statements", school_year=YEAR)
    others = [row for row in rows if row["month"] != OCTOBER]
    assert len(others) < len(rows)
    assert home.warehouse.rows("hour_signals", school_year=YEAR, month=OCTOBER, severity="serious") == []
    for missing in (rows, rows, others, others, rows, rows):
        signals.publish(home, {"missing_statements": missing}, {"school_year": YEAR})
        signals.notify(home, YEAR, AFTER, told, OCTOBER)
    first, well, again = told.messages
    assert well.startswith(f"[fictief] ZiO uren {OCTOBER}: weer in orde")
    assert first == again
    assert "niet ingeleverd" in first or "niet akkoord" in first
    kept = home.warehouse.rows("alerts", school_year=YEAR)
    assert [(row["sequence"], row["missing_weeks"]) for row in kept] == [
        (1, len(rows) - len(others)),
        (2, 0),
        (3, len(rows) - len(others)),
    ]


def test_who_looks_back_tells_nobody_that_all_is_well(home: Home) -> None:
    """In October nothing of October was overdue yet; what was told in August stands. A month never told of is told as ever."""
    told = Told()
    signals.notify(home, YEAR, AFTER, told, OCTOBER)
    assert len(told.messages) == 1
    before, rows = date(2025, 10, 5), home.warehouse.rows("alerts", school_year=YEAR)
    missing = home.warehouse.rows("missing_statements", school_year=YEAR)
    signals.publish(
        home, {"missing_statements": [row for row in missing if row["month"] != OCTOBER]}, {"school_year": YEAR}
    )
    assert signals.notify(home, YEAR, before, told, OCTOBER) == signals.Notified([], [])
    assert home.warehouse.rows("alerts", school_year=YEAR) == rows
    assert OCTOBER in {alert.month for alert in signals.notify(home, YEAR, AFTER, told).sent}, (
        "on the same day it is news"
    )
    other = Told(channel="log")
    signals.publish(home, {"missing_statements": missing}, {"school_year": YEAR})
    assert [alert.month for alert in signals.notify(home, YEAR, before, other, OCTOBER).sent] == [OCTOBER]


def test_a_month_of_which_nothing_was_told_is_not_called_well_again(home: Home) -> None:
    told = Told()
    signals.publish(home, {"missing_statements": []}, {"school_year": YEAR})
    signals.notify(home, YEAR, AFTER, told, OCTOBER)
    assert told.messages == []


def pseudonyms(home: Home) -> set[str]:
    source = "provider_timesheets"
    tables = [accepted_table(home, entry, source) for entry in home.warehouse.active(source, YEAR)]
    return {name for table in tables for name in table["employee"].unique().to_pylist()}


def test_nobody_is_named_in_a_table_or_a_message(home: Home, standing: Standing) -> None:
    told = Told()
    signals.notify(home, YEAR, AFTER, told)
    people = pseudonyms(home)
    assert len(people) > 10
    text = repr((standing.signals, standing.missing, home.warehouse.rows("alerts"), told.messages))
    assert not [name for name in people if name in text]


# --- Dagster and the command ----------------------------------------------------------------------------------------------


def materialize(
    home: Home, name: str, key: str, notifier: Any = None, as_of: str = "2026-08-11"
) -> dg.ExecuteInProcessResult:
    asset = {"hour_signals": hour_signals.hour_signals, "missing_statements": hour_signals.missing_statements}
    asset["alerts"] = hour_signals.hour_alerts
    resources = {"home": HomeResource(folder=str(home.folder)), "clock": ClockResource(fixed=as_of)}
    return dg.materialize(
        [asset[name]], partition_key=key, resources=resources | {"notifier": notifier or Told()}, raise_on_error=False
    )


def checks(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_the_assets_publish_and_warn(standing: Standing, audited: Home) -> None:
    home = audited
    made = materialize(home, "hour_signals", "2025-11")
    assert made.success
    serious = checks(made)["ernstige_signalen"]
    assert (serious.passed, serious.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "Dubbele regels: aanbieder " in serious.description
    told_of = [row for row in standing.signals if row["month"] == "2025-11" and row["severity"] == "serious"]
    assert not [
        row for row in told_of if row["explanation"] in serious.description or row["week"] in serious.description
    ]
    assert checks(materialize(home, "hour_signals", SEPTEMBER))["ernstige_signalen"].passed

    owed = checks(materialize(home, "missing_statements", YEAR))
    assert {name: check.passed for name, check in owed.items() if name != "contract"} == {
        "ingeleverd": False,
        "akkoord_school": False,
        "doorgestuurd": True,
    }
    assert owed["contract"].passed
    assert standing.demo.planted["hours_missing_week"][0].split()[2] in owed["ingeleverd"].description
    assert f"(vestiging {LEIJPARK})" in owed["ingeleverd"].description

    told = Told()
    sent = checks(materialize(home, "alerts", YEAR, told))["berichten_verzonden"]
    assert sent.passed
    assert told.messages
    before = len(told.messages)
    assert materialize(home, "alerts", YEAR, told).success
    assert len(told.messages) == before

    failing = materialize(home, "alerts", YEAR, Told(works=False, channel="log"))
    assert failing.success, "a mail server never stops a run"
    sent = checks(failing)["berichten_verzonden"]
    assert (sent.passed, sent.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert sent.metadata["bevindingen"].value == before
    assert "Niet verzonden, volgende keer opnieuw: [fictief] ZiO uren" in sent.description


def in_time(home: Home, as_of: str) -> Any:
    job = dg.Definitions(
        asset_checks=[hour_signals.timesheets_in_time],
        jobs=[dg.define_asset_job("tijdig", dg.AssetSelection.all_asset_checks())],
        resources={"home": HomeResource(folder=str(home.folder)), "clock": ClockResource(fixed=as_of)},
    ).resolve_job_def("tijdig")
    return checks(job.execute_in_process())["op_tijd"]


def test_a_month_that_is_late_is_a_warning_on_the_timesheets(home: Home) -> None:
    take_out(home, "2025-08", "2026-07")
    in_september = in_time(home, "2025-09-10")
    assert in_september.passed
    late = in_time(home, "2025-09-11")
    assert (late.passed, late.severity, late.metadata["bevindingen"].value) == (False, dg.AssetCheckSeverity.WARN, 2)
    assert f"de urenstaat van 2025-08 voor vestiging {LEIJPARK} is te laat" in late.description
    for day in ("2026-08-31", "2026-09-30"):
        assert in_time(home, day).metadata["bevindingen"].value == 4, "July is looked at until the end of September"
    next_year = in_time(home, "2026-10-01")
    assert next_year.passed
    assert next_year.description == (
        "Er is niets te laat. Schooljaar 2026-2027 is niet vastgesteld: daarvan is nog niets te laat."
    )


@pytest.mark.parametrize(
    ("day", "years"),
    [
        (date(2026, 7, 31), ["2025-2026"]),
        (date(2026, 8, 1), ["2025-2026"]),
        (date(2026, 9, 1), ["2025-2026", "2026-2027"]),
        (date(2026, 9, 30), ["2025-2026", "2026-2027"]),
        (date(2026, 10, 1), ["2026-2027"]),
        (date(2027, 1, 31), ["2026-2027"]),
    ],
    ids=str,
)
def test_the_years_of_the_two_months_before_are_looked_at(day: date, years: list[str]) -> None:
    assert hour_signals._years_in_course(day) == years


def test_a_month_is_held_against_the_months_before_it() -> None:
    mapped = hour_signals.earlier_months.downstream_partition_keys_by_upstream_partition_key
    for year in SCHOOL_YEARS:
        for month in year.months():
            later = mapped[month]
            assert later == {other for other in year.months() if other >= month}
            assert {year_of(other) for other in later} == {year.key}


SECRET = "Sanne Jansen 12-03-2015"


def test_a_name_in_the_column_klas_never_leaves_the_vault(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender who writes a pupil where the class belongs: in no table, export, message, check or screen."""
    monkeypatch.setattr(receiving, "audit_deliveries", lambda *_, **__: None)
    monkeypatch.delenv("ZIO_SMTP_HOST", raising=False)
    provider = next(order.provider for order in hours.hours_year(home, YEAR).setup.orders if order.school == LEIJPARK)
    row = {"agb": provider, "vestiging": LEIJPARK, "klas": SECRET, "uren": "7"}
    week = [timesheet_line(1, **row, datum=f"{day:02}-07-2026") for day in (6, 7, 7, 8, 9, 10)]
    (home.inbox / "uren.csv").write_bytes(csv_of(*week))
    (file,) = [one for one in receiving.receive(home, home.inbox, AFTER) if one.name == "uren.csv"]
    assert file.status == "accepted"
    entries = home.warehouse.active("provider_timesheets", YEAR)
    kept = [code for e in entries for code in accepted_table(home, e, "provider_timesheets")["class_code"].to_pylist()]
    assert kept.count(SECRET) == len(week), "in the vault it stands as it was sent"

    told = Told()
    assert zio(home, "signals", "--school-year", YEAR, "--month", "2026-07", "--as-of", "2026-08-11", "--notify") == 0
    signals.notify(home, YEAR, AFTER, told, "2026-07")
    hours.publish_summary(home, YEAR)
    faces.publish_faces(home, YEAR)
    export(home, YEAR)
    found = home.warehouse.rows("hour_signals", school_year=YEAR, month="2026-07", kind="unknown_class")
    assert {row["class_code"] for row in found} == {"onbekend"}
    made = materialize(home, "hour_signals", "2026-07")
    shown = [check.description for check in checks(made).values()]
    exported = [path.read_text() for path in home.outbox.rglob("*.csv")]
    assert len(exported) > 10
    assert any("onbekend" in text for text in exported)
    text = " ".join([*map(str, shown), *told.messages, *exported, capsys.readouterr().out])
    text += str([home.warehouse.rows(name) for name in products()])
    assert "Sanne" not in text
    assert "12-03-2015" not in text


def zio(home: Home, *arguments: str) -> int:
    """`zio` with only these commands."""
    parser = argparse.ArgumentParser()
    parser.set_defaults(home=home.folder)
    subparsers = parser.add_subparsers(required=True)

    def add(name: str, command: Any, help_text: str, *, year: bool = True) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=help_text)
        sub.set_defaults(command=command)
        if year:
            sub.add_argument("--school-year", type=school_year, required=True)
        return sub

    add_to(add)
    args = parser.parse_args(arguments)
    return int(args.command(args, Console(highlight=False, soft_wrap=True, width=200)))


def test_the_command_shows_and_tells(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZIO_SMTP_HOST", raising=False)
    command = ["signals", "--school-year", YEAR, "--month", "2025-11", "--as-of", "2026-08-11"]
    assert zio(home, *command, "--notify") == 0
    shown = capsys.readouterr().out
    assert "dubbele regel" in shown
    assert "de aanbieder neemt de dubbele regels weg" in shown
    assert "telt te veel mee" not in shown
    assert "Ontbreekt (akkoord van de school)" in shown
    assert "Verzonden: [fictief] ZiO uren 2025-11:" in shown
    assert zio(home, *command, "--notify") == 0
    shown = capsys.readouterr().out
    assert "Er was niets nieuws te melden" in shown
    assert "Verzonden" not in shown
