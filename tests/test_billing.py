"""Billing by hand: which documents a year asks for, when they go out, to whom, and what makes a run stop.

Every amount and every party's data here is fictief.
"""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zio_pipeline.billing import (
    GENESIS,
    Agreement,
    BillingCalendar,
    Commitment,
    Debtor,
    Desired,
    DesiredDocument,
    Line,
    PostedDocument,
    ReadyDocument,
    Standing,
    TermAmount,
    desired_documents,
    document_hash,
    document_number,
    due_dates,
    plan,
    plan_run,
    posted_as,
    series_name,
)
from zio_pipeline.billing.planning import business_dates
from zio_pipeline.contracts import products
from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.reference import municipalities
from zio_pipeline.school_year import SchoolYear

MONTHS = ("2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
CALENDAR = BillingCalendar.of(
    SchoolYear.parse("2025-2026"), (9, 10, 11, 12, 1, 2, 3, 4, 5, 6), (9, 10, 11, 12, 1), (1, 7)
)
JANUARY, END = date(2026, 1, 2), date(2026, 7, 31)
TILBURG, BREDA, ZORGKANTOOR, SCHOOL_BOARD = "0855", "0758", "5527", "SWV"


def debtor(code: str, **validity: date) -> Debtor:
    return Debtor(code, f"Debiteur {code} (fictief)", ("Voorbeeldstraat 1", "5000AA Tilburg"), f"V-{code}", **validity)


REGION = debtor("GR-HVB")


def terms(payer: str, kind: str, rhythm: str, cents: int, *, order: str = "LEIJ", stream: str = "jeugdwet") -> list:
    """Ten equal terms of that many cents."""
    return [TermAmount(order, stream, payer, kind, rhythm, month, cents) for month in MONTHS]


def standing(**changes: object) -> Standing:
    """Everything in order: known debtors, Tilburg a member, Breda committed, the zorgkantoor agreed."""
    everything = Standing(
        sender=REGION,
        debtors=tuple(debtor(code) for code in (TILBURG, BREDA, ZORGKANTOOR, SCHOOL_BOARD)),
        members=frozenset({TILBURG}),
        commitments=(Commitment(BREDA, date(2025, 9, 1)),),
        agreements=(Agreement(ZORGKANTOOR, date(2025, 8, 1), date(2026, 7, 31)),),
        successors=lambda code, day: (),
    )
    return replace(everything, **changes)


def shares_of(amounts: list[TermAmount]) -> dict[tuple[str, str, str], int]:
    totals: Counter[tuple[str, str, str]] = Counter()
    for term in amounts:
        totals[term.order_id, term.stream, term.payer] += term.amount_cents
    return dict(totals)


WHOLE_REGION = [
    *terms(TILBURG, "municipality", "monthly", 700),
    *terms(TILBURG, "municipality", "monthly", 50, stream="adult"),
    *terms(TILBURG, "municipality", "monthly", 300, order="BODDE"),
    *terms(BREDA, "municipality", "half_year", 100),
    *terms(ZORGKANTOOR, "zorgkantoor", "monthly", 900, stream="wlz_zin"),
    *terms(SCHOOL_BOARD, "contributor", "monthly", 25, stream="contribution"),
    *terms("PGB", "pgb_holders", "none", 80, stream="wlz_pgb"),
]


def asked(amounts: list[TermAmount], version: int = 1, calendar: BillingCalendar = CALENDAR) -> Desired:
    """What a version with these terms asks for, its limits the sums of the terms."""
    documents = desired_documents(version, amounts, calendar)
    return Desired(calendar.school_year.key, version, documents, shares_of(amounts), "E")


def booked(planned: Iterable[ReadyDocument]) -> list[PostedDocument]:
    """The planned documents as a ledger would hold them: numbered per series in this order."""
    last: Counter[str] = Counter()
    posted = []
    for document in planned:
        last[document.series] += 1
        posted.append(posted_as(document, last[document.series], GENESIS))
    return posted


def run(amounts: list[TermAmount], as_of: date, posted: tuple = (), who: Standing | None = None, replay: bool = False):
    """The plan of a run after the documents that earlier plans have posted."""
    return plan_run(asked(amounts), booked(posted), as_of, who or standing(), replay=replay)


def brief(documents) -> list[tuple[str, str, date, int]]:
    return [(d.payer, d.period, d.document_date, d.amount_cents) for d in documents]


# --- desired documents ------------------------------------------------------------------------------------------------


def test_a_member_gets_one_document_a_month_with_one_line_per_order_and_stream():
    september = next(d for d in desired_documents(1, WHOLE_REGION, CALENDAR) if d.payer == TILBURG)
    assert (september.period, september.due_on, september.kind) == ("2025-09", date(2025, 9, 1), "invoice")
    assert september.lines == (
        Line("BODDE", "jeugdwet", 300),
        Line("LEIJ", "jeugdwet", 700),
        Line("LEIJ", "adult", 50),
    )
    assert september.amount_cents == 1050


def test_a_month_falls_due_on_its_first_working_day():
    dates = {d.period: d.due_on for d in desired_documents(1, WHOLE_REGION, CALENDAR) if d.payer == TILBURG}
    assert list(dates) == list(MONTHS)
    # 1 November 2025 is a Saturday, New Year's Day a holiday, 1 February and 1 March 2026 are Sundays.
    assert dates["2025-11"] == date(2025, 11, 3)
    assert dates["2026-01"] == date(2026, 1, 2)
    assert dates["2026-02"] == date(2026, 2, 2)
    assert dates["2026-03"] == date(2026, 3, 2)


def test_outside_the_region_two_halves_fall_due_in_january_and_july():
    halves = [d for d in desired_documents(1, WHOLE_REGION, CALENDAR) if d.payer == BREDA]
    assert [(d.period, d.due_on, d.amount_cents) for d in halves] == [
        ("2025-2026-H1", date(2026, 1, 2), 500),
        ("2025-2026-H2", date(2026, 7, 1), 500),
    ]
    assert halves[0].months == MONTHS[:5]


def test_kinds_follow_the_payer_and_pgb_holders_get_nothing():
    kinds = {d.payer: d.kind for d in desired_documents(1, WHOLE_REGION, CALENDAR)}
    assert kinds == {TILBURG: "invoice", BREDA: "invoice", ZORGKANTOOR: "wlz_statement", SCHOOL_BOARD: "invoice"}


def test_no_line_and_no_document_of_nothing():
    amounts = [
        TermAmount("LEIJ", "jeugdwet", TILBURG, "municipality", "monthly", "2025-09", 1),
        TermAmount("LEIJ", "adult", TILBURG, "municipality", "monthly", "2025-09", 0),
        TermAmount("LEIJ", "jeugdwet", TILBURG, "municipality", "monthly", "2025-10", 0),
    ]
    (only,) = desired_documents(1, amounts, CALENDAR)
    assert only.lines == (Line("LEIJ", "jeugdwet", 1),)


@pytest.mark.parametrize(
    "wrong",
    [
        terms(TILBURG, "municipality", "monthly", -1),
        [TermAmount("LEIJ", "jeugdwet", TILBURG, "municipality", "monthly", "2026-07", 5)],
        terms(TILBURG, "municipality", "weekly", 5),
        [
            *terms(TILBURG, "municipality", "monthly", 5),
            *terms(TILBURG, "municipality", "half_year", 5, stream="adult"),
        ],
        terms(TILBURG, "stichting", "monthly", 5),
    ],
    ids=["negative", "no term", "unknown rhythm", "two rhythms", "unknown kind"],
)
def test_terms_that_cannot_be_billed_stop(wrong):
    with pytest.raises(ZioError):
        desired_documents(1, wrong, CALENDAR)


# --- what a run posts -------------------------------------------------------------------------------------------------


def test_a_run_posts_what_is_due_and_a_second_run_nothing():
    first = run(WHOLE_REGION, date(2025, 9, 1))
    assert brief(first.to_post) == [
        (TILBURG, "2025-09", date(2025, 9, 1), 1050),
        (ZORGKANTOOR, "2025-09", date(2025, 9, 1), 900),
        (SCHOOL_BOARD, "2025-09", date(2025, 9, 1), 25),
    ]
    assert run(WHOLE_REGION, date(2025, 9, 1), first.to_post).to_post == ()
    assert run(WHOLE_REGION, date(2025, 9, 30), first.to_post).to_post == ()
    assert run(WHOLE_REGION, date(2025, 8, 31)).to_post == ()


def test_catching_up_makes_one_document_per_period_in_order_of_due_date_period_and_payer():
    amounts = [*terms(BREDA, "municipality", "half_year", 100), *terms(TILBURG, "municipality", "monthly", 700)]
    made = run(amounts, date(2026, 1, 2)).to_post
    assert [(d.payer, d.period) for d in made] == [
        (TILBURG, "2025-09"),
        (TILBURG, "2025-10"),
        (TILBURG, "2025-11"),
        (TILBURG, "2025-12"),
        (BREDA, "2025-2026-H1"),
        (TILBURG, "2026-01"),
    ]
    assert {d.document_date for d in made} == {date(2026, 1, 2)}
    assert {d.series for d in made} == {"GR-HVB-F-2026"}


def test_a_replay_takes_each_due_date_as_business_date():
    made = run(WHOLE_REGION, END, replay=True).to_post
    assert all(d.document_date == d.desired.due_on for d in made)
    assert [d.document_date for d in made] == sorted(d.document_date for d in made)
    assert {d.series for d in made} == {"GR-HVB-F-2025", "GR-HVB-F-2026", "GR-HVB-W-2025", "GR-HVB-W-2026"}
    assert Counter(d.payer for d in made) == {TILBURG: 10, BREDA: 2, ZORGKANTOOR: 10, SCHOOL_BOARD: 10}


def test_a_replay_needs_an_empty_ledger_unless_nothing_is_left():
    everything = run(WHOLE_REGION, END, replay=True).to_post
    assert run(WHOLE_REGION, END, everything, replay=True).to_post == ()
    with pytest.raises(ZioError, match="leeg grootboek"):
        run(WHOLE_REGION, END, everything[:-1], replay=True)


def test_business_dates():
    desired = desired_documents(1, terms(BREDA, "municipality", "half_year", 1), CALENDAR)
    january, july = date(2026, 1, 2), date(2026, 7, 1)
    assert due_dates(desired) == [january, july]
    assert business_dates(desired, date(2026, 3, 1), replay=False) == [date(2026, 3, 1)]
    assert business_dates(desired, date(2026, 3, 1), replay=True) == [january, date(2026, 3, 1)]
    assert business_dates(desired, july, replay=True) == [january, july]


# --- debtor and parking -----------------------------------------------------------------------------------------------


def test_a_municipality_outside_waits_for_its_commitment_and_others_go_on():
    late = standing(commitments=(Commitment(BREDA, date(2026, 3, 10)),))
    january = run(WHOLE_REGION, date(2026, 1, 2), who=late)
    assert [(p.payer, p.period, p.reason, p.amount_cents) for p in january.parked] == [
        (BREDA, "2025-2026-H1", "no_commitment", 500)
    ]
    assert {d.payer for d in january.to_post} == {TILBURG, ZORGKANTOOR, SCHOOL_BOARD}
    assert not [d for d in run(WHOLE_REGION, date(2026, 3, 9), who=late).to_post if d.payer == BREDA]
    released = run(WHOLE_REGION, date(2026, 3, 10), january.to_post, late)
    assert (BREDA, "2025-2026-H1", date(2026, 3, 10), 500) in brief(released.to_post)
    assert released.parked == ()


def test_a_replay_posts_a_released_document_on_the_next_business_date():
    late = standing(commitments=(Commitment(BREDA, date(2026, 3, 10)),))
    breda = terms(BREDA, "municipality", "half_year", 100)
    with_tilburg = [*breda, *terms(TILBURG, "municipality", "monthly", 1)]
    first_half = next(d for d in run(with_tilburg, END, who=late, replay=True).to_post if d.payer == BREDA)
    assert first_half.document_date == date(2026, 4, 1)
    # No due date is left before the day of the run itself.
    (alone,) = run(breda, date(2026, 3, 20), who=late, replay=True).to_post
    assert alone.document_date == date(2026, 3, 20)


def test_a_commitment_has_a_ceiling_over_the_school_year():
    amounts = terms(BREDA, "municipality", "half_year", 100)
    capped = standing(commitments=(Commitment(BREDA, date(2025, 9, 1), 999),))
    result = run(amounts, END, who=capped)
    assert brief(result.to_post) == [(BREDA, "2025-2026-H1", END, 500)]
    assert [(p.period, p.reason) for p in result.parked] == [("2025-2026-H2", "above_commitment")]
    assert "10,00" in result.parked[0].explanation
    assert "9,99" in result.parked[0].explanation
    again = run(amounts, END, result.to_post, capped)
    assert (again.to_post, [p.reason for p in again.parked]) == ((), ["above_commitment"])
    raised = replace(capped, commitments=(*capped.commitments, Commitment(BREDA, date(2026, 7, 15), 1000)))
    assert len(run(amounts, END, result.to_post, raised).to_post) == 1
    assert len(run(amounts, date(2026, 7, 14), result.to_post, raised).to_post) == 0


def test_a_debtor_must_be_known_on_the_document_date():
    ended = standing(debtors=(debtor(TILBURG, valid_to=date(2025, 9, 30)), debtor(BREDA)))
    amounts = terms(TILBURG, "municipality", "monthly", 100)
    assert len(run(amounts, date(2025, 9, 30), who=ended).to_post) == 1
    assert [p.reason for p in run(amounts, date(2025, 10, 1), who=ended).parked] == ["no_debtor", "no_debtor"]
    moved = replace(ended, debtors=(*ended.debtors, debtor(TILBURG, valid_from=date(2025, 10, 1))))
    assert len(run(amounts, date(2025, 10, 1), who=moved).to_post) == 2
    twice = run(amounts, date(2025, 9, 30), who=standing(debtors=(debtor(TILBURG), debtor(TILBURG))))
    assert (twice.to_post, [p.reason for p in twice.parked]) == ((), ["no_debtor"]), "and others go on"


def test_a_zorgkantoor_is_billed_for_months_its_agreement_covers_whole():
    amounts = terms(ZORGKANTOOR, "zorgkantoor", "monthly", 900, stream="wlz_zin")
    partly = standing(agreements=(Agreement(ZORGKANTOOR, date(2025, 10, 1), date(2026, 6, 29)),))
    result = run(amounts, END, who=partly)
    assert [d.period for d in result.to_post] == list(MONTHS[1:9])
    assert [(p.period, p.reason) for p in result.parked] == [("2025-09", "no_agreement"), ("2026-06", "no_agreement")]
    other = standing(agreements=(Agreement("5526", date(2025, 1, 1)),))
    assert len(run(amounts, END, who=other).parked) == 10


def test_a_region_that_waits_for_claims_bills_what_was_claimed():
    amounts = [*terms(TILBURG, "municipality", "monthly", 100), *terms(BREDA, "municipality", "half_year", 10)]
    september = frozenset({("LEIJ", "2025-09", "jw")})
    waiting = run(amounts, JANUARY, who=standing(claimed=september))
    assert [(d.payer, d.period) for d in waiting.to_post] == [(TILBURG, "2025-09")]
    assert {(p.payer, p.reason) for p in waiting.parked} == {(TILBURG, "no_claim"), (BREDA, "no_claim")}
    assert len(run(amounts, JANUARY).parked) == 0, "the default: billing never waits"


# Haaren (0788) ended on 31 December 2020 and was divided; Cuijk (1684) went into Land van Cuijk (1982) a year later.
OLD_CALENDAR = BillingCalendar.of(
    SchoolYear.parse("2020-2021"), (9, 10, 11, 12, 1, 2, 3, 4, 5, 6), (9, 10, 11, 12, 1), (1, 7)
)


def old_run(payer: str, as_of: date, who: Standing):
    months = OLD_CALENDAR.term_months
    amounts = [TermAmount("LEIJ", "jeugdwet", payer, "municipality", "monthly", month, 10) for month in months]
    return plan(asked(amounts, calendar=OLD_CALENDAR), [], as_of, who)


def test_the_successor_on_the_document_date_is_debtor():
    heirs = ("0757", "0824", "0855", "0865")
    who = standing(
        debtors=tuple(debtor(code) for code in ("0788", *heirs)),
        members=frozenset({"0788"}),
        successors=municipalities().successors,
    )
    before = old_run("0788", date(2020, 12, 31), who)
    assert {(d.debtor.code, d.successor_of) for d in before.to_post} == {("0788", None)}
    after = old_run("0788", date(2021, 1, 1), who)
    assert (after.to_post, {p.reason for p in after.parked}) == ((), {"several_successors"})
    decided = replace(who, named_successors={"0788": "0824"})
    assert {(d.debtor.code, d.successor_of) for d in old_run("0788", date(2021, 1, 1), decided).to_post} == {
        ("0824", "0788")
    }
    wrong = old_run("0788", date(2021, 1, 1), replace(who, named_successors={"0788": BREDA}))
    assert (wrong.to_post, {p.reason for p in wrong.parked}) == ((), {"several_successors"})


def test_a_single_successor_needs_no_besluit_and_inherits_the_commitment():
    who = standing(
        debtors=(debtor("1982"),),
        commitments=(Commitment("1684", date(2020, 9, 1)),),
        successors=municipalities().successors,
    )
    made = old_run("1684", date(2022, 1, 3), who).to_post
    assert {(d.payer, d.debtor.code, d.successor_of) for d in made} == {("1684", "1982", "1684")}
    assert old_run("1684", date(2022, 1, 3), replace(who, commitments=())).to_post == ()


def test_one_debtor_has_one_ceiling_whatever_came_into_its_place():
    """Cuijk and Grave went into Land van Cuijk, which promised 150,00 for the year."""
    months = OLD_CALENDAR.term_months
    who = standing(
        debtors=(debtor("1982"),),
        commitments=(Commitment("1982", date(2020, 9, 1), 150),),
        successors=municipalities().successors,
    )
    both = [
        TermAmount("LEIJ", "jeugdwet", payer, "municipality", "half_year", month, 10)
        for payer in ("0786", "1684")
        for month in months
    ]
    made = plan(asked(both, calendar=OLD_CALENDAR), [], date(2022, 1, 3), who)
    assert sum(d.amount_cents for d in made.to_post) == 150
    assert [p.reason for p in made.parked] == ["above_commitment"]


def test_a_body_that_would_write_to_itself_books_internally():
    sender = debtor(TILBURG)
    own = standing(sender=sender, debtors=(), members=frozenset())
    (made,) = run(terms(TILBURG, "municipality", "monthly", 700), date(2025, 9, 1), who=own).to_post
    assert (made.kind, made.debtor, made.series) == ("internal_booking", sender, "0855-B-2025")


# --- what stops a run -------------------------------------------------------------------------------------------------


def test_an_equal_document_of_an_earlier_version_is_left_alone():
    posted = run(WHOLE_REGION, date(2025, 9, 1)).to_post
    assert plan(asked(WHOLE_REGION, version=2), booked(posted), date(2025, 9, 1), standing()).to_post == ()


def test_nothing_goes_out_above_the_share_it_is_part_of():
    whole = asked(WHOLE_REGION)
    documents, shares = whole.documents, whole.year_shares
    doubled = [
        replace(d, lines=tuple(replace(x, amount_cents=11 * x.amount_cents) for x in d.lines)) for d in documents
    ]
    with pytest.raises(NotProved, match="jaaraandeel"):
        plan(replace(whole, documents=doubled), [], date(2025, 9, 1), standing())
    with pytest.raises(NotProved, match="jaarbedrag"):
        plan(replace(whole, year_shares=shares | {("LEIJ", "jeugdwet", TILBURG): 6999}), [], END, standing())
    # The order as a whole stays within its year here: only the payer's own limit sees it.
    moved = {**shares, ("LEIJ", "jeugdwet", TILBURG): 6999, ("LEIJ", "jeugdwet", BREDA): 1001}
    with pytest.raises(NotProved, match="0855"):
        plan(replace(whole, year_shares=moved), [], END, standing())
    with pytest.raises(NotProved, match="twee documenten"):
        plan(replace(whole, documents=[documents[0], *documents]), [], END, standing())


def test_one_run_is_about_one_school_year():
    whole = asked(WHOLE_REGION)
    other = replace(whole.documents[0], school_year="2026-2027")
    with pytest.raises(ZioError, match="één schooljaar"):
        plan(replace(whole, documents=[*whole.documents, other]), [], END, standing())


# --- what adds up -----------------------------------------------------------------------------------------------------

year_of_terms = st.lists(
    st.tuples(
        st.sampled_from(
            [
                (TILBURG, "municipality", "monthly", "jeugdwet"),
                (TILBURG, "municipality", "monthly", "adult"),
                (BREDA, "municipality", "half_year", "jeugdwet"),
                (ZORGKANTOOR, "zorgkantoor", "monthly", "wlz_zin"),
                ("PGB", "pgb_holders", "none", "wlz_pgb"),
            ]
        ),
        st.sampled_from(["LEIJ", "BODDE"]),
        st.sampled_from(MONTHS),
        st.integers(0, 10_000),
    ),
    max_size=40,
).map(lambda rows: [TermAmount(order, p[3], p[0], p[1], p[2], month, cents) for p, order, month, cents in rows])
run_days = st.lists(st.dates(date(2025, 8, 1), END), max_size=6).map(sorted)


@given(year_of_terms, run_days, st.randoms())
def test_whatever_the_days_of_the_runs_the_year_is_posted_once(amounts, days, random):
    posted: tuple = ()
    for day in [*days, END]:
        random.shuffle(amounts)
        posted += run(amounts, day, posted).to_post
    owed = Counter()
    for term in amounts:
        if term.rhythm != "none" and term.amount_cents:
            owed[term.payer, term.order_id, term.stream] += term.amount_cents
    billed = Counter()
    for document in posted:
        for line in document.lines:
            billed[document.payer, line.order_id, line.stream] += line.amount_cents
    assert billed == owed
    assert len({(d.payer, d.period) for d in posted}) == len(posted)
    assert [d.document_date for d in posted] == sorted(d.document_date for d in posted)
    replayed = run(amounts, END, replay=True).to_post
    assert {(d.payer, d.period, d.lines) for d in replayed} == {(d.payer, d.period, d.lines) for d in posted}


@given(year_of_terms, st.integers(0, 20_000), run_days)
def test_a_ceiling_is_never_passed_and_nothing_is_lost(amounts, ceiling, days):
    who = standing(commitments=(Commitment(BREDA, date(2025, 12, 1), ceiling),))
    posted: tuple = ()
    for day in [*days, END]:
        result = run(amounts, day, posted, who)
        posted += result.to_post
        assert sum(d.amount_cents for d in posted if d.payer == BREDA) <= ceiling
    due = {(d.payer, d.period) for d in desired_documents(1, amounts, CALENDAR)}
    assert {(d.payer, d.period) for d in posted} | {(p.payer, p.period) for p in result.parked} == due


# --- number, hash, rows -----------------------------------------------------------------------------------------------


def test_series_and_numbers():
    assert document_number(series_name("GR-HVB", "invoice", 2026), 1) == "GR-HVB-F-2026-00001"
    assert series_name("GR-HVB", "wlz_statement", 2025) == "GR-HVB-W-2025"
    assert document_number("X", 123456) == "X-123456"
    with pytest.raises(ZioError):
        series_name("GR-HVB", "letter", 2026)


def test_the_hash_covers_the_document_before_the_header_and_every_line():
    header = {"number": "A-1", "due_on": date(2026, 1, 2), "successor_of": None, "amount_cents": 3}
    lines = [Line("LEIJ", "jeugdwet", 1), Line("LEIJ", "adult", 2)]
    base = document_hash(GENESIS, header, lines)
    # Computed apart, with sha256sum over the canonical JSON.
    assert base == "30fd5ac3975dbc9c0e2148287ed5186d6602857b04c0c2ec27b67681f66d5c54"
    others = [
        document_hash("1" * 64, header, lines),
        document_hash(GENESIS, header | {"number": "A-2"}, lines),
        document_hash(GENESIS, header | {"due_on": date(2026, 1, 2) + timedelta(days=1)}, lines),
        document_hash(GENESIS, header | {"successor_of": ""}, lines),
        document_hash(GENESIS, header, lines[::-1]),
        document_hash(GENESIS, header, [lines[0], replace(lines[1], amount_cents=3)]),
    ]
    assert all(a != b for a, b in itertools.combinations([base, *others], 2))
    assert document_hash(GENESIS, dict(reversed(header.items())), lines) == base


def test_parked_rows_are_those_of_the_contract():
    (parked,) = run(
        terms(BREDA, "municipality", "half_year", 100), date(2026, 1, 2), who=standing(commitments=())
    ).parked
    contract = products()["parked_documents"]
    assert set(vars(parked)) == {column.name for column in contract.columns}
    assert parked.reason in {value for value, _ in contract.column("reason").allowed}


def test_a_document_is_never_two_things_at_once():
    both = [
        *terms(TILBURG, "municipality", "monthly", 5),
        *terms(TILBURG, "zorgkantoor", "monthly", 5, stream="wlz_zin"),
    ]
    with pytest.raises(ZioError, match=TILBURG):
        desired_documents(1, both, CALENDAR)
    assert isinstance(desired_documents(1, both[:10], CALENDAR)[0], DesiredDocument)
