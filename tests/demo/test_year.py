"""The demo year as a whole: taken in, decided and divided by the program, it comes out as the generator meant it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from tests.demo.conftest import Made
from tests.demo.raw import pupils_of, read, setup_rows
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.declarations import monthly_declarations
from zio_pipeline.figures import year_terms
from zio_pipeline.intake import Delivery, rows_with_refs, take_in
from zio_pipeline.payer import PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.privacy import Keys
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.shares import ShareLine, share_lines, split_over_payers

KEYS = Keys(pseudonym_key=b"p" * 32, vault_key=b"v" * 32, key_id="test")

Taken = Mapping[Path, Delivery]


@pytest.fixture(scope="module")
def taken(full: Made) -> Taken:
    return {path: take_in(path.read_bytes(), KEYS) for path in full.year.files}


@pytest.fixture(scope="module")
def setup(taken: Taken) -> SchoolYearSetup:
    (book,) = [d for d in taken.values() if d.source == "school_year_setup"]
    return read_setup({name: table.to_pylist() for name, table in book.accepted.items()})


@pytest.fixture(scope="module")
def outcome(taken: Taken, setup: SchoolYearSetup) -> PayerOutcome:
    def rows(name: str) -> list[dict[str, object]]:
        mine = [d for d in taken.values() if name in d.accepted]
        return [row for d in mine for row in rows_with_refs(d.label, d.accepted[name])]

    return decide_payers(setup, PayerInputs(rows("pupil_registrations"), rows("wlz_statuses"), []))


@pytest.fixture(scope="module")
def lines(setup: SchoolYearSetup, outcome: PayerOutcome) -> list[ShareLine]:
    return share_lines(setup, split_over_payers(setup, doelgroep_budgets(setup), outcome))


def test_only_the_planted_rows_are_quarantined(full: Made, taken: Taken):
    found = {f"{path.name}:{row.row_number}" for path, d in taken.items() for row in d.quarantined}
    assert found == set(full.year.planted["bad_timesheet_rows"])
    assert {d.status for d in taken.values()} == {"accepted", "partly_accepted"}


def test_year_can_be_established(setup: SchoolYearSetup, outcome: PayerOutcome):
    assert outcome.blocking(setup) == []
    assert {signal.reason for signal in outcome.signals} == {
        "turns_18", "left_before_start", "expected_newcomer", "announced", "wlz_granted_afterwards",
    }  # fmt: skip


def test_streams_are_those_the_generator_meant(full: Made, outcome: PayerOutcome):
    found = Counter(decision.stream or "buiten_sleutel" for decision in outcome.decisions)
    meant = {stream: full.year.counts[stream] for stream in found}
    assert found == meant
    assert found.total() == full.year.counts["pupils"]


def test_numbers_are_near_their_targets(full: Made, outcome: PayerOutcome):
    counts = full.year.counts
    assert (counts["pupils"], counts["pupils_02ZX00"], counts["pupils_01FX00"]) == (1030, 640, 390)
    wlz, pgb = counts["wlz_zin"] + counts["wlz_pgb"], counts["wlz_pgb"]
    assert 0.27 < wlz / counts["pupils"] < 0.33
    assert 0.17 < pgb / wlz < 0.23
    emb = [d for d in outcome.decisions if d.doelgroep == "EMB"]
    assert 0.80 < sum(d.stream in ("wlz_zin", "wlz_pgb") for d in emb) / len(emb) < 0.90


def test_outside_municipalities_carry_about_four_percent(lines: list[ShareLine]):
    jeugdwet = [line for line in lines if line.stream == "jeugdwet"]
    outside = sum(line.year_cents for line in jeugdwet if not line.member)
    assert 0.03 < outside / sum(line.year_cents for line in jeugdwet) < 0.05
    assert len({line.payer for line in jeugdwet if not line.member}) >= 9
    assert len({line.payer for line in jeugdwet if line.member}) == 11


def test_ceilings_lie_above_the_shares(full: Made, lines: list[ShareLine]):
    shares = Counter[str]()
    for line in lines:
        shares[line.payer] += line.year_cents
    ceilings = {r["municipality"]: r["commitment_cents"] for r in setup_rows(full.folder, "municipalities")}
    checked = [code for code, ceiling in ceilings.items() if ceiling and shares[code]]
    assert len(checked) >= 3
    assert all(ceilings[code] * 100 > shares[code] for code in checked)


def test_agreed_order_has_a_round_amount(full: Made, setup: SchoolYearSetup):
    (order_id,) = full.year.planted["agreed_round_amount"]
    budgets = [b for b in doelgroep_budgets(setup) if b.order_id == order_id]
    stated = sum(b.budget_cents for b in budgets)
    assert stated == full.year.counts["agreed_cents"]
    assert stated % 10_000_00 == 0
    assert stated != sum(b.computed_cents for b in budgets)


def test_claims_are_what_may_be_declared_but_for_the_planted_faults(
    full: Made, taken: Taken, setup: SchoolYearSetup, lines: list[ShareLine]
):
    """The generator knows the amounts by construction; the core finds the same, to the cent."""
    orders = {(o.provider, o.school): o.order_id for o in setup.orders}
    claimed = Counter[tuple[str, str, str]]()
    for delivery in taken.values():
        for row in delivery.accepted.get("provider_claims", pa.table({})).to_pylist():
            sign = 1 if row["debit_credit"] == "D" else -1
            claimed[orders[row["provider"], row["school"]], row["law"], row["month"]] += sign * row["amount_cents"]
    rows = monthly_declarations(setup, year_terms(setup, lines))
    declared = {(row["order_id"], row["law"], row["month"]): row["amount_cents"] for row in rows}
    (twice,), (july,) = (full.year.planted[case] for case in ("claim_duplicate", "claim_without_term"))
    differing = {place for place in claimed.keys() | declared.keys() if claimed[place] != declared.get(place)}
    assert {" ".join(place) for place in differing} == {twice, july}
    place = tuple(twice.split())
    assert claimed[place] == 2 * declared[place]


def test_delivered_hours_are_near_what_was_granted(full: Made, taken: Taken, setup: SchoolYearSetup):
    direct, approved = direct_minutes(taken)
    for school in ("02ZX00", "01FX00"):
        granted = sum(setup.hours_of(c).total_hundredths for c in setup.classes if c.school == school) * 60 / 100
        assert 0.95 < direct[school] / granted < 1.01
        assert 0.90 < approved[school] / granted < 0.99


def direct_minutes(taken: Taken) -> tuple[Counter[str], Counter[str]]:
    """Direct minutes per school, all of them and those the school approved."""
    direct, approved = Counter[str](), Counter[str]()
    for delivery in taken.values():
        if delivery.source == "provider_timesheets":
            for row in delivery.accepted["provider_timesheets"].to_pylist():
                if row["activity"] == "direct":
                    minutes = row["duration_minutes"] or row["stated_minutes"]
                    if minutes is None:
                        minutes = row["end_minute"] - row["begin_minute"] - (row["pause_minutes"] or 0)
                    direct[row["school"]] += minutes
                    approved[row["school"]] += minutes if row["approved_on"] else 0
    return direct, approved


def open_days(full: Made, school: str) -> list[date]:
    closed = [
        (row["closed_from"].date(), row["closed_to"].date())
        for row in setup_rows(full.folder, "calendar")
        if row["school"] == school
    ]
    year = [date.fromordinal(n) for n in range(date(2025, 8, 1).toordinal(), date(2026, 8, 1).toordinal())]
    return [day for day in year if day.weekday() < 5 and not any(first <= day <= last for first, last in closed)]


def test_timesheets_follow_the_calendar_of_the_school(full: Made):
    expected = set(full.year.planted["hours_weekend"])
    for path in sorted(full.folder.glob("urenstaat-*-2025-10.*")):
        days = {day.isoformat() for day in open_days(full, path.name.split("-")[1])}
        first = 2 if path.suffix == ".csv" else 4
        rows = read(path, "provider_timesheets")
        outside = {f"{path.name}:{n}" for n, row in enumerate(rows, first) if row["work_date"] not in days}
        assert outside - set(full.year.planted["bad_timesheet_rows"]) == expected & outside
        expected -= outside
    assert not expected


def test_volume_and_speed(full: Made):
    assert 25_000 <= full.year.counts["timesheet_rows"] <= 45_000
    assert full.seconds < 8
    assert len(pupils_of(full.folder)) == 1030 + full.year.counts["pupils_not_placed"] + 2


def test_nothing_of_a_person_stands_in_file_names(full: Made):
    numbers = {row["pupil"] for row in pupils_of(full.folder)}
    assert not any(number in path.name for path in full.year.files for number in numbers)
