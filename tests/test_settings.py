"""Settings: every choice of the region is named, dated and without a default; what is missing or unreadable stops."""

from datetime import date
from typing import Any

import pytest

from tests.year_builder import SETTINGS, Year
from zio_pipeline.errors import SetupError
from zio_pipeline.settings import READERS, Ground, Settings, read_settings


def settings(**changed: str | None) -> Settings:
    return read_settings(Year(**changed).sheets["settings"])


def problem(**changed: str | None) -> str:
    with pytest.raises(SetupError) as stopped:
        settings(**changed)
    return str(stopped.value)


def test_a_complete_sheet_is_read_into_types() -> None:
    read = settings()
    assert read.school_year.key == "2025-2026"
    assert read.fictitious
    assert (read.start_date, read.reference_date) == (date(2025, 8, 18), date(2025, 7, 1))
    assert (read.split_key, read.pgb_policy, read.integral_policy) == ("head_count", "excluded", "worklist")
    assert (read.adult_policy, read.need_flag_counts) == ("worklist", True)
    assert read.term_weights == (1,) * 10
    assert (read.first_half_due_month, read.second_half_due_month) == (1, 7)
    assert read.stay_postcodes == {"5022KE"}


def test_ten_terms_run_from_september_to_june() -> None:
    """SPEC 4: terms are ten, September to June (setting); the first half is September to January."""
    read = settings()
    assert read.term_keys[0] == "2025-09"
    assert read.term_keys[-1] == "2026-06"
    assert read.first_half_keys == {"2025-09", "2025-10", "2025-11", "2025-12", "2026-01"}


@pytest.mark.parametrize("key", [key for key in READERS if key != "schooljaar"])
def test_no_setting_has_a_default(key: str) -> None:
    """SPEC 4: `pgb_policy` has no default, and nothing else falls back on one either."""
    assert f"'{key}' heeft 0 waarden" in problem(**{key: None})


def test_the_school_year_must_be_named_exactly_once() -> None:
    assert "precies één schooljaar" in problem(schooljaar=None)
    year = Year()
    year.add("settings", key="schooljaar", value="2026-2027")
    with pytest.raises(SetupError, match="precies één schooljaar"):
        read_settings(year.sheets["settings"])
    assert "2025-2026" in problem(schooljaar="2025/2026")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("startdatum", "31-02-2026"),
        ("startdatum", "18-08-25"),
        ("peildatum", "2025-13-01"),
        ("pgb_beleid", "gewoon"),
        ("fictief", "misschien"),
        ("termijnmaanden", "09 10 13"),
        ("termijnmaanden", "09 09"),
        ("termijnmaanden", ""),
        ("termijngewichten", "1,5 1"),
        ("termijngewichten", "1 -1"),
        ("termijngewichten", "1_0"),
        ("vervalmaand_eerste_helft", "01 07"),
        ("vervalmaand_tweede_helft", "juli"),
        ("penvoerder", "Tilburg"),
        ("wlz_aandeel_vorig_jaar_promille", "1001"),
        ("wlz_aandeel_afwijking_promille", "5%"),
        ("verblijf_postcodes", "5022"),
    ],
)
def test_what_cannot_be_read_is_named_in_dutch(key: str, value: str) -> None:
    """A reader of the message meets no English sentence of Python's own."""
    message = problem(**{key: value})
    assert f"instelling '{key}' is onleesbaar: " in message
    assert "schrijf" in message or "kies uit" in message
    assert not any(word in message for word in ("invalid", "literal", "must be", "unpack", "range"))


def test_a_setting_nobody_knows_stops() -> None:
    year = Year()
    year.add("settings", key="peildtum", value="01-07-2025")
    with pytest.raises(SetupError, match="'peildtum' bestaat niet"):
        read_settings(year.sheets["settings"])


def test_every_problem_is_named_at_once() -> None:
    message = problem(pgb_beleid=None, penvoerder="x", fictief="x")
    assert all(key in message for key in ("pgb_beleid", "penvoerder", "fictief"))


def with_period(key: str, value: str, valid_from: date, valid_to: date | None) -> list[dict[str, Any]]:
    rows = Year(**{key: None}).sheets["settings"]
    row = Year().add("settings", key=key, value=value, valid_from=valid_from, valid_to=valid_to)
    return [*rows, row]


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "counts"),
    [
        (date(2025, 8, 1), None, True),
        (date(2020, 1, 1), date(2025, 8, 1), True),
        (date(2020, 1, 1), date(2025, 7, 31), False),
        (date(2025, 8, 2), None, False),
    ],
)
def test_the_value_valid_on_1_august_counts_and_none_falls_through(
    valid_from: date, valid_to: date | None, counts: bool
) -> None:
    """SPEC 2: every value is dated, all dates inclusive; a value that is not dated for this year is not there."""
    rows = with_period("penvoerder", "0797", valid_from, valid_to)
    if counts:
        assert read_settings(rows).penvoerder == "0797"
    else:
        with pytest.raises(SetupError, match="'penvoerder' heeft 0 waarden"):
            read_settings(rows)


def test_two_values_on_the_same_day_stop() -> None:
    year = Year()
    year.add("settings", key="penvoerder", value="0797")
    with pytest.raises(SetupError, match="'penvoerder' heeft 2 waarden"):
        read_settings(year.sheets["settings"])


# --- planning is realisatie: what the law may change in the course of a year -----------------------------------------------

NZA = "NZa BR/REG-22161a"
HELD = (date(2023, 6, 1), date(2025, 9, 1))


def planning(*rows: tuple[str, date, date | None, str | None]) -> tuple[Ground, ...]:
    """The grounds of a sheet with these rows (value, from, up to and including, source) of the setting."""
    year = Year(planning_is_realisatie=None)
    names = ("value", "valid_from", "valid_to", "source")
    for row in rows:
        year.add("settings", key="planning_is_realisatie", **dict(zip(names, row, strict=True)))
    found = read_settings(year.sheets["settings"]).planning_grounds
    assert read_settings(year.sheets["settings"][::-1]).planning_grounds == found
    return found


def test_planning_counts_as_delivery_from_day_to_day_on_a_legal_ground() -> None:
    """The NZa policy rule held until 1 September 2025 (DOMAIN 2.3)."""
    assert planning((" Ja ", *HELD, NZA), ("nee", date(2025, 9, 2), None, "verlopen")) == (Ground(NZA, *HELD),)
    assert settings().planning_grounds == (), "nee the whole year"


def test_grounds_may_follow_each_other() -> None:
    later = (date(2025, 9, 2), None)
    assert planning(("ja", *later, "B"), ("ja", *HELD, "A")) == (Ground("A", *HELD), Ground("B", *later))


def test_a_row_of_another_year_says_nothing_about_this_one() -> None:
    """Not even when it overlaps, names no ground or cannot be read."""
    before, after = (date(2024, 8, 1), date(2025, 7, 31)), (date(2026, 8, 1), None)
    year = (date(2025, 8, 1), date(2026, 7, 31))
    rows = [("ja", *before, None), ("jaa", *before, None), ("nee", *year, "fictief"), ("ja", *after, NZA)]
    assert planning(*rows) == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("ja", date(2023, 6, 1), None, NZA), ("nee", date(2025, 10, 1), None, "x")], "2 waarden op 01-10-2025"),
        ([("ja", *HELD, NZA), ("nee", date(2025, 9, 1), None, "x")], "2 waarden op 01-09-2025"),
        ([("ja", *HELD, NZA), ("nee", date(2025, 9, 3), None, "x")], "0 waarden op 02-09-2025"),
        ([("ja", *HELD, NZA)], "0 waarden op 02-09-2025"),
        ([("ja", date(2025, 8, 1), None, " ")], "is onleesbaar: bij ja hoort de wettelijke grondslag in de kolom bron"),
        ([("nee", *HELD, "x"), ("ja", date(2025, 9, 2), None, None)], "bij ja hoort de wettelijke grondslag"),
        ([("nee", *HELD, "x"), ("jaa", date(2025, 9, 2), None, NZA)], "is onleesbaar: kies uit ja, nee"),
    ],
)
def test_every_day_of_the_year_has_one_value_that_can_be_read_and_a_ground_where_it_is_ja(
    rows: list[tuple[str, date, date | None, str | None]], said: str
) -> None:
    with pytest.raises(SetupError, match="instelling 'planning_is_realisatie'") as stopped:
        planning(*rows)
    assert said in str(stopped.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"startdatum": "31-07-2025"}, "startdatum ligt niet in het schooljaar"),
        ({"startdatum": "01-08-2026"}, "startdatum ligt niet in het schooljaar"),
        ({"peildatum": "18-08-2025"}, "peildatum moet vóór de startdatum"),
        ({"termijngewichten": "1 1"}, "niet evenveel termijngewichten"),
        ({"termijngewichten": "0 0 0 0 0 0 0 0 0 0"}, "allemaal nul"),
        ({"termijnmaanden": "10 09 11 12 01 02 03 04 05 06"}, "niet in de volgorde"),
        ({"eerste_helft": "08 09"}, "eerste helft moet een deel"),
        ({"eerste_helft": SETTINGS["termijnmaanden"]}, "eerste helft moet een deel"),
    ],
)
def test_settings_that_contradict_each_other_stop(changed: dict[str, str], said: str) -> None:
    assert said in problem(**changed)


def test_excel_may_rob_a_municipality_code_of_its_zero() -> None:
    """Excel makes 855 of 0855; a sender with a code of its own stays as it is."""
    assert settings(penvoerder="855").penvoerder == "0855"
    assert settings(afzender="855").sender == "0855"
    assert settings(afzender="GR-HVB").sender == "GR-HVB"


def test_no_stay_locations_is_said_in_so_many_words() -> None:
    assert settings(verblijf_postcodes="geen").stay_postcodes == frozenset()
    assert settings(verblijf_postcodes="5022ke 5044el").stay_postcodes == {"5022KE", "5044EL"}


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = Year().sheets["settings"]
    assert read_settings(rows) == read_settings(rows[::-1])
