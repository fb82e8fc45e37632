"""Absence files of schools: taken in row by row, pupils under their pseudonym, one school and one day of completeness."""

from datetime import date

import pytest

from tests.intake.files import KEYS, Row, csv_of, deliver, pgn, rules
from zio_pipeline.privacy import pseudonym

ABSENCE = "pupil_absence"


def absence(number: int = 1, **changed: str) -> Row:
    """One good row; a name with _ stands for a header with a space."""
    row = {
        "schooljaar": "2025-2026",
        "vestiging": "02ZX00",
        "volledig tot en met": "31-10-2025",
        "pgn": pgn(number),
        "afwezig van": "06-10-2025",
        "afwezig tot en met": "10-10-2025",
        "reden": "ziek",
    }
    return row | {name.replace("_", " "): value for name, value in changed.items()}


def test_an_absence_file_is_taken_in_and_names_nobody():
    delivery = deliver(csv_of(absence(), absence(2, afwezig_tot_en_met="", reden="")))
    assert (delivery.source, delivery.status, delivery.rows_accepted) == (ABSENCE, "accepted", 2)
    scope = (delivery.school_year, delivery.school, delivery.provider, delivery.period)
    assert scope == ("2025-2026", "02ZX00", None, None)
    first, second = delivery.accepted[ABSENCE].to_pylist()
    assert first["pupil"] == pseudonym(KEYS, "pgn", pgn(1)), "the pseudonym it has in the pupil file"
    assert (first["absent_from"], first["absent_to"], first["reason"]) == (date(2025, 10, 6), date(2025, 10, 10), "ill")
    assert (second["absent_to"], second["reason"]) == (None, None)


def test_other_headers_say_the_same():
    names = {"vestiging": "BRIN", "pgn": "BSN", "afwezig tot en met": "Afwezig t/m", "volledig tot en met": "Stand per"}
    row = {names.get(header, header): value for header, value in absence().items()}
    assert (
        deliver(csv_of(row)).accepted[ABSENCE].to_pylist() == deliver(csv_of(absence())).accepted[ABSENCE].to_pylist()
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"vestiging": "01FX00"}, "meer dan één vestiging"),
        ({"volledig_tot_en_met": "30-09-2025"}, "meer dan één volledig tot en met: 30-09-2025, 31-10-2025"),
    ],
)
def test_two_of_what_a_file_is_about_refuse_it(changed: dict[str, str], reason: str):
    delivery = deliver(csv_of(absence(), absence(2, **changed)))
    assert (delivery.status, delivery.rows_accepted) == ("refused", 0)
    assert reason in (delivery.reason or "")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"pgn": "123456789"}, "pgn"),
        ({"afwezig_van": ""}, "required"),
        ({"afwezig_van": "12-10-2025"}, "absence_period"),
        ({"afwezig_van": "06-10-2026", "afwezig_tot_en_met": ""}, "absence_in_school_year"),
        ({"afwezig_van": "06-06-2025", "afwezig_tot_en_met": "31-07-2025"}, "absence_in_school_year"),
        ({"reden": "gebroken been"}, "allowed"),
    ],
)
def test_a_wrong_row_is_set_aside_with_its_reason(changed: dict[str, str], rule: str):
    delivery = deliver(csv_of(absence(), absence(2, **changed)))
    assert (delivery.status, delivery.rows_accepted) == ("partly_accepted", 1)
    assert rules(delivery) == {3: [rule]}


def test_a_day_of_completeness_in_another_year_sets_every_row_aside():
    delivery = deliver(csv_of(absence(volledig_tot_en_met="31-10-2035")))
    assert delivery.rows_accepted == 0
    assert rules(delivery) == {2: ["complete_in_school_year"]}


def test_an_absence_of_last_year_that_goes_on_counts():
    assert deliver(csv_of(absence(afwezig_van="01-06-2025"))).status == "accepted"
