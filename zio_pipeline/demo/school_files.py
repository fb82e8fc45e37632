"""The pupil file of each school and the Wlz list, as they might be sent: extra columns, own headers, own encodings.

Belongs here: columns and form of those three files. Does not belong here: who the pupils are (people, planted).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from zio_pipeline.contracts import sources
from zio_pipeline.demo.model import Draft, Placement, Pupil
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK, MIDDEN_BRABANT
from zio_pipeline.demo.sheets import Cell, Sheet, header, label, write_csv, write_xlsx, yes_no

BODDE_ALIASES = {
    "school": "BRIN",
    "pupil": "BSN",
    "birth_date": "Geb.datum",
    "class_code": "Groep",
    "placed_from": "Vanaf",
    "placed_to": "Tot en met",
    "municipality": "Gemeente",
    "municipality_evidence": "Herkomst gemeente",
    "secret_address": "Geheim",
    "needs_care": "Zorg nodig",
}
WLZ_ALIASES = {"list_date": "Datum lijst", "pupil": "BSN", "pgb_percentage": "PGB-percentage"}


def write_pupil_files(out: Path, draft: Draft) -> list[Path]:
    """One file per school: De Bodde CSV in cp1252, Leijpark XLSX with titles and a total row."""
    bodde = out / f"leerlingen-{DE_BODDE}-{draft.year.key}.csv"
    names = [column.name for column in sources()["pupil_registrations"].datasets[0].columns]
    headers = ["Leerlingnummer", "Roepnaam", "Achternaam", "Leerjaar", *_headers(names, BODDE_ALIASES), "Opmerking"]
    rows = [[*row, "fictief"] for row in _pupil_rows(draft, DE_BODDE)]
    write_csv(bodde, headers, rows, "cp1252")

    leijpark = out / f"leerlingen-{LEIJPARK}-{draft.year.key}.xlsx"
    rows = list(_pupil_rows(draft, LEIJPARK))
    sheet = Sheet(
        name="Leerlingen",
        titles=("Onderwijscentrum Leijpark, leerlingen per klas (fictief demobestand)", f"Schooljaar {draft.year.key}"),
        headers=["leerlingnummer", "roepnaam", "achternaam", "leerjaar", *_headers(names, {})],
        rows=rows,
        totals=("Totaal aantal leerlingen", len(rows)),
    )
    write_xlsx(leijpark, [sheet])
    return [bodde, leijpark]


def _headers(names: list[str], aliases: dict[str, str]) -> list[str]:
    dataset = sources()["pupil_registrations"].datasets[0]
    return [header(dataset, name, aliases.get(name)) for name in names]


def _pupil_rows(draft: Draft, school: str) -> Iterator[list[Cell]]:
    """Rows in order of class, then of name, numbered as a school numbers its pupils."""
    found = [(p, pupil) for pupil in draft.pupils for p in pupil.placements if p.school == school]
    found.sort(key=lambda pair: (pair[0].class_code, pair[1].last_name, pair[1].first_name, pair[1].pgn))
    prefix = "LP" if school == LEIJPARK else "BO"
    for number, (placement, pupil) in enumerate(found, start=1):
        own: list[Cell] = [f"{prefix}{number:06d}", pupil.first_name, pupil.last_name, _leerjaar(pupil, draft.start)]
        yield [*own, *_contract_cells(draft, placement, pupil)]


def _contract_cells(draft: Draft, placement: Placement, pupil: Pupil) -> list[Cell]:
    """In the order of the contract's columns."""
    dataset = sources()["pupil_registrations"].datasets[0]
    cells: dict[str, Cell] = {
        "school_year": draft.year.key,
        "school": placement.school,
        "pupil": int(pupil.pgn) if placement.school == LEIJPARK else pupil.pgn,
        "birth_date": pupil.birth_date,
        "class_code": placement.class_code,
        "placed_from": placement.first,
        "placed_to": placement.last,
        "municipality": pupil.stated,
        "municipality_since": pupil.since,
        "municipality_evidence": label(dataset, "municipality_evidence", pupil.evidence),
        "postcode": f"{pupil.postcode[:4]} {pupil.postcode[4:]}".strip(),
        "country": pupil.country,
        "secret_address": yes_no(pupil.secret),
        "needs_care": yes_no(pupil.needs_care),
    }
    return [cells[column.name] for column in dataset.columns]


def _leerjaar(pupil: Pupil, day: date) -> str:
    age = day.year - pupil.birth_date.year
    return f"SO {max(1, age - 3)}" if age < 13 else f"VSO {age - 12}"


def write_wlz_list(out: Path, draft: Draft) -> Path:
    """The Wlz list of the region, `;` separated with a byte order mark, in order of besluitnummer."""
    path = out / f"wlz-lijst-{draft.year.key}.csv"
    dataset = sources()["wlz_statuses"].datasets[0]
    headers = [header(dataset, column.name, WLZ_ALIASES.get(column.name)) for column in dataset.columns]
    found = [(i, pupil) for pupil in draft.placed() for i in pupil.indications]
    rows = []
    for indication, pupil in sorted(found, key=lambda pair: pair[0].number):
        cells: dict[str, Cell] = {
            "school_year": draft.year.key,
            "list_date": indication.list_date,
            "pupil": pupil.pgn,
            "decision_number": indication.number,
            "issued_on": indication.issued_on,
            "starts_on": indication.starts_on,
            "ends_on": indication.ends_on,
            "delivery_form": indication.form,
            "pgb_percentage": indication.pgb_percentage,
            "parents_agree": yes_no(indication.parents_agree),
            "responsible_zorgkantoor": indication.zorgkantoor,
            "executing_zorgkantoor": MIDDEN_BRABANT,
        }
        rows.append([*(cells[column.name] for column in dataset.columns), "fictief"])
    write_csv(path, [*headers, "opmerking"], rows, "utf-8-sig")
    return path
