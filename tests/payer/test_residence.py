"""Rules 4 to 6 of SPEC 3: age, and the municipality that is responsible on the peildatum; never a guess."""

from datetime import date
from typing import Any

import pytest

from tests.year_builder import BREDA, TILBURG, VUGHT, Year, decision_of, open_reasons, signal_reasons
from zio_pipeline.payer import PayerOutcome

ADULT = {"birth_date": date(2007, 8, 18)}


def outcome_of(settings: dict[str, str] | None = None, **row: Any) -> PayerOutcome:
    year = Year(**(settings or {}))
    year.pupil("p1", **row)
    return year.outcome()


def test_the_municipality_pays_under_the_jeugdwet() -> None:
    """SPEC 3 rule 6: woonplaatsbeginsel."""
    found = decision_of(outcome_of(municipality=BREDA), "p1")
    assert (found.stream, found.payer, found.payer_kind, found.reason) == (
        "jeugdwet",
        BREDA,
        "municipality",
        "jeugdwet",
    )


@pytest.mark.parametrize(
    ("given", "evidence"),
    [
        ("confirmed", "bevestigd door de gemeente"),
        ("brp", "BRP"),
        ("school", "opgave van de school"),
        ("address", "alleen het adres"),
        (None, "opgave van de school"),
    ],
)
def test_evidence_is_kept(given: str | None, evidence: str) -> None:
    """SPEC 3 rule 6; a file of the school that says nothing is the school's own statement."""
    assert decision_of(outcome_of(municipality_evidence=given), "p1").evidence == evidence


def test_since_when_the_municipality_holds_stands_in_the_evidence() -> None:
    """Valid time beside the evidence itself."""
    assert decision_of(outcome_of(municipality_since=date(2024, 2, 1)), "p1").evidence == "BRP, sinds 2024-02-01"


@pytest.mark.parametrize(
    ("stated", "postcode", "payer"),
    [
        ("Tilburg", None, TILBURG),
        ("tilburg (gemeente)", None, TILBURG),
        ("855", None, TILBURG),
        ("Den Bosch", None, "0796"),
        ("Uden", None, "1991"),
        ("Haaren", "5268AB", VUGHT),
        ("0788", "5074AB", TILBURG),
        ("Breda", "5074AB", BREDA),
    ],
)
def test_old_merged_and_divided_municipalities_resolve_by_dated_table_and_postcode(
    stated: str, postcode: str | None, payer: str
) -> None:
    """SPEC 3 rule 6; the file's municipality goes before the address."""
    assert decision_of(outcome_of(municipality=stated, postcode=postcode), "p1").payer == payer


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"country": "België", "municipality": None}, "abroad"),
        ({"country": "Belgie"}, "abroad"),
        ({"municipality": "België"}, "abroad"),
        ({"municipality": None}, "municipality_missing"),
        ({"municipality": "Onbekend"}, "municipality_unknown"),
        ({"municipality": "9999"}, "municipality_unknown"),
        ({"municipality": "Haaren", "postcode": None}, "municipality_split"),
        ({"secret_address": True, "municipality": None, "postcode": None}, "secret_address"),
        ({"postcode": "5022KE"}, "stay"),
        ({"municipality_since": date(2025, 7, 2)}, "municipality_after_reference_date"),
    ],
)
@pytest.mark.parametrize("age", [{}, ADULT])
def test_what_the_rules_cannot_tell_goes_to_the_worklist(row: dict[str, Any], reason: str, age: dict[str, Any]) -> None:
    """SPEC 3 rule 5, also for a payable adult."""
    outcome = outcome_of({"achttien_plus": "betaalbaar"}, **row, **age)
    assert outcome.decisions == ()
    assert open_reasons(outcome) == [reason]


def test_a_secret_address_with_a_stated_municipality_is_paid() -> None:
    assert decision_of(outcome_of(secret_address=True, postcode=None), "p1").payer == TILBURG


def test_the_municipality_of_the_peildatum_itself_counts() -> None:
    """Moved on the peildatum: known on it, so that one pays; a day later it is not that of the peildatum."""
    assert decision_of(outcome_of(municipality_since=date(2025, 7, 1)), "p1").payer == TILBURG


@pytest.mark.parametrize("country", [None, "", "NL", "nederland", " Nederland "])
def test_no_country_means_the_netherlands(country: str | None) -> None:
    assert decision_of(outcome_of(country=country), "p1").payer == TILBURG


def test_an_adult_without_wlz_goes_by_setting() -> None:
    """SPEC 3 rule 4: payable by the municipality on a line of its own, or worklist."""
    assert open_reasons(outcome_of(**ADULT)) == ["adult"]
    found = decision_of(outcome_of({"achttien_plus": "betaalbaar"}, municipality=BREDA, **ADULT), "p1")
    assert (found.stream, found.payer, found.reason) == ("adult", BREDA, "adult")


def test_an_adult_on_the_worklist_is_there_for_being_adult() -> None:
    """Rule 4 goes before rule 5."""
    assert open_reasons(outcome_of(country="België", **ADULT)) == ["adult"]


@pytest.mark.parametrize(
    ("born", "turns"),
    [
        (date(2007, 8, 18), False),
        (date(2007, 8, 19), True),
        (date(2008, 7, 31), True),
        (date(2008, 8, 1), False),
    ],
)
def test_who_turns_18_during_the_year_is_reported_only(born: date, turns: bool) -> None:
    """SPEC 3 rule 4: a signal, and the payer stays."""
    outcome = outcome_of({"achttien_plus": "betaalbaar"}, birth_date=born)
    assert ("turns_18" in signal_reasons(outcome)) is turns
    assert decision_of(outcome, "p1").stream == ("adult" if born == date(2007, 8, 18) else "jeugdwet")
