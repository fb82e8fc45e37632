"""The *fictieve* setup workbook ("Inrichting") of a demo year: one sheet per subject of the contract.

Belongs here: the rows of every sheet, written under the headers of the contract.
Does not belong here: the hours and classes themselves (layout), amounts (contract), besluiten (planted).
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from zio_pipeline.contracts import Column, Dataset, sources
from zio_pipeline.demo import contract
from zio_pipeline.demo.debtors import debtor_rows
from zio_pipeline.demo.model import Draft
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK, MEMBERS, OUTSIDE, PLACES, STAY_POSTCODES, TILBURG, ZORGKANTOREN
from zio_pipeline.demo.sheets import Cell, Sheet, label, write_xlsx

REGION = "Regio Hart van Brabant"
SCHOOLS = {LEIJPARK: "Onderwijscentrum Leijpark", DE_BODDE: "De Bodde"}
PROVIDERS = {LEIJPARK: ("41415701", "Siza"), DE_BODDE: ("41415702", "Amarant")}
"""Per school its provider; which serves which is *fictief*, and so are the AGB codes."""

Row = dict[str, Any]


def setup_path(out: Path, draft: Draft) -> Path:
    return out / f"inrichting-{draft.year.key}.xlsx"


def write_setup_book(path: Path, draft: Draft) -> None:
    """Write the workbook; every sheet has a title line that says it is fictitious."""
    datasets = sources()["school_year_setup"].datasets
    titles = (f"Inrichting schooljaar {draft.year.key}: fictief demobestand, geen echte afspraken of bedragen",)
    write_xlsx(path, [_sheet(dataset, titles, _ROWS[dataset.name](draft)) for dataset in datasets])


def _sheet(dataset: Dataset, titles: tuple[str, ...], rows: Iterator[Row]) -> Sheet:
    names = [column.name for column in dataset.columns]
    cells = []
    for row in rows:
        if "source" in names:
            row.setdefault("source", "fictief, demo")
        if unknown := set(row) - set(names):
            raise ValueError(f"{dataset.name} has no {sorted(unknown)}")
        cells.append([_cell(dataset, column, row.get(column.name)) for column in dataset.columns])
    return Sheet(dataset.dutch, titles, [column.dutch for column in dataset.columns], cells)


def _cell(dataset: Dataset, column: Column, value: Any) -> Cell:
    if value is None:
        return None
    if column.allowed:
        return label(dataset, column.name, value)
    if column.kind in ("euro", "hours"):
        return Decimal(value) / 100
    return value if isinstance(value, int | date) else str(value)


def wlz_share_permille(draft: Draft) -> int:
    """Wlz pupils among those who count, per mille, rounded down."""
    streams = [p.outcome[0] for p in draft.placed() if p.outcome[0]]
    return sum(s in ("wlz_zin", "wlz_pgb") for s in streams) * 1000 // len(streams)


def _settings(draft: Draft) -> Iterator[Row]:
    values = {
        "schooljaar": draft.year.key,
        "fictief": "ja",
        "startdatum": f"{draft.start:%d-%m-%Y}",
        "peildatum": f"{draft.reference:%d-%m-%Y}",
        "sleutelsoort": "pgn",
        "verdeelsleutel": "leerlingen",
        "pgb_beleid": "pgb_houders",
        "integraal_tarief": "werklijst",
        "achttien_plus": "werklijst",
        "bekostiging": "per_klas",
        "btw_categorie": "vrijgesteld",
        "toerekening": "termijnen",
        "raming_index_promille": "1030",
        "wacht_op_declaratie": "nee",
        "planning_is_realisatie": "nee",
        "uren_afwijking_promille": "200",
        "uren_inlevertermijn_dagen": "10",
        "zorgbehoefte_telt": "ja",
        "termijnmaanden": "09 10 11 12 01 02 03 04 05 06",
        "termijngewichten": "1 1 1 1 1 1 1 1 1 1",
        "eerste_helft": "09 10 11 12 01",
        "vervalmaand_eerste_helft": "01",
        "vervalmaand_tweede_helft": "07",
        "regio_code": "GR-HVB",
        "regio_naam": REGION,
        "jeugdregio": "Midden Brabant",
        "penvoerder": TILBURG,
        "afzender": "GR-HVB",
        "wlz_aandeel_vorig_jaar_promille": str(max(0, wlz_share_permille(draft) - 9)),
        "wlz_aandeel_afwijking_promille": "60",
        "verblijf_postcodes": " ".join(STAY_POSTCODES),
    }
    for key, value in values.items():
        yield {"key": key, "value": value, "valid_from": draft.year.first_day, "valid_to": draft.year.last_day}


def _schools(draft: Draft) -> Iterator[Row]:
    for school, name in sorted(SCHOOLS.items()):
        yield {
            "school": school,
            "name": name,
            "place": "Tilburg",
            "source": "DUO, vestigingen; demo met fictieve leerlingen",
        }


def _providers(draft: Draft) -> Iterator[Row]:
    for agb, name in PROVIDERS.values():
        yield {"provider": agb, "name": name}


def _orders(draft: Draft) -> Iterator[Row]:
    for school, (agb, _) in PROVIDERS.items():
        agreed = school == DE_BODDE
        yield {
            "order_id": draft.order_id(school),
            "school": school,
            "provider": agb,
            "weeks": next(c.contract_weeks for c in draft.classes),
            "tariff_cents": contract.GUIDANCE_TARIFF_CENTS[school],
            "care_tariff_cents": contract.CARE_TARIFF_CENTS.get(school),
            "amount_basis": "agreed" if agreed else "computed",
            "stated_amount_cents": contract.budget_of(draft, school).stated_cents,
            "tolerance_cents": contract.TOLERANCE_CENTS if agreed else None,
            "valid_from": draft.year.first_day,
            "valid_to": draft.year.last_day,
            "source": "fictief, overeenkomst artikel 4",
        }


def _doelgroepen(draft: Draft) -> Iterator[Row]:
    for group in draft.groups:
        yield {
            "order_id": draft.order_id(group.school),
            "doelgroep": group.code,
            "name": group.name,
            "need_hours_hundredths": group.need_hundredths,
            "own_hours_hundredths": group.own_hundredths,
            "granted_hours_hundredths": group.granted_hundredths,
            "care_hours_hundredths": group.care_hundredths or None,
            "source": "fictief, bijlage 2 doelgroepen",
        }


def _classes(draft: Draft) -> Iterator[Row]:
    sizes = draft.class_sizes()
    for c in draft.classes:
        yield {
            "school": c.school,
            "class_code": c.code,
            "order_id": draft.order_id(c.school),
            "doelgroep": c.group.code,
            "hours_per_week_hundredths": c.hours_hundredths,
            "care_hours_hundredths": c.care_hundredths,
            "weeks": c.weeks,
            "expected_pupils": sizes[c.school, c.code],
            "source": "fictief, opgave school",
        }


def _municipalities(draft: Draft) -> Iterator[Row]:
    cents = contract.municipality_cents(draft)
    for code in MEMBERS:
        place = PLACES[code]
        yield {
            "municipality": code,
            "name": place.name,
            "member_from": place.member_from,
            "source": "fictief, ledenlijst",
        }
    uncommitted, later = (draft.planted[f"{case}_municipality"][0] for case in ("uncommitted", "later_committed"))
    for number, code in enumerate(OUTSIDE):
        row: Row = {"municipality": code, "name": PLACES[code].name, "source": "fictief, brief en antwoord"}
        if code == later:
            row["commitment_on"] = date(draft.year.first_calendar_year + 1, 3, 10)
        elif code != uncommitted:
            row["commitment_on"] = date(draft.year.first_calendar_year, 9 + number % 3, 5 + number)
            if number % 2:
                row["commitment_cents"] = _ceiling_cents(cents.get(code, 0))
        yield row


def _ceiling_cents(share_cents: int) -> int:
    """A whole number of thousands of euros, well above the share."""
    return (share_cents * 5 // 4 // 1_000_00 + 5) * 1_000_00


def _zorgkantoren(draft: Draft) -> Iterator[Row]:
    payers = {p.outcome[1] for p in draft.placed() if p.outcome[0] == "wlz_zin"}
    for code in sorted(ZORGKANTOREN):
        if code in payers:
            yield {
                "zorgkantoor": code,
                "name": ZORGKANTOREN[code],
                "legal_ground": "Fictief: afspraak Wlz-zorg in onderwijstijd, Wlz artikel 3.1.1",
                "ground_from": draft.year.first_day,
                "ground_to": draft.year.last_day,
                "agreed_from": draft.year.first_day,
                "agreed_to": draft.year.last_day,
            }


def _calendar(draft: Draft) -> Iterator[Row]:
    for school, calendar in sorted(draft.calendars.items()):
        for closure in calendar.closures:
            yield {
                "school": school,
                "closed_from": closure.first,
                "closed_to": closure.last,
                "kind": closure.kind,
                "description": closure.description,
                "source": "Rijksoverheid, schoolvakanties regio Zuid; studiedagen fictief",
            }


def _agreements(draft: Draft) -> Iterator[Row]:
    parties = [*SCHOOLS.values(), *(name for _, name in PROVIDERS.values()), REGION]
    for number, party in enumerate(parties):
        signed = date(draft.year.first_calendar_year, 7, 2 + number)
        yield {"party": party, "description": f"Werkafspraken {draft.year.key}", "signed_on": signed}


def _contributions(draft: Draft) -> Iterator[Row]:
    yield {
        "order_id": draft.order_id(LEIJPARK),
        "payer": contract.CONTRIBUTION_PAYER,
        "description": "Bijdrage samenwerkingsverband (fictief)",
        "amount_cents": contract.CONTRIBUTION_CENTS,
    }


def _class_names(draft: Draft) -> Iterator[Row]:
    """A class that is split after the Christmas holiday, on paper only: nobody writes hours under the new name."""
    split = next(c for c in draft.classes if c.school == LEIJPARK)
    yield {
        "school": split.school,
        "class_code": f"{split.code}b",
        "established_class_code": split.code,
        "valid_from": date(draft.year.first_calendar_year + 1, 1, 4),
        "source": "fictief, mededeling school",
    }


_ROWS: dict[str, Callable[[Draft], Iterator[Row]]] = {
    "settings": _settings,
    "schools": _schools,
    "providers": _providers,
    "orders": _orders,
    "doelgroepen": _doelgroepen,
    "classes": _classes,
    "municipalities": _municipalities,
    "zorgkantoren": _zorgkantoren,
    "debtors": debtor_rows,
    "calendar": _calendar,
    "decisions": lambda draft: (dict(row) for row in draft.besluiten),
    "agreements": _agreements,
    "contributions": _contributions,
    "class_names": _class_names,
}
