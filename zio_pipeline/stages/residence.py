"""The residence check of a municipality: out of the vault for that municipality only, its answer back in, both logged.

Belongs here: which rows go into the workbook, where it is put and who may read it, and keeping what comes back sealed.
Does not belong here: what the workbook looks like (residence_check), reading it (residence_answers), what an answer does to the
payer (payer.residence).

Secured means here: a file for its owner alone in a folder for its owner alone, in which only the answer cells can be changed,
and a copy encrypted in the vault as proof of what went out. A workbook carries no password: send it over a channel that encrypts.
"""

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.home import Home
from resources.sealed import write_durably
from zio_pipeline.errors import ZioError
from zio_pipeline.payer import PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.reference import municipalities
from zio_pipeline.residence_answers import Asked, read_answers
from zio_pipeline.residence_check import Child, children_of, workbook
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import vault_log
from zio_pipeline.stages.inputs import newest_setup, year_inputs
from zio_pipeline.stages.residence_answers import (
    ANSWERED,
    ASKED,
    READ,
    SCHEMA,
    WORDS_SCHEMA,
    answer_rows,
    answers_name,
    asked_name,
    copy_name,
    read_files,
    words_name,
    workbook_path,
)

DISPUTED = "residence_disputed"
AFTERWARDS = "Na de vaststelling binnengekomen; verandert alleen iets met een nieuwe versie."


@dataclass(frozen=True)
class Question:
    """A workbook that was made, and of how many children it asks."""

    path: Path
    children: int


@dataclass(frozen=True)
class Reply:
    """What an answer held; `fresh` is False when exactly this workbook had been read before, and `late` when it changes nothing."""

    municipality: str
    confirmed: int
    disputed: int
    unanswered: int
    fresh: bool
    late: bool


def later_disputes(home: Home, school_year: str, payer: PayerInputs, outcome: PayerOutcome) -> list[dict[str, Any]]:
    """Rows of `worklist` for children whose municipality came to be disputed after the establishment; none of them blocks.

    They change nothing of the year; each can be the reason of a new version, or be called a mutation by besluit.

    Args:
        home: where everything is kept.
        school_year: key of the year.
        payer: what the year is computed from.
        outcome: what was decided on it.
    """
    pinned = {row["sequence"] for row in payer.residence_answers}
    later = [
        row for row in answer_rows(home, school_year, read_files(home, school_year)) if row["sequence"] not in pinned
    ]
    if not later:
        return []
    setup = read_setup(year_inputs(home, school_year).sheets)
    called = {b.pupil: b.decision_id for b in newest_setup(home, school_year).decisions_of("mutation") if b.pupil}
    known = {item.item_id for item in outcome.worklist}
    found = decide_payers(setup, replace(payer, residence_answers=[*payer.residence_answers, *later])).worklist
    items = [item for item in found if item.reason == DISPUTED and item.item_id not in known]
    return [
        asdict(item)
        | {
            "school_year": school_year,
            "item_id": item.item_id,
            "explanation": f"{AFTERWARDS} {item.explanation}",
            "blocking": False,
            "decision_id": item.decision_id or called.get(item.subject or ""),
        }
        for item in items
    ]


@dataclass(frozen=True)
class Words:
    """What a municipality wrote beside an answer; `points` are the numbers of what stands on the worklist about it."""

    municipality: str
    row_ref: str
    points: tuple[str, ...]
    other_text: str
    note: str


def ask(home: Home, school_year: str, municipality: str, by: str, on: date) -> Question:
    """Write the workbook for one municipality, logged before it leaves the vault.

    Raises:
        ZioError: no such municipality, none of its pupils are there, or birth date and postcode were dropped (SPEC section 8).
    """
    inputs = year_inputs(home, school_year)
    setup = read_setup(inputs.sheets)
    day = setup.settings.reference_date
    if not municipalities().exists(municipality, day):
        raise ZioError(
            f"Gemeente {municipality} bestaat niet op de peildatum {day:%d-%m-%Y}; geef de code van vier cijfers."
        )
    if any("age_class" in row for row in inputs.payer.registrations):
        raise ZioError(
            f"Van schooljaar {school_year} zijn geboortedatum en postcode na de vaststelling verwijderd; "
            "een woonplaatstoets kan niet meer worden gemaakt."
        )
    by_the_rules = decide_payers(setup, replace(inputs.payer, residence_answers=()))
    children = children_of(municipality, by_the_rules.decisions, inputs.payer.registrations)
    if not children:
        raise ZioError(
            f"Op de peildatum staat geen enkele leerling op naam van gemeente {municipality}; er is niets te toetsen."
        )
    schools = {row["school"]: row["name"] for row in setup.sheets["schools"]}
    place = (municipality, municipalities().name(municipality))
    data = workbook(place, school_year, day, children, schools)
    content = hashlib.sha256(data).hexdigest()
    label = f"woonplaatstoets-{school_year}-{municipality}-{content[:8]}"
    _keep(
        home, school_year, children, data, vault_log.Entry(ASKED, content, label, municipality, len(children), by, on)
    )
    path = workbook_path(home, label)
    for made in (path.parent.parent, path.parent):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.chmod(0o700)
    write_durably(path, data)
    return Question(path, len(children))


def _keep(home: Home, school_year: str, children: list[Child], data: bytes, line: vault_log.Entry) -> None:
    """What was asked and a copy of the workbook, sealed; then the line in the log. Only after it the workbook leaves the vault."""
    asked = [{"reference": child.reference, "pupil": child.pupil, "row_ref": child.row_ref} for child in children]
    with home.vault.exclusive():
        home.vault.put(asked_name(school_year, line.content_sha256), pa.Table.from_pylist(asked))
        copy = pa.table({"workbook": pa.array([data], pa.binary())})
        home.vault.put(copy_name(school_year, line.content_sha256), copy)
        vault_log.record(home, school_year, [line])


def take_answer(home: Home, school_year: str, data: bytes, by: str, on: date) -> Reply:
    """Read the answer of a municipality and keep it sealed; the same bytes again change nothing.

    Once the year is established the answer is kept and changes nothing of it: the receipt names the answers it was computed
    from. What it says then can be the reason of a new version.

    Raises:
        ZioError: as in `residence_answers.read_answers`; nothing has changed then.
    """
    setup = read_setup(year_inputs(home, school_year).sheets)
    content = hashlib.sha256(data).hexdigest()
    with home.vault.exclusive():
        found = read_answers(data, _asked(home, school_year), setup.settings.reference_date)
        log = vault_log.lines(home, school_year)
        mine = [row for row in log if row["key_id"] == home.keys.key_id and row["what"] == ANSWERED]
        fresh = content not in {row["content_sha256"] for row in mine}
        if fresh:
            said = {"municipality": found.municipality, "sequence": len(log) + 1}
            rows = [asdict(answer) | said for answer in found.answers]
            words = [row for row in rows if row["other_text"] or row["note"]]
            home.vault.put(answers_name(school_year, content), pa.Table.from_pylist(rows, schema=SCHEMA))
            home.vault.put(words_name(school_year, content), pa.Table.from_pylist(words, schema=WORDS_SCHEMA))
            label = f"woonplaatstoets-{found.municipality}-{content[:8]}"
            entry = vault_log.Entry(ANSWERED, content, label, found.municipality, len(rows), by, on)
            vault_log.record(home, school_year, [entry])
    confirmed = sum(answer.confirmed for answer in found.answers)
    return Reply(
        municipality=found.municipality,
        confirmed=confirmed,
        disputed=len(found.answers) - confirmed,
        unanswered=found.unanswered,
        fresh=fresh,
        late=home.warehouse.establishment(school_year) is not None,
    )


def words(home: Home, school_year: str, by: str, on: date) -> list[Words]:
    """What municipalities wrote in the residence checks, beside the points of the worklist it is about; logged.

    Free text can hold anything, also the name of a child. So it stands in no table: it is shown out of the vault, to somebody
    whose name goes into the log, and it is gone when the year is thinned.
    """
    points = home.warehouse.rows("worklist", school_year=school_year, reason=DISPUTED)
    found, read = [], []
    with home.vault.exclusive():
        places = _places(home, school_year)
        for line in vault_log.lines(home, school_year, ANSWERED):
            name = words_name(school_year, line["content_sha256"])
            rows = home.vault.get(name).to_pylist() if home.vault.has(name) else []
            for row in rows:
                about = tuple(sorted(p["item_id"] for p in points if p["subject"] == row["pupil"]))
                place = places.get((line["municipality"], row["pupil"]), "")
                found.append(Words(line["municipality"], place, about, row["other_text"], row["note"]))
            if rows:
                of = (line["content_sha256"], line["label"], line["municipality"])
                read.append(vault_log.Entry(READ, *of, len(rows), by, on))
        vault_log.record(home, school_year, read)
    return sorted(found, key=lambda one: (one.municipality, one.row_ref))


def _places(home: Home, school_year: str) -> dict[tuple[str, str], str]:
    """Municipality and pupil -> file and row of the pupil that was asked about."""
    lines = vault_log.lines(home, school_year, ASKED)
    asked = [(line["municipality"], home.vault.get(asked_name(school_year, line["content_sha256"]))) for line in lines]
    return {(code, row["pupil"]): row["row_ref"] for code, table in asked for row in table.to_pylist()}


def _asked(home: Home, school_year: str) -> Asked:
    """What was asked of whom with the key of now."""
    asked: dict[str, dict[str, str]] = {}
    for line in vault_log.lines(home, school_year, ASKED):
        if line["key_id"] == home.keys.key_id:
            rows = home.vault.get(asked_name(school_year, line["content_sha256"])).to_pylist()
            asked.setdefault(line["municipality"], {}).update({row["reference"]: row["pupil"] for row in rows})
    return asked
