"""Row by row: every rule that can send a row to quarantine, all of its reasons, and none that mislead."""

from typing import Any

import pytest

from tests.intake.files import (
    KEYS,
    csv_bytes,
    csv_of,
    deliver,
    doelgroep,
    indication,
    line,
    order,
    pgn,
    pupil,
    rules,
    school_class,
    setup_sheets,
    table,
    warned,
    xlsx_bytes,
)
from zio_pipeline.contracts import sources
from zio_pipeline.intake import Delivery, take_in_all
from zio_pipeline.privacy import pseudonym

GOOD_PUPIL, GOOD_LINE, GOOD_INDICATION = pupil(99), line(99), indication(99)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (pupil(1, schooljaar="2025"), ["school_year"]),
        (pupil(1, vestiging="Leijpark"), ["brin"]),
        (pupil(1, pgn="123456789"), ["pgn"]),
        (pupil(1, geboortedatum="3-4-52"), ["date"]),
        (pupil(1, geboortedatum="03-04-1994"), ["plausible_birth_date"]),
        (pupil(1, klas=""), ["required"]),
        (pupil(1, plaatsing_tot_en_met="17-08-2025"), ["placement_period"]),
        (pupil(1, postcode="5022"), ["postcode"]),
        (pupil(1, zorgbehoefte="soms"), ["boolean"]),
        (pupil(1, klas="#N/B"), ["code"]),
        (pupil(1, pgn="", geboortedatum="x", klas=" ", postcode="9"), ["required", "date", "required", "postcode"]),
    ],
)
def test_bad_pupils(row: dict[str, Any], expected: list[str]) -> None:
    delivery = deliver(csv_of(GOOD_PUPIL, row))
    assert rules(delivery) == {3: expected}
    assert (delivery.status, delivery.rows_in, delivery.rows_accepted) == ("partly_accepted", 2, 1)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (line(1, uren=""), ["one_duration"]),
        (line(1, minuten="60"), ["one_duration"]),
        (line(1, uren="", begin="8:00", eind="12:00", minuten="5"), ["one_duration"]),
        (line(1, uren="", begin="12:00", eind="8:00"), ["end_after_begin"]),
        (line(1, uren="", begin="8:00", eind="8:30", pauze="30"), ["end_after_begin"]),
        (line(1, uren="0"), ["range"]),
        (line(1, uren="25:00"), ["range"]),
        (line(1, uren="", minuten="1441"), ["range"]),
        (line(1, uren="", minuten="0"), ["range"]),
        (line(1, activiteit="koffie"), ["allowed"]),
        (line(1, functie=""), ["required"]),
        (line(1, agb="12345"), ["agb"]),
        # One mistake gives one reason: without a readable duration nobody can say how many durations there are.
        (line(1, uren="acht"), ["duration"]),
        (line(1, uren="", begin="8 uur", eind="9:00"), ["time"]),
    ],
)
def test_bad_timesheet_lines(row: dict[str, Any], expected: list[str]) -> None:
    good = {**GOOD_LINE, "uren": "7:30"} if ":" in row["uren"] else GOOD_LINE
    delivery = deliver(csv_of(good, row))
    errors = [r.rule for q in delivery.quarantined for r in q.reasons if r.severity == "error"]
    assert (errors, delivery.rows_accepted) == (expected, 1)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (indication(1, besluitnummer="0"), ["range"]),
        (indication(1, besluitnummer="1.5"), ["integer"]),
        (indication(1, **{"verantwoordelijk zorgkantoor": "5522"}), ["zorgkantoor"]),
        (indication(1, ingangsdatum="01-02-2025", einddatum="01-01-2025"), ["indication_period"]),
        (indication(1, **{"pgb percentage": "101"}), ["range"]),
    ],
)
def test_bad_indications(row: dict[str, Any], expected: list[str]) -> None:
    assert rules(deliver(csv_of({**dict.fromkeys(row, ""), **GOOD_INDICATION}, row))) == {3: expected}


def test_a_reason_names_the_place_and_never_the_value() -> None:
    delivery = deliver(csv_of(GOOD_PUPIL, pupil(1, postcode="5022 SS", geboortedatum="31-02-2012")))
    birth_date, postcode = delivery.quarantined[0].reasons
    assert (birth_date.dataset, birth_date.sheet, birth_date.row_number) == ("pupil_registrations", "", 3)
    assert (birth_date.column, birth_date.severity) == ("birth_date", "error")
    assert birth_date.explanation.startswith("Kolom 'geboortedatum': verwacht wordt een bestaande datum")
    assert postcode.explanation == "Kolom 'postcode': verwacht wordt een Nederlandse postcode, bijvoorbeeld 1234 AB."
    assert "SS" not in repr(delivery.quarantined)


def test_the_limits_of_a_range_are_told_in_the_senders_unit() -> None:
    bad = deliver(xlsx_bytes(setup_sheets(orders=[order(), order(opdracht="X", tarief="0", weken=54)])))
    assert [r.explanation for q in bad.quarantined for r in q.reasons] == [
        "Kolom 'weken': verwacht wordt van 1 tot en met 53.",
        "Kolom 'tarief': verwacht wordt ten minste 0,01 euro.",
    ]


def test_a_quarantined_row_keeps_what_could_be_read_and_the_vault_what_was_sent() -> None:
    bad = {**pupil(1, klas="", zorgbehoefte="soms"), "Roepnaam": "Sanne"}
    delivery = deliver(csv_of({**GOOD_PUPIL, "Roepnaam": ""}, bad))
    (row,) = delivery.quarantined
    assert row.row_ref == f"{delivery.label}:3"
    assert row.known["pupil"] == pseudonym(KEYS, "pgn", pgn(1))
    assert row.known["school"] == "02ZX00"
    assert "class_code" not in row.known
    assert "needs_care" not in row.known
    cells = delivery.raw_rows.to_pylist()
    raw = {cell["header"]: (cell["column"], cell["value"]) for cell in cells}
    assert raw["pgn"] == ("pupil", pgn(1))
    assert raw["zorgbehoefte"] == ("needs_care", "soms")
    assert raw["klas"] == ("class_code", "")
    assert raw["Roepnaam"] == ("", "Sanne")
    assert {(cell["sheet"], cell["row_number"]) for cell in cells} == {("", 3)}


def test_no_pupil_or_employee_number_survives_the_door() -> None:
    pupils, hours = deliver(csv_of(pupil(1), pupil(2))), deliver(csv_of(line(123), line(124)))
    assert pupils.accepted["pupil_registrations"]["pupil"].to_pylist() == [
        pseudonym(KEYS, "pgn", pgn(n)) for n in (1, 2)
    ]
    (rows,) = hours.accepted.values()
    assert rows["employee"].to_pylist() == [pseudonym(KEYS, "employee", f"06012345:m{n}") for n in (123, 124)]
    for delivery, secrets in ((pupils, (pgn(1), pgn(2))), (hours, ("M123", "M124"))):
        everything = repr(delivery) + "".join(str(table.to_pydict()) for table in delivery.accepted.values())
        assert not any(secret in everything for secret in secrets)


def test_the_same_person_has_one_pseudonym_however_the_number_is_written() -> None:
    delivery = deliver(csv_of(pupil(1), pupil(1, klas="SO-2", pgn=f" {pgn(1)[:4]}.{pgn(1)[4:]}")))
    assert len(set(delivery.accepted["pupil_registrations"]["pupil"].to_pylist())) == 1
    assert len(people(line(1), line(2, medewerker="m1"), line(3, medewerker="00m1"))) == 1


def people(*rows: dict[str, Any]) -> set[str]:
    """Who wrote these lines."""
    return set(deliver(csv_of(*rows)).accepted["provider_timesheets"]["employee"].to_pylist())


def test_a_personnel_number_means_somebody_within_its_employer_only() -> None:
    """Two employers both number from 1001: their people cannot be linked by what they are called here."""
    here, there = line(1, medewerker="1001"), line(1, medewerker="1001", agb="06054321")
    assert people(here, line(2, medewerker="1001", klas="SO-2")) == people(here)
    assert not people(here) & people(there)
    assert people(here, line(1, medewerker="01001", agb="6012345")) == people(here), "zeros that Excel lost"


def test_every_row_is_of_the_provider_that_stands_in_it() -> None:
    """Also in a row that is quarantined, and where files of several providers are read at once."""
    rows = [line(1, medewerker="7"), line(1, medewerker="7", agb="06054321", klas=""), line(1, medewerker="7", agb="x")]
    mixed, other = take_in_all([csv_of(*rows), csv_of(line(1, medewerker="7", agb="06054321"))], KEYS)
    mine, theirs = (pseudonym(KEYS, "employee", f"{agb}:7") for agb in ("06012345", "06054321"))
    assert mixed.accepted["provider_timesheets"]["employee"].to_pylist() == [mine]
    assert other.accepted["provider_timesheets"]["employee"].to_pylist() == [theirs]
    known, unknown = (row.known["employee"] for row in mixed.quarantined)
    assert known == theirs
    assert unknown not in (mine, theirs), "whose employee it is cannot be read, so it is nobody else's"


def test_a_shifted_row_is_not_believed() -> None:
    header, good, shifted = table([pupil(1), pupil(2)])
    delivery = deliver(csv_bytes([header, good, [*shifted, "extra"]]))
    assert rules(delivery) == {3: ["extra_cells"]}


def test_a_short_row_has_empty_cells() -> None:
    header, good, short = table([pupil(1), pupil(2)])
    assert deliver(csv_bytes([header, good, short[: header.index("plaatsing vanaf") + 1]])).rows_accepted == 2


def test_of_equal_rows_the_first_stays() -> None:
    again = pupil(1, geboortedatum="2012-04-03", vestiging="02zx00")
    delivery = deliver(csv_of(pupil(1), pupil(2), again, pupil(1)))
    assert rules(delivery) == {4: ["duplicate_row"], 5: ["duplicate_row"]}
    assert delivery.rows_accepted == 2


def test_equal_rows_that_are_bad_anyway_get_no_second_reason() -> None:
    assert rules(deliver(csv_of(pupil(1), pupil(2, klas=""), pupil(2, klas="")))) == {3: ["required"], 4: ["required"]}


def test_a_bad_row_never_takes_the_place_of_an_equal_good_one() -> None:
    header, good = table([pupil(1)])
    delivery = deliver(csv_bytes([header, [*good, "extra"], good]))
    assert rules(delivery) == {2: ["extra_cells"]}
    assert delivery.rows_accepted == 1


def test_equal_timesheet_lines_are_a_signal_and_both_count() -> None:
    delivery = deliver(csv_of(line(1), line(2), line(1)))
    assert (delivery.status, delivery.rows_accepted) == ("accepted", 3)
    assert warned(delivery) == [(4, "duplicate_row")]


def test_warnings_leave_the_row_accepted() -> None:
    long_day = deliver(csv_of(line(1, uren="12,5"), line(2, uren="12")))
    assert (long_day.status, warned(long_day)) == ("accepted", [(2, "at_most_twelve_hours")])
    test_number = deliver(csv_of(pupil(1, pgn="999990019"), pupil(2)))
    assert (test_number.status, warned(test_number)) == ("accepted", [(2, "test_number")])


@pytest.mark.parametrize(
    ("days", "warns"),
    [
        ({}, False),
        (dict.fromkeys(("ingeleverd op", "akkoord school", "doorgestuurd op"), "02-09-2025"), False),
        ({"ingeleverd op": "05-09-2025", "akkoord school": "01-09-2025"}, True),
        ({"akkoord school": "09-09-2024"}, True),
        ({"ingeleverd op": "01-09-2025"}, True),
        ({"doorgestuurd op": "01-09-2025"}, True),
    ],
    ids=str,
)
def test_a_day_of_handing_in_or_approval_before_the_work_is_a_warning(days: dict[str, str], warns: bool) -> None:
    """The hours stay in sight, as hours that nobody approved yet; the work of a line is of 2 September."""
    delivery = deliver(csv_of(line(1, **days)))
    assert delivery.rows_accepted == 1
    assert warned(delivery) == ([(2, "dated_after_work")] if warns else [])


def setup(**changes: Any) -> Delivery:
    return deliver(xlsx_bytes(setup_sheets(**changes)))


def reasons(delivery: Delivery) -> dict[tuple[str, int], list[str]]:
    return {(row.dataset, row.row_number): [r.rule for r in row.reasons] for row in delivery.quarantined}


def test_of_rows_with_one_key_none_is_used() -> None:
    delivery = setup(
        classes=[
            school_class("A"),
            school_class("B"),
            school_class("A", doelgroep="MG"),
            school_class("A", doelgroep="LG"),
        ]
    )
    assert reasons(delivery) == {("classes", number): ["duplicate_key"] for number in (2, 4, 5)}
    assert delivery.status == "refused", "what a class costs may not be left out: the workbook counts whole or not"
    assert "3 onjuiste rij" in (delivery.reason or "")
    assert not delivery.accepted


def test_of_equal_rows_with_one_key_the_first_is_used() -> None:
    assert reasons(setup(classes=[school_class("A"), school_class("A")])) == {("classes", 3): ["duplicate_row"]}


def test_a_key_is_double_even_when_one_of_its_rows_is_bad_otherwise() -> None:
    delivery = setup(doelgroepen=[doelgroep("EMB"), doelgroep("EMB", omschrijving="")])
    assert reasons(delivery) == {
        ("doelgroepen", 2): ["duplicate_key"],
        ("doelgroepen", 3): ["required", "duplicate_key"],
    }


def test_two_periods_of_one_setting_are_two_rows() -> None:
    first = {"instelling": "schooljaar", "waarde": "2025-2026", "geldig vanaf": "01-08-2025", "bron": "x"}
    key = {**first, "instelling": "peildatum", "waarde": "01-07-2025"}
    delivery = setup(
        settings=[
            first,
            key,
            {**key, "geldig vanaf": "01-01-2026"},
            {**key, "geldig vanaf": "01-01-2026", "waarde": "x"},
        ]
    )
    assert reasons(delivery) == {("settings", 4): ["duplicate_key"], ("settings", 5): ["duplicate_key"]}


def test_two_membership_periods_of_one_municipality_are_two_rows() -> None:
    row = {"gemeentecode": "855", "gemeente": "Tilburg", "bron": "x", "lid vanaf": "01-01-2015", "lid tot en met": ""}
    again = {**row, "lid vanaf": "01-01-2024"}
    assert setup(municipalities=[row, again]).accepted["municipalities"].num_rows == 2


def test_a_reference_must_name_an_accepted_row() -> None:
    delivery = setup(
        orders=[order(), order(opdracht="BAD", tarief="gratis"), order(opdracht="NO", vestiging="99ZZ00")],
        classes=[school_class("A"), school_class("B", opdracht="BAD"), school_class("C", opdracht="NO")],
    )
    assert reasons(delivery) == {
        ("orders", 3): ["euro"],
        ("orders", 4): ["reference"],
        ("classes", 3): ["reference"],
        ("classes", 4): ["reference"],
    }


def test_a_pattern_of_the_contract_is_kept() -> None:
    row = {
        "debiteur": "0855",
        "naam": "Tilburg",
        "straat": "x",
        "huisnummer": "1",
        "postcode": "5000 AA",
        "plaats": "x",
    }
    row |= {"verplichtingennummer": "1", "geldig vanaf": "01-08-2025", "bron": "x", "kvk": "1234567"}
    assert reasons(setup(debtors=[row])) == {("debtors", 2): ["pattern"]}


def test_a_besluit_keeps_the_row_it_names() -> None:
    row = {"besluit": "B1", "soort": "niet tellen", "bestand en regel": "pupil_registrations-x:7", "besloten door": "N"}
    delivery = setup(decisions=[{**row, "besloten op": "01-07-2025", "reden": "x", "leerling": pgn(5)}])
    (decision,) = delivery.accepted["decisions"].to_pylist()
    assert decision["row_ref"] == "pupil_registrations-x:7"
    assert decision["pupil"] == pseudonym(KEYS, "pgn", pgn(5))
    assert decision["kind"] == "not_counted"


def test_every_rule_of_every_contract_reads_only_columns_it_names() -> None:
    """A rule is held back while a column it names is bad; a rule that names none would never be."""
    for contract in sources().values():
        for dataset in contract.datasets:
            for rule in dataset.rules:
                assert any(column.name in rule.ok for column in dataset.columns), (dataset.name, rule.name)
