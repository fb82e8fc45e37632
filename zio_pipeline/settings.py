"""The settings of a school year: every choice the agreement leaves to the region, named, dated and without a default.

Belongs here: which settings exist, how each is read, and the Dutch words the workbook uses (sheet `schooljaar`).
Does not belong here: what a setting does (that stands where the rule stands).

Of nearly every setting the value of 1 August holds for the whole school year. What the law may change in the course of a year
(`DATED`) has a value on every day of it: exactly one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.school_year import SchoolYear

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ground:
    """On what legal ground planning counts as delivery (planning is realisatie), from when up to and including when.

    `last` None: no end.
    """

    legal_ground: str
    first: date
    last: date | None


@dataclass(frozen=True)
class Settings:
    """One value per setting, for one school year. Shares are in per mille; months are calendar months 1 to 12."""

    school_year: SchoolYear
    fictitious: bool
    start_date: date
    reference_date: date
    key_type: str
    split_key: str
    pgb_policy: str
    integral_policy: str
    adult_policy: str
    budget_basis: str
    vat_category: str
    accrual_basis: str
    forecast_index_permille: int
    wait_for_claims: bool
    planning_grounds: tuple[Ground, ...]
    delivery_tolerance_permille: int
    timesheet_grace_days: int
    need_flag_counts: bool
    term_months: tuple[int, ...]
    term_weights: tuple[int, ...]
    first_half_months: tuple[int, ...]
    first_half_due_month: int
    second_half_due_month: int
    region_code: str
    region_name: str
    jeugdregio: str
    penvoerder: str
    sender: str
    wlz_share_last_year_permille: int
    wlz_share_tolerance_permille: int
    stay_postcodes: frozenset[str]

    @property
    def term_keys(self) -> tuple[str, ...]:
        """The terms as month keys, in order: 2025-09 ... 2026-06."""
        return tuple(self.school_year.month_key(month) for month in self.term_months)

    @property
    def first_half_keys(self) -> frozenset[str]:
        """Month keys of the terms that fall in the first half."""
        return frozenset(self.school_year.month_key(month) for month in self.first_half_months)


def _choice(**words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.casefold() not in words:
            raise ValueError("kies uit " + ", ".join(words))
        return words[text.casefold()]

    return read


def _day(text: str) -> date:
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text)
    dutch = re.fullmatch(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})", text)
    parts = iso.groups() if iso else dutch.groups()[::-1] if dutch else ()
    try:
        year, month, day = map(int, parts)
        return date(year, month, day)
    except ValueError:
        raise ValueError("schrijf een bestaande datum als dd-mm-jjjj") from None


def _whole_numbers(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]+( +[0-9]+)*", text):
        raise ValueError("schrijf hele getallen van nul of meer met een spatie ertussen")
    return tuple(int(part) for part in text.split())


def _months(text: str) -> tuple[int, ...]:
    months = _whole_numbers(text)
    if any(not 1 <= month <= 12 for month in months) or len(set(months)) != len(months):
        raise ValueError("schrijf maanden als 01 tot en met 12, elk één keer, met een spatie ertussen")
    return months


def _month(text: str) -> int:
    months = _months(text)
    if len(months) > 1:
        raise ValueError("schrijf één maand, 01 tot en met 12")
    return months[0]


def _permille(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > 1000:
        raise ValueError("schrijf een heel getal van 0 tot en met 1000")
    return int(text)


def _days(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise ValueError("schrijf een heel aantal dagen")
    return int(text)


def _index(text: str) -> int:
    if not re.fullmatch(r"[0-9]{3,4}", text) or not 500 <= int(text) <= 2000:
        raise ValueError("schrijf een heel getal van 500 tot en met 2000; 1000 is gelijkblijvend")
    return int(text)


def _postcodes(text: str) -> frozenset[str]:
    codes = () if text.casefold() == "geen" else text.upper().split()
    if any(not re.fullmatch(r"[1-9]\d{3}[A-Z]{2}", code) for code in codes):
        raise ValueError("schrijf postcodes als 1234AB met een spatie ertussen, of 'geen'")
    return frozenset(codes)


def _municipality_code(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError("schrijf een gemeentecode van vier cijfers")
    return text.zfill(4)


def _party(text: str) -> str:
    """A municipality by its code, which Excel robs of its first zero, or a body by a code of its own."""
    return text.zfill(4) if text.isdecimal() else text


_yes_no = _choice(ja="ja", nee="nee")

READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "schooljaar": ("school_year", SchoolYear.parse),
    "fictief": ("fictitious", lambda text: _yes_no(text) == "ja"),
    "startdatum": ("start_date", _day),
    "peildatum": ("reference_date", _day),
    "sleutelsoort": ("key_type", _choice(pgn="pgn")),
    "verdeelsleutel": ("split_key", _choice(leerlingen="head_count", verhouding="agreed_ratio")),
    "pgb_beleid": (
        "pgb_policy",
        _choice(
            buiten_sleutel="excluded", zorgkantoor="zorgkantoor", gemeente="municipality", pgb_houders="pgb_holders"
        ),
    ),
    "integraal_tarief": ("integral_policy", _choice(als_zin="as_zin", uitgesloten="excluded", werklijst="worklist")),
    "achttien_plus": ("adult_policy", _choice(betaalbaar="payable", werklijst="worklist")),
    "bekostiging": ("budget_basis", _choice(per_klas="per_class", leerlinggewicht="per_pupil_weight")),
    "btw_categorie": ("vat_category", _choice(vrijgesteld="E", buiten_bereik="O")),
    "toerekening": ("accrual_basis", _choice(termijnen="terms", maanden="months", schooldagen="school_days")),
    "raming_index_promille": ("forecast_index_permille", _index),
    "wacht_op_declaratie": ("wait_for_claims", lambda text: _yes_no(text) == "ja"),
    "planning_is_realisatie": ("planning_grounds", lambda text: _yes_no(text) == "ja"),
    "uren_afwijking_promille": ("delivery_tolerance_permille", _permille),
    "uren_inlevertermijn_dagen": ("timesheet_grace_days", _days),
    "zorgbehoefte_telt": ("need_flag_counts", lambda text: _yes_no(text) == "ja"),
    "termijnmaanden": ("term_months", _months),
    "termijngewichten": ("term_weights", _whole_numbers),
    "eerste_helft": ("first_half_months", _months),
    "vervalmaand_eerste_helft": ("first_half_due_month", _month),
    "vervalmaand_tweede_helft": ("second_half_due_month", _month),
    "regio_code": ("region_code", str),
    "regio_naam": ("region_name", str),
    "jeugdregio": ("jeugdregio", str),
    "penvoerder": ("penvoerder", _municipality_code),
    "afzender": ("sender", _party),
    "wlz_aandeel_vorig_jaar_promille": ("wlz_share_last_year_permille", _permille),
    "wlz_aandeel_afwijking_promille": ("wlz_share_tolerance_permille", _permille),
    "verblijf_postcodes": ("stay_postcodes", _postcodes),
}
"""Name in the workbook -> field and reader. A reader raises ValueError with what is expected, in Dutch."""


DATED = frozenset({"planning_is_realisatie"})
"""The settings that may change in the course of a school year."""


def read_settings(rows: Iterable[Row]) -> Settings:
    """Read the settings of the school year that the sheet names: as they are on 1 August, those of `DATED` on every day.

    Args:
        rows: key, value, valid_from, valid_to (inclusive), source of the sheet `schooljaar`.

    Raises:
        SetupError: a setting is unknown, or on a day that matters missing or double, cannot be read, or lacks the legal ground
            that it needs; every problem is named.
    """
    rows = list(rows)
    named = {row["value"].strip() for row in rows if row["key"] == "schooljaar"}
    if len(named) != 1:
        raise SetupError("Blad 'schooljaar' moet precies één schooljaar noemen.")
    try:
        year = SchoolYear.parse(named.pop())
    except ValueError as error:
        raise SetupError("De instelling 'schooljaar' is onleesbaar; schrijf bijvoorbeeld 2025-2026.") from error
    values: dict[str, Any] = {}
    problems = [f"instelling '{row['key']}' bestaat niet" for row in rows if row["key"] not in READERS]
    for key, (field, reader) in READERS.items():
        mine = [row for row in rows if row["key"] == key]
        wrong = _not_one_value(key, mine, year)
        if wrong:
            problems += wrong
            continue
        held = [row for row in mine if _holds_in(row, year)] if key in DATED else _valid(mine, year.first_day)
        try:
            read = [(reader(row["value"].strip()), row) for row in held]
            values[field] = _grounds(read) if key in DATED else read[0][0]
        except ValueError as error:
            problems.append(f"instelling '{key}' is onleesbaar: {error}")
    if not problems:
        problems = _contradictions(values)
    if problems:
        raise SetupError("Blad 'schooljaar' klopt niet:\n- " + "\n- ".join(problems))
    return Settings(**values)


def _valid(rows: Iterable[Row], on: date) -> list[Row]:
    return [r for r in rows if r["valid_from"] <= on and (r["valid_to"] is None or on <= r["valid_to"])]


def _holds_in(row: Row, year: SchoolYear) -> bool:
    """Whether a row holds on a day of the school year."""
    return bool(row["valid_from"] <= year.last_day and (row["valid_to"] is None or row["valid_to"] >= year.first_day))


def _not_one_value(key: str, rows: Sequence[Row], year: SchoolYear) -> list[str]:
    """On which day a setting has no value or more than one: 1 August, of a dated one the first such day of the year.

    Whether a day has one value can only change where a row begins, and on the day after a row ends.
    """
    days = {year.first_day}
    if key in DATED:
        days |= {row["valid_from"] for row in rows}
        days |= {row["valid_to"] + timedelta(days=1) for row in rows if row["valid_to"] not in (None, date.max)}
    for day in sorted(filter(year.contains, days)):
        count = len(_valid(rows, day))
        if count != 1:
            periods = _periods(rows) or "zij staat niet op het blad"
            return [f"instelling '{key}' heeft {count} waarden op {day:%d-%m-%Y}; dat moet er één zijn ({periods})"]
    return []


def _grounds(read: Iterable[tuple[bool, Row]]) -> tuple[Ground, ...]:
    """When planning counts as delivery, out of (yes or no, row); the source of a row is its ground.

    Raises:
        ValueError: it does, and no ground is named.
    """
    held = [row for yes, row in read if yes]
    if any(not (row["source"] or "").strip() for row in held):
        raise ValueError("bij ja hoort de wettelijke grondslag in de kolom bron")
    found = (Ground(row["source"].strip(), row["valid_from"], row["valid_to"]) for row in held)
    return tuple(sorted(found, key=lambda ground: ground.first))


def _periods(rows: Iterable[Row]) -> str:
    """'geldig van 01-08-2024 tot en met 31-07-2025; ...': from when to when the rows hold, in order."""
    held = sorted(((row["valid_from"], row["valid_to"]) for row in rows), key=str)
    ends = ("zonder einde" if last is None else f"tot en met {last:%d-%m-%Y}" for _, last in held)
    return "; ".join(f"geldig van {first:%d-%m-%Y} {end}" for (first, _), end in zip(held, ends, strict=True))


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    year, problems = values["school_year"], []
    if not year.contains(values["start_date"]):
        problems.append("de startdatum ligt niet in het schooljaar")
    if values["reference_date"] >= values["start_date"]:
        problems.append("de peildatum moet vóór de startdatum liggen")
    if len(values["term_weights"]) != len(values["term_months"]):
        problems.append("er zijn niet evenveel termijngewichten als termijnmaanden")
    if not any(values["term_weights"]):
        problems.append("de termijngewichten zijn allemaal nul")
    keys = [year.month_key(month) for month in values["term_months"]]
    if keys != sorted(keys):
        problems.append("de termijnmaanden staan niet in de volgorde van het schooljaar")
    if not set(values["first_half_months"]) < set(values["term_months"]):
        problems.append("de eerste helft moet een deel van de termijnmaanden zijn")
    return problems
