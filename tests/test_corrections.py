"""Corrections: what a new version takes back and posts anew, by hand and under any sequence of versions.

SPEC section 5: a document that differs is credited in full, once, and replaced in one go; a credit has a number and a date of
its own day and names the original; nobody else is touched. Every amount and every party's data here is fictief.
"""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_billing import (
    BREDA,
    END,
    MONTHS,
    TILBURG,
    WHOLE_REGION,
    ZORGKANTOOR,
    asked,
    booked,
    debtor,
    run,
    standing,
    terms,
    year_of_terms,
)
from zio_pipeline.billing import Commitment, ReadyDocument, credit_of, invoice_rows, plan, standing_documents
from zio_pipeline.reference import municipalities

DECEMBER, JANUARY, FEBRUARY = date(2025, 12, 1), date(2026, 1, 2), date(2026, 2, 2)
HEUSDEN, GOIRLE = "0797", "0785"
MEMBERS = {
    "debtors": tuple(debtor(code) for code in (TILBURG, HEUSDEN, GOIRLE, BREDA, ZORGKANTOOR)),
    "members": frozenset({TILBURG, HEUSDEN, GOIRLE}),
}


def told(documents) -> list[tuple[str, str, str, int]]:
    """Series, payer, period and amount as it counts."""
    return [(d.series, d.payer, d.period, -d.amount_cents if d.credits else d.amount_cents) for d in documents]


def three(tilburg: int, heusden: int, goirle: int) -> list:
    return [
        term
        for code, cents in ((TILBURG, tilburg), (HEUSDEN, heusden), (GOIRLE, goirle))
        for term in terms(code, "municipality", "monthly", cents)
    ]


def test_a_pupil_that_moved_before_the_peildatum_is_corrected_across_31_december():
    """Booked September to December as Tilburg's; found out in January that Heusden pays. Goirle stands by."""
    who = standing(**MEMBERS)
    posted = booked(plan(asked(three(1000, 500, 300)), [], DECEMBER, who).to_post)
    assert len(posted) == 12
    made = plan(asked(three(900, 600, 300), version=2), posted, JANUARY, who).to_post
    assert told(made) == [
        line
        for month in MONTHS[:4]
        for line in (
            ("GR-HVB-C-2026", HEUSDEN, month, -500),
            ("GR-HVB-F-2026", HEUSDEN, month, 600),
            ("GR-HVB-C-2026", TILBURG, month, -1000),
            ("GR-HVB-F-2026", TILBURG, month, 900),
        )
    ] + [
        ("GR-HVB-F-2026", GOIRLE, "2026-01", 300),
        ("GR-HVB-F-2026", HEUSDEN, "2026-01", 600),
        ("GR-HVB-F-2026", TILBURG, "2026-01", 900),
    ]
    assert {d.document_date for d in made} == {JANUARY}, "the day of the correction, not of what it corrects"
    by_number = {d.number: d for d in posted}
    for credit in (d for d in made if d.credits):
        original = by_number[credit.credits]
        assert (original.payer, original.period, original.lines) == (credit.payer, credit.period, credit.lines)
        assert original.document_date.year == 2025
    everything = booked([*_as_ready(posted), *made])
    net = Counter()
    for document in everything:
        net[document.payer] += document.signed_cents
    assert net == {TILBURG: 5 * 900, HEUSDEN: 5 * 600, GOIRLE: 5 * 300}
    assert plan(asked(three(900, 600, 300), version=2), everything, JANUARY, who).to_post == ()


def test_a_credit_goes_to_whom_the_original_went_as_it_stood_on_it():
    (original, *_) = booked(plan(asked(WHOLE_REGION), [], date(2025, 9, 1), standing()).to_post)
    credit = credit_of(original, 2, JANUARY, standing())
    assert (credit.kind, credit.credits, credit.desired.version) == ("credit_note", original.number, 2)
    assert (credit.debtor.code, credit.debtor.name) == (original.debtor, original.debtor_name)
    assert "\n".join(credit.debtor.address) == original.address
    assert booked([credit])[0].signed_cents == -original.amount_cents


def test_what_an_ended_municipality_paid_goes_back_to_its_successor():
    """Cuijk (1684) was billed in 2021 and went into Land van Cuijk (1982) on 1 January 2022."""
    who = standing(
        debtors=(debtor("1684", valid_to=date(2021, 12, 31)), debtor("1982")),
        commitments=(Commitment("1684", date(2020, 9, 1)),),
        successors=municipalities().successors,
    )
    (document, *_) = booked(run(terms(TILBURG, "municipality", "monthly", 100), date(2025, 9, 1)).to_post)
    old = replace(document, payer="1684", debtor="1684", debtor_name="Debiteur 1684 (fictief)")
    credit = credit_of(old, 2, date(2022, 1, 3), who)
    assert (credit.debtor.code, credit.successor_of) == ("1982", "1684")
    unknown = credit_of(old, 2, date(2022, 1, 3), replace(who, debtors=()))
    assert (unknown.debtor.code, unknown.successor_of) == ("1684", None), "to whom it went, while nobody knows where to"


def test_statements_and_internal_bookings_are_taken_back_in_series_of_their_own():
    own = standing(sender=debtor(TILBURG), debtors=(debtor(ZORGKANTOOR),))
    amounts = [
        *terms(TILBURG, "municipality", "monthly", 700),
        *terms(ZORGKANTOOR, "zorgkantoor", "monthly", 900, stream="wlz_zin"),
    ]
    posted = run(amounts, date(2025, 9, 1), who=own).to_post
    changed = [replace(t, amount_cents=t.amount_cents - 100) for t in amounts]
    made = plan(asked(changed, version=2), booked(posted), FEBRUARY, own).to_post
    assert told(made)[:4] == [
        ("0855-T-2026", TILBURG, "2025-09", -700),
        ("0855-B-2026", TILBURG, "2025-09", 600),
        ("0855-V-2026", ZORGKANTOOR, "2025-09", -900),
        ("0855-W-2026", ZORGKANTOOR, "2025-09", 800),
    ]


def test_who_owes_nothing_any_more_gets_its_money_back_and_no_document_of_nothing():
    posted = run(WHOLE_REGION, JANUARY).to_post
    without = [t for t in WHOLE_REGION if t.payer != BREDA]
    assert told(plan(asked(without, version=2), booked(posted), JANUARY, standing()).to_post) == [
        ("GR-HVB-C-2026", BREDA, "2025-2026-H1", -500)
    ]


def test_a_replacement_that_must_wait_is_parked_and_the_credit_goes_all_the_same():
    """Breda turns out to owe more than it committed to: what was wrong is taken back, what is right waits."""
    who = standing(commitments=(Commitment(BREDA, date(2025, 9, 1), 1000),))
    breda = terms(BREDA, "municipality", "half_year", 100)
    posted = booked(run(breda, JANUARY, who=who).to_post)
    dearer = asked(terms(BREDA, "municipality", "half_year", 300), version=2)
    plan_now = plan(dearer, posted, FEBRUARY, who)
    assert told(plan_now.to_post) == [("GR-HVB-C-2026", BREDA, "2025-2026-H1", -500)]
    assert [(p.period, p.reason, p.amount_cents) for p in plan_now.parked] == [
        ("2025-2026-H1", "above_commitment", 1500)
    ]
    everything = booked([*_as_ready(posted), *plan_now.to_post])
    again = plan(dearer, everything, FEBRUARY, who)
    assert (again.to_post, len(again.parked)) == ((), 1), "credited once"
    promised = replace(who, commitments=(Commitment(BREDA, FEBRUARY, 3000),))
    assert told(plan(dearer, everything, FEBRUARY, promised).to_post) == [
        ("GR-HVB-F-2026", BREDA, "2025-2026-H1", 1500)
    ]


def test_what_was_credited_leaves_room_under_a_ceiling():
    who = standing(commitments=(Commitment(BREDA, date(2025, 9, 1), 600),))
    posted = booked(run(terms(BREDA, "municipality", "half_year", 100), JANUARY, who=who).to_post)
    cheaper = asked(terms(BREDA, "municipality", "half_year", 60), version=2)
    made = plan(cheaper, posted, END, who)
    assert told(made.to_post) == [
        ("GR-HVB-C-2026", BREDA, "2025-2026-H1", -500),
        ("GR-HVB-F-2026", BREDA, "2025-2026-H1", 300),
        ("GR-HVB-F-2026", BREDA, "2025-2026-H2", 300),
    ]
    assert made.parked == ()


def test_a_run_of_one_month_never_leaves_a_correction_half_done():
    """Corrections move money from one payer to another: doing them for the members only would bill it twice."""
    everything = [
        *terms(BREDA, "municipality", "half_year", 100),
        *terms(TILBURG, "municipality", "monthly", 700),
    ]
    posted = booked(run(everything, JANUARY).to_post)
    moved = [
        *terms(BREDA, "municipality", "half_year", 60),
        *terms(TILBURG, "municipality", "monthly", 740),
    ]
    made = plan(asked(moved, version=2), posted, FEBRUARY, standing(), only=lambda d: d.rhythm == "monthly").to_post
    assert Counter(d.payer for d in made if d.credits) == {TILBURG: 5, BREDA: 1}
    assert Counter((d.payer, d.period) for d in made if not d.credits)[BREDA, "2025-2026-H1"] == 1


def test_lines_of_a_credit_are_negative_in_the_tables_of_finance():
    posted = booked(run(WHOLE_REGION, date(2025, 9, 1)).to_post)
    tilburg = next(d for d in posted if d.payer == TILBURG)
    (credit,) = booked([credit_of(tilburg, 2, JANUARY, standing())])
    rows = invoice_rows([credit])["in_region_invoices"]
    assert [row["amount_cents"] for row in rows] == [-300, -700, -50]
    assert {row["credits"] for row in rows} == {tilburg.number}


def _as_ready(posted) -> list[ReadyDocument]:
    """What a ledger holds, as plans that were booked in the same order, so that both can be numbered together."""
    by_number, ready = {}, []
    for document in posted:
        if document.credits:
            made = credit_of(by_number[document.credits], document.version, document.document_date, standing())
        else:
            made = _ready(document)
        by_number[document.number] = document
        ready.append(made)
    return ready


def _ready(document) -> ReadyDocument:
    mirror = credit_of(replace(document, kind="invoice"), document.version, document.document_date, standing())
    desired = replace(mirror.desired, kind=document.kind)
    return replace(mirror, desired=desired, kind=document.kind, credits=None)


@given(st.lists(st.tuples(year_of_terms, st.dates(date(2025, 8, 1), END)), min_size=1, max_size=4), st.randoms())
def test_whatever_versions_follow_each_other_only_the_last_stands(versions, random):
    days = sorted(day for _, day in versions)
    made: list[ReadyDocument] = []
    for number, ((amounts, _), day) in enumerate(zip(versions, days, strict=True), start=1):
        random.shuffle(amounts)
        desired = asked(amounts, version=number)
        made += plan(desired, booked(made), day, standing()).to_post
        assert plan(desired, booked(made), day, standing()).to_post == (), "a second run posts nothing"
        due = {(d.payer, d.period): d.lines for d in desired.documents if d.due_on <= day}
        assert {(d.payer, d.period): d.lines for d in standing_documents(booked(made))} == due
    posted = booked(made)
    credited = Counter(d.credits for d in posted if d.credits)
    assert all(times == 1 for times in credited.values())
    assert set(credited) <= {d.number for d in posted if not d.credits}


@pytest.mark.parametrize("kind", ["invoice", "wlz_statement", "internal_booking"])
def test_every_kind_of_document_can_be_taken_back(kind: str):
    (some, *_) = booked(run(WHOLE_REGION, date(2025, 9, 1)).to_post)
    assert credit_of(replace(some, kind=kind), 2, JANUARY, standing()).series != some.series
