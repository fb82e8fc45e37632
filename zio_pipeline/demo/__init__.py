"""A complete *fictief* school year: every file that schools, zorgkantoor and providers would send, from one seed.

Belongs here: the generator for demonstrations and tests. The same school year, number and seed give the same bytes.
Does not belong here: anything the settlement uses; the program never imports this package to compute a figure.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from zio_pipeline.demo import contract
from zio_pipeline.demo.absences import write_absences
from zio_pipeline.demo.calendar import school_calendar, start_date
from zio_pipeline.demo.claims import write_claims
from zio_pipeline.demo.layout import GROUPS, lay_out
from zio_pipeline.demo.model import Draft
from zio_pipeline.demo.people import fill_classes
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK
from zio_pipeline.demo.planted import plant
from zio_pipeline.demo.school_files import write_pupil_files, write_wlz_list
from zio_pipeline.demo.setup_book import setup_path, write_setup_book
from zio_pipeline.demo.timesheet_files import write_timesheets
from zio_pipeline.errors import ZioError
from zio_pipeline.school_year import SchoolYear

__all__ = ["DemoYear", "generate"]

FEWEST, MOST = 60, 100_000
NOTE = "Fictief: leerlingen, uren, tarieven, bedragen en besluiten zijn verzonnen; scholen en gemeenten bestaan."


@dataclass(frozen=True)
class DemoYear:
    """What was written.

    `planted`: case -> pupil keys as they stand in the files, or codes (municipality, order, class, `file:row`,
    `order law month`).
    `counts`: pupils, classes, streams and timesheet lines; `outside_permille` is the part of the jeugdwet amount.
    """

    files: list[Path]
    planted: dict[str, list[str]]
    counts: dict[str, int]
    note: str = NOTE


def generate(out: Path, school_year: str, pupils: int, seed: int) -> DemoYear:
    """Write a demo year into a folder (made when it is not there; files of the same name are replaced).

    Args:
        out: folder for the files: setup workbook, two pupil files, the Wlz list, twenty urenstaten, twenty declaraties,
            one school's absences.
        school_year: '2025-2026'; the holidays must be known.
        pupils: placed on the startdatum at both schools together, 60 to 100.000; some leavers and newcomers come extra.
        seed: the same seed gives the same bytes.

    Raises:
        ZioError: unknown school year, or a number outside the range.
    """
    if not FEWEST <= pupils <= MOST:
        raise ZioError(f"Kies een aantal leerlingen van {FEWEST} tot en met {MOST}.")
    draft = _draft(_school_year(school_year), pupils, seed)
    out.mkdir(parents=True, exist_ok=True)
    setup = setup_path(out, draft)
    write_setup_book(setup, draft)
    pupil_files = write_pupil_files(out, draft)
    wlz = write_wlz_list(out, draft)
    timesheets = write_timesheets(out, draft)
    claims, absences = write_claims(out, draft), write_absences(out, draft)
    others = (timesheets, claims, absences)
    return DemoYear(
        files=[setup, *pupil_files, wlz, *(path for made in others for path in made.files)],
        planted=dict(sorted({k: v for planted in (draft, *others) for k, v in planted.planted.items()}.items())),
        counts=_counts(draft) | {k: v for made in others for k, v in sorted(made.counts.items())},
    )


def _school_year(text: str) -> SchoolYear:
    try:
        return SchoolYear.parse(text)
    except ValueError as error:
        raise ZioError(str(error)) from error


def _draft(year: SchoolYear, pupils: int, seed: int) -> Draft:
    start, reference = start_date(year), date(year.first_calendar_year, 7, 1)
    draft = Draft(
        year=year,
        seed=f"zio demo {year.key} {pupils} {seed}",
        start=start,
        reference=reference,
        list_date=reference - timedelta(days=7),
        calendars={},
        groups=GROUPS,
        classes=lay_out(pupils),
        pupils=[],
    )
    draft.calendars = {
        school: school_calendar(year, draft.rng(f"kalender {school}")) for school in (LEIJPARK, DE_BODDE)
    }
    plant(draft, fill_classes(draft))
    contract.keep_outside_share(draft)
    return draft


def _counts(draft: Draft) -> dict[str, int]:
    schools = Counter(p.counted_in.school for p in draft.placed() if p.counted_in is not None)
    streams = Counter(p.outcome[0] or "buiten_sleutel" for p in draft.placed())
    granted = sum(c.year_hundredths for c in draft.classes)
    return {
        "pupils": schools.total(),
        **{f"pupils_{school}": number for school, number in sorted(schools.items())},
        "pupils_not_placed": len(draft.pupils) - schools.total(),
        "classes": len(draft.classes),
        **dict(sorted(streams.items())),
        "wlz_rows": sum(len(p.indications) for p in draft.placed()),
        "besluiten": len(draft.besluiten),
        "granted_minutes": granted * 60 // 100,
        "outside_permille": int(contract.outside_share(draft) * 1000),
        "agreed_cents": contract.budget_of(draft, DE_BODDE).stated_cents,
        "computed_cents": contract.budget_of(draft, LEIJPARK).stated_cents,
    }
