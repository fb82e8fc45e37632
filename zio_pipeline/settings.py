"""The settings of a school year: every choice the agreement leaves to the region, named, dated and without a default.

Belongs here: which settings exist, how each is read, and the Dutch words the workbook uses (sheet `schooljaar`).
Does not belong here: what a setting does (that stands where the rule stands).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.school_year import SchoolYear


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
    planned_is_delivered: bool
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
    "planning_is_realisatie": ("planned_is_delivered", lambda text: _yes_no(text) == "ja"),
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


def read_settings(rows: Iterable[Mapping[str, Any]]) -> Settings:
    """Read the settings valid on 1 August of the school year that the sheet names.

    Args:
        rows: key, value, valid_from, valid_to (inclusive) of the sheet `schooljaar`.

    Raises:
        SetupError: a setting is unknown, missing, double on that day, or cannot be read; every problem is named.
    """
    rows = list(rows)
    named = {row["value"].strip() for row in rows if row["key"] == "schooljaar"}
    if len(named) != 1:
        raise SetupError("Blad 'schooljaar' moet precies één schooljaar noemen.")
    try:
        first_day = SchoolYear.parse(named.pop()).first_day
    except ValueError as error:
        raise SetupError("De instelling 'schooljaar' is onleesbaar; schrijf bijvoorbeeld 2025-2026.") from error
    values: dict[str, Any] = {}
    problems = [f"instelling '{row['key']}' bestaat niet" for row in rows if row["key"] not in READERS]
    for key, (field, reader) in READERS.items():
        valid = [
            r
            for r in rows
            if r["key"] == key
            and r["valid_from"] <= first_day
            and (r["valid_to"] is None or first_day <= r["valid_to"])
        ]
        if len(valid) != 1:
            problems.append(
                f"instelling '{key}' heeft {len(valid)} waarden op {first_day:%d-%m-%Y}; dat moet er één zijn"
                f" ({_periods(row for row in rows if row['key'] == key) or 'zij staat niet op het blad'})"
            )
            continue
        try:
            values[field] = reader(valid[0]["value"].strip())
        except ValueError as error:
            problems.append(f"instelling '{key}' is onleesbaar: {error}")
    if not problems:
        problems = _contradictions(values)
    if problems:
        raise SetupError("Blad 'schooljaar' klopt niet:\n- " + "\n- ".join(problems))
    return Settings(**values)


def _periods(rows: Iterable[Mapping[str, Any]]) -> str:
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
