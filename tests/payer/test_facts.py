"""What stays of a row after establishment decides as the row itself did: no birth date, no postcode, the same payers (SPEC 8)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.year_builder import BREDA, TILBURG, Year, open_reasons, small_year, turned
from zio_pipeline.errors import SetupError
from zio_pipeline.payer import PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.payer.facts import Facts, facts_of, thinned

GONE = {"birth_date", "postcode", "country", "secret_address", "municipality_since", "municipality_evidence"}


def thin(year: Year) -> PayerInputs:
    """The inputs with every row replaced by its facts."""
    inputs, chosen = year.payer_inputs(), year.setup().settings
    rows = [thinned(facts, chosen) for facts in facts_of(inputs.registrations, chosen)]
    assert not [row for row in rows if GONE & row.keys()]
    return replace(inputs, registrations=rows)


def same(year: Year) -> PayerOutcome:
    """The outcome of a year, which is the same from the facts, in whatever order they stand."""
    outcome, left = year.outcome(), thin(year)
    assert decide_payers(year.setup(), left) == outcome
    assert decide_payers(year.setup(), turned(left)) == outcome
    return outcome


def test_a_year_decides_the_same_from_facts() -> None:
    assert len(same(small_year()).decisions) == 11


@pytest.mark.parametrize(
    "row",
    [
        {"country": "België"},
        {"secret_address": True, "municipality": None},
        {"postcode": "5022KE"},
        {"municipality": None},
        {"municipality": "Haaren", "postcode": "5268AB"},
        {"municipality": "Haaren", "postcode": None},
        {"municipality_since": date(2025, 7, 2)},
        {"municipality_since": date(2024, 7, 2), "municipality_evidence": "confirmed"},
        {"birth_date": date(2007, 8, 18)},
        {"birth_date": date(2007, 8, 19)},
        {"needs_care": False},
        {"class_code": "aangemeld"},
        {"placed_from": date(2025, 9, 1)},
        {"placed_to": date(2025, 8, 17)},
        {"class_code": "EMB9"},
    ],
)
@pytest.mark.parametrize("policy", ["betaalbaar", "werklijst"])
def test_every_rule_decides_the_same_from_facts(row: dict[str, Any], policy: str) -> None:
    year = Year(achttien_plus=policy)
    year.pupil("p", **row)
    same(year)


def test_rows_that_contradict_each_other_still_do() -> None:
    """Also when what differs is gone: two birth dates of one age class."""
    year = Year()
    year.pupil("p", birth_date=date(2015, 3, 1))
    year.pupil("p", birth_date=date(2015, 3, 2))
    assert open_reasons(same(year)) == ["contradicting_rows"]


def test_the_same_row_twice_is_no_contradiction() -> None:
    year = Year()
    year.pupil("p")
    year.pupil("p")
    assert open_reasons(same(year)) == []


@pytest.mark.parametrize(
    "changed", [{"peildatum": "02-07-2025"}, {"startdatum": "19-08-2025"}, {"verblijf_postcodes": "5022KE 5038AA"}]
)
def test_facts_answer_no_other_question_than_they_were_read_for(changed: dict[str, str]) -> None:
    """Another peildatum needs another municipality: the school must deliver again, nobody guesses."""
    year = small_year()
    left, other = thin(year), small_year(**changed)
    with pytest.raises(SetupError, match="Laat de scholen hun leerlingbestand opnieuw aanleveren"):
        decide_payers(other.setup(), left)


def test_whole_and_thin_rows_go_together() -> None:
    """A school that redelivered stands beside one that did not."""
    year = small_year()
    whole, left = year.payer_inputs(), thin(year)
    mixed = replace(whole, registrations=[*left.registrations[:4], *whole.registrations[4:]])
    assert decide_payers(year.setup(), mixed) == year.outcome()


@settings(max_examples=50)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "birth_date": st.dates(date(2003, 1, 1), date(2021, 1, 1)),
                "municipality": st.sampled_from([TILBURG, BREDA, "Haaren", "Onbekend", None]),
                "postcode": st.sampled_from(["5022KE", "5268AB", "5038AA", None]),
                "secret_address": st.sampled_from([True, False, None]),
                "country": st.sampled_from([None, "NL", "België"]),
                "needs_care": st.sampled_from([True, False, None]),
                "municipality_since": st.none() | st.dates(date(2020, 1, 1), date(2026, 1, 1)),
                "municipality_evidence": st.sampled_from([None, "brp", "school", "address", "confirmed"]),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_rows_decide_the_same_from_facts(rows: list[dict[str, Any]]) -> None:
    year = Year(achttien_plus="betaalbaar")
    for number, row in enumerate(rows):
        year.pupil(f"p{number % 4}", **row)
    same(year)


def test_facts_hold_no_day_but_those_of_the_placement() -> None:
    days = [name for name, kind in Facts.__annotations__.items() if kind in (date, date | None)]
    assert days == ["placed_from", "placed_to"]
