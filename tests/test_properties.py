"""What must hold of every split, whatever the numbers: sums, order of rows, how far one change reaches (SPEC 4, Invariants).

The statements about neighbours, and why they hold. A part that comes out of largest remainder is its exact share rounded down or
up (the quota rule). So:

- Joining two payers of a stream, or splitting one, leaves the stream amount and everybody else's exact share as they were. Both
  times the part of another payer is that share rounded down or up: it moves at most one cent per order x doelgroep x stream.
- One pupil more in a doelgroep with one stream: the exact share of everybody else falls, that of the own municipality rises. So
  another one never *rises* by more than a cent, and the own municipality never *falls* by more than a cent. In the other direction
  they move by what the pupil costs, which is no rounding.
- With several streams the same holds of the streams in step 1. In step 2 a payer of another stream meets two roundings: its stream
  has at most one cent more, and its own part is rounded again, so it rises by at most two cents. That one cent always suffices is
  not claimed.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.year_builder import LEIJPARK, Year, small_year, turned
from zio_pipeline.budget import DoelgroepBudget
from zio_pipeline.figures import YearInputs, compute_year
from zio_pipeline.payer import Decision, PayerOutcome
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.shares import ShareDetail, split_over_payers, split_over_streams

HIGHEST = 10**12
"""Ten billion euro in cents: far above any order."""
KINDS = {"jeugdwet": "municipality", "adult": "municipality", "wlz_zin": "zorgkantoor", "wlz_pgb": "zorgkantoor"}
Counts = Mapping[tuple[str, str], int]
"""(stream, payer) -> pupils."""

CENTS = st.integers(0, HIGHEST)
CODES = st.integers(1, 400).map(lambda number: f"{number:04d}")
PUPILS = st.integers(1, 40)
MUNICIPALITIES = st.dictionaries(CODES.map(lambda code: ("jeugdwet", code)), PUPILS, min_size=1, max_size=40)
STREAMS = st.dictionaries(st.tuples(st.sampled_from(sorted(KINDS)), CODES), PUPILS, min_size=1, max_size=30)


@cache
def setup() -> SchoolYearSetup:
    return Year().setup()


def outcome(counts: Counts) -> PayerOutcome:
    """So many pupils per stream and payer in doelgroep EMB."""
    found = []
    for (stream, payer), pupils in counts.items():
        found += [
            Decision(
                pupil=f"{stream} {payer} {n}",
                school=LEIJPARK,
                class_code="EMB1",
                order_id="LP",
                doelgroep="EMB",
                stream=stream,
                payer=payer,
                payer_kind=KINDS[stream],
                reason=stream,
                evidence="fictief",
                delivery_form=None,
                age_class="0-11",
                decision_id=None,
                row_ref=f"fictief:{n}",
            )
            for n in range(pupils)
        ]
    return PayerOutcome(tuple(found), (), ())


def budget(cents: int) -> list[DoelgroepBudget]:
    return [DoelgroepBudget("LP", "EMB", 1, 1_00, cents, cents, 0)]


def parts(cents: int, counts: Counts) -> dict[tuple[str, str], int]:
    """Cents per stream and payer."""
    details: list[ShareDetail] = split_over_payers(setup(), budget(cents), outcome(counts))
    assert len({(d.stream, d.payer) for d in details}) == len(details)
    return {(d.stream, d.payer): d.amount_cents for d in details}


def streams(cents: int, counts: Counts) -> dict[str, int]:
    return {s.stream: s.amount_cents for s in split_over_streams(setup(), budget(cents), outcome(counts))}


@given(CENTS, STREAMS)
def test_streams_add_up_to_k_and_payers_to_their_stream(cents: int, counts: Counts) -> None:
    found = parts(cents, counts)
    per_stream: Counter[str] = Counter()
    for (stream, _), part in found.items():
        per_stream[stream] += part
    assert per_stream == Counter(streams(cents, counts))
    assert sum(found.values()) == cents
    assert min(found.values()) >= 0


@given(CENTS, STREAMS)
def test_every_part_is_its_exact_share_rounded_down_or_up(cents: int, counts: Counts) -> None:
    whole, of_stream = sum(counts.values()), Counter[str]()
    for (stream, _), pupils in counts.items():
        of_stream[stream] += pupils
    amounts = streams(cents, counts)
    for stream, amount in amounts.items():
        assert abs(amount * whole - cents * of_stream[stream]) < whole
    for (stream, payer), part in parts(cents, counts).items():
        pupils = counts[stream, payer]
        assert abs(part * of_stream[stream] - amounts[stream] * pupils) < of_stream[stream]


@given(CENTS, STREAMS, st.randoms(use_true_random=False))
def test_the_order_of_the_pupils_does_not_matter(cents: int, counts: Counts, random: Random) -> None:
    items = list(counts.items())
    random.shuffle(items)
    assert parts(cents, dict(items)) == parts(cents, counts)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_of_every_file_does_not_matter(random: Random) -> None:
    year = small_year()
    inputs = year.inputs()
    sheets = {name: list(rows) for name, rows in inputs.sheets.items()}
    payer = turned(inputs.payer)
    for rows in (*sheets.values(), payer.registrations, payer.indications):
        random.shuffle(rows)
    assert compute_year(YearInputs(sheets, payer, inputs.files), 1).tables == compute_year(inputs, 1).tables


@given(CENTS, MUNICIPALITIES.filter(lambda counts: len(counts) > 1), st.data())
def test_joining_two_payers_or_splitting_one_moves_nobody_else_by_more_than_a_cent(
    cents: int, counts: Counts, data: st.DataObject
) -> None:
    """Joining read backwards is splitting."""
    one, other = data.draw(st.permutations(sorted(counts)))[:2]
    joined = {payer: pupils for payer, pupils in counts.items() if payer != other}
    joined[one] = counts[one] + counts[other]
    before, after = parts(cents, counts), parts(cents, joined)
    moved = {payer: abs(after[payer] - before[payer]) for payer in before.keys() - {one, other}}
    assert max(moved.values(), default=0) <= 1


@given(CENTS, STREAMS, st.data())
def test_joining_two_payers_of_a_stream_leaves_the_other_streams_alone(
    cents: int, counts: Counts, data: st.DataObject
) -> None:
    stream = data.draw(st.sampled_from(sorted({stream for stream, _ in counts})))
    mine = sorted(payer for payer in counts if payer[0] == stream)
    joined = {payer: pupils for payer, pupils in counts.items() if payer[0] != stream}
    joined[mine[0]] = sum(counts[payer] for payer in mine)
    before, after = parts(cents, counts), parts(cents, joined)
    assert {p: c for p, c in before.items() if p[0] != stream} == {p: c for p, c in after.items() if p[0] != stream}


def with_one_more(counts: Counts, payer: tuple[str, str]) -> dict[tuple[str, str], int]:
    return {**counts, payer: counts.get(payer, 0) + 1}


@given(CENTS, MUNICIPALITIES, CODES)
def test_a_pupil_more_lets_nobody_else_rise_nor_its_own_municipality_fall_by_more_than_a_cent(
    cents: int, counts: Counts, code: str
) -> None:
    """In a doelgroep with one stream."""
    own = ("jeugdwet", code)
    before, after = parts(cents, counts), parts(cents, with_one_more(counts, own))
    assert all(after[payer] - before[payer] <= 1 for payer in before.keys() - {own})
    assert after[own] - before.get(own, 0) >= -1


@given(CENTS, STREAMS, st.sampled_from(sorted(KINDS)), CODES)
def test_a_pupil_more_in_a_doelgroep_of_several_streams(cents: int, counts: Counts, stream: str, code: str) -> None:
    """Step 1: another stream rises by at most a cent, its own falls by at most a cent. Step 2: two roundings, two cents."""
    grown = with_one_more(counts, (stream, code))
    before, after = streams(cents, counts), streams(cents, grown)
    assert all(after[name] - before[name] <= 1 for name in before.keys() - {stream})
    assert after[stream] - before.get(stream, 0) >= -1
    then, now = parts(cents, counts), parts(cents, grown)
    assert all(now[payer] - then[payer] <= 2 for payer in then if payer[0] != stream)


@given(CENTS, st.dictionaries(CODES.map(lambda code: ("wlz_zin", code)), PUPILS, min_size=1, max_size=8))
def test_a_doelgroep_with_only_wlz_pupils_is_paid_by_zorgkantoren_alone(cents: int, counts: Counts) -> None:
    assert streams(cents, counts) == {"wlz_zin": cents}
    assert sum(parts(cents, counts).values()) == cents


@given(st.integers(0, 10**6))
def test_a_doelgroep_without_hours_and_without_pupils_has_no_parts(pupils_elsewhere: int) -> None:
    empty = [DoelgroepBudget("LP", "LEEG", 0, 0, 0, 0, 0), *budget(pupils_elsewhere)]
    details = split_over_payers(setup(), empty, outcome({("jeugdwet", "0001"): 1}))
    assert [(d.doelgroep, d.amount_cents) for d in details] == [("EMB", pupils_elsewhere)]


@given(CENTS, MUNICIPALITIES)
def test_a_municipality_with_one_pupil_pays_the_price_of_one_pupil(cents: int, counts: Counts) -> None:
    """Within a cent of the exact price, however many the others have."""
    one = ("jeugdwet", "0999")
    alone = {**counts, one: 1}
    assert abs(parts(cents, alone)[one] * sum(alone.values()) - cents) < sum(alone.values())


@pytest.mark.parametrize("cents", [0, 1, 399, 400, 401, HIGHEST - 1, HIGHEST])
def test_four_hundred_municipalities(cents: int) -> None:
    """More than the country has, one pupil each and every hundredth with seven; equal counts differ by at most a cent."""
    counts = {("jeugdwet", f"{number:04d}"): 7 if number % 100 == 0 else 1 for number in range(400)}
    found = parts(cents, counts)
    assert sum(found.values()) == cents
    for pupils in (1, 7):
        equal = [found[payer] for payer in counts if counts[payer] == pupils]
        assert max(equal) - min(equal) <= 1
        assert equal == sorted(equal, reverse=True), "ties go by ascending code"
