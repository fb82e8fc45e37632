"""Ten thousand good rows with fifty known defects: those fifty are set apart, each for its own reason, and no other row."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.intake.files import Row, csv_bytes, deliver, indication, line, pupil, rules, xlsx_bytes
from zio_pipeline.intake import Delivery

EXTRA = "één cel te veel"


@dataclass(frozen=True)
class Defect:
    """What is done to a good row, and every rule that it then breaks, in column order."""

    broken: tuple[str, ...]
    changes: Row = field(default_factory=dict)
    extra_cell: bool = False
    repeats: bool = False


def defect(*broken: str, **changes: Any) -> Defect:
    return Defect(broken, {name.replace("_", " "): value for name, value in changes.items()})


EXTRA_CELL, REPEATED = Defect(("extra_cells",), extra_cell=True), Defect(("duplicate_row",), repeats=True)

PUPIL_DEFECTS = (
    defect("school_year", schooljaar="2025"),
    defect("brin", vestiging="Leijpark"),
    defect("pgn", pgn="123456789"),
    defect("required", pgn=""),
    defect("date", geboortedatum="31-02-2012"),
    defect("plausible_birth_date", geboortedatum="01-01-1990"),
    defect("required", klas=" "),
    defect("code", klas="#N/B"),
    defect("required", plaatsing_vanaf=""),
    defect("placement_period", plaatsing_tot_en_met="01-01-2020"),
    defect("municipality", verantwoordelijke_gemeente="#VERW!"),
    defect("date", gemeente_sinds="12/31/2024"),
    defect("ambiguous_date", gemeente_sinds="01/02/2024"),
    defect("allowed", bewijs_gemeente="geraden"),
    defect("postcode", postcode="5022"),
    defect("boolean", zorgbehoefte="soms"),
    defect("required", "date", "required", "postcode", pgn="", geboortedatum="x", klas="", postcode="9"),
    EXTRA_CELL,
    REPEATED,
)
LINE_DEFECTS = (
    defect("school_year", schooljaar="2025-2027"),
    defect("agb", agb="12345"),
    defect("brin", vestiging="02Z"),
    defect("code", klas="#REF!"),
    defect("required", medewerker=""),
    defect("date", datum="32-09-2025"),
    defect("time", uren="", begin="8 uur", eind="9:00"),
    defect("end_after_begin", uren="", begin="12:00", eind="8:00"),
    defect("range", uren="", begin="8:00", eind="16:00", pauze="241"),
    defect("minutes", uren="", minuten="1,5"),
    defect("range", uren="", minuten="1441"),
    defect("one_duration", uren=""),
    defect("one_duration", minuten="60"),
    defect("duration", uren="acht"),
    defect("mixed_unit", uren="450"),
    defect("mixed_unit", uren="7:30"),
    defect("range", uren="0"),
    defect("allowed", activiteit="koffie"),
    defect("required", "allowed", medewerker="", functie="directie"),
    EXTRA_CELL,
)
INDICATION_DEFECTS = (
    defect("required", dagtekening=""),
    defect("pgn", pgn="111111111"),
    defect("integer", besluitnummer="1.5"),
    defect("range", besluitnummer="0"),
    defect("indication_period", einddatum="31-12-2024"),
    defect("code", leveringsvorm="#N/A"),
    defect("range", pgb_percentage="101"),
    defect("boolean", ouders_akkoord="misschien"),
    defect("zorgkantoor", verantwoordelijk_zorgkantoor="5522"),
    EXTRA_CELL,
    REPEATED,
)


def personal_numbers() -> Iterator[str]:
    """Different numbers that pass the elfproef, none of them a known test number."""
    for number in itertools.count(1):
        digits = f"3{number:07d}"
        check = sum((9 - place) * int(digit) for place, digit in enumerate(digits)) % 11
        if check < 10:
            yield f"{digits}{check}"


def pupils(count: int) -> list[Row]:
    since = {"gemeente sinds": "01-08-2020", "bewijs gemeente": "brp"}
    numbers = itertools.islice(personal_numbers(), count)
    return [{**pupil(klas=f"SO-{n % 20}", pgn=number), **since} for n, number in enumerate(numbers)]


def lines(count: int) -> list[Row]:
    rows = (line(n % 300, datum=f"{n // 300 % 30 + 1:02d}-09-2025", klas=f"SO-{n // 9000}") for n in range(count))
    return [{**row, "uren": ("7,5", "8", "0,25")[n % 3]} for n, row in enumerate(rows)]


def indications(count: int) -> list[Row]:
    numbers = itertools.islice(personal_numbers(), count)
    extra = {"einddatum": "", "pgb percentage": "0", "ouders akkoord": "ja"}
    return [{**indication(), "pgn": number, "besluitnummer": str(n + 1), **extra} for n, number in enumerate(numbers)]


FILES = {
    "pupil_registrations": (pupils, 3_500, PUPIL_DEFECTS),
    "provider_timesheets": (lines, 5_000, LINE_DEFECTS),
    "wlz_statuses": (indications, 1_500, INDICATION_DEFECTS),
}


def spoiled(good: Sequence[Row], defects: Sequence[Defect], seed: str) -> list[tuple[Row, Defect | None]]:
    """The rows with the defects in random places; a repeated row repeats the first, which stays good."""
    places = random.Random(seed).sample(range(1, len(good)), len(defects))
    made: list[tuple[Row, Defect | None]] = [(row, None) for row in good]
    for place, one in zip(places, defects, strict=True):
        made[place] = ({**(good[0] if one.repeats else good[place]), **one.changes}, one)
    return made


def laid_out(made: Sequence[tuple[Row, Defect | None]]) -> tuple[list[list[Any]], dict[int, Defect]]:
    """A file with a title and here and there an empty line, and on which of its lines the defects are."""
    header = list(made[0][0])
    content: list[list[Any]] = [["Levering voor het schooljaar 2025-2026"], [], header]
    planted = {}
    for number, (row, one) in enumerate(made):
        if number % 997 == 400:
            content.append([])
        content.append([row[name] for name in header] + [EXTRA] * (one is not None and one.extra_cell))
        if one is not None:
            planted[len(content)] = one
    return content, planted


def require_exactly(delivery: Delivery, planted: dict[int, Defect], rows: int) -> None:
    assert (delivery.status, delivery.rows_in) == ("partly_accepted", rows)
    assert rules(delivery) == {number: list(one.broken) for number, one in planted.items()}
    assert (delivery.rows_quarantined, delivery.rows_accepted) == (len(planted), rows - len(planted))
    (accepted,) = delivery.accepted.values()
    assert accepted.num_rows == rows - len(planted)
    assert set(accepted["row_number"].to_pylist()).isdisjoint(planted)
    assert delivery.warnings == ()


def require_sent(delivery: Delivery, content: Sequence[Sequence[Any]], planted: dict[int, Defect]) -> None:
    """What goes back to the sender is exactly those rows, cell for cell."""
    cells: dict[int, dict[int, str]] = {}
    for cell in delivery.raw_rows.to_pylist():
        cells.setdefault(cell["row_number"], {})[cell["position"]] = cell["value"]
    assert set(cells) == set(planted)
    for number, sent in cells.items():
        assert [sent[position] for position in sorted(sent)] == [str(cell).strip() for cell in content[number - 1]]


def test_there_are_fifty_defects_of_many_kinds_in_ten_thousand_rows() -> None:
    assert sum(size for _, size, _ in FILES.values()) == 10_000
    defects = [one for _, _, of_one in FILES.values() for one in of_one]
    assert len(defects) == 50
    assert len({rule for one in defects for rule in one.broken}) >= 15


@pytest.mark.parametrize("source", FILES)
def test_exactly_the_defects_are_set_apart(source: str) -> None:
    make, size, defects = FILES[source]
    content, planted = laid_out(spoiled(make(size), defects, source))
    assert len(planted) == len(defects)
    delivery = deliver(csv_bytes(content))
    assert delivery.source == source
    require_exactly(delivery, planted, size)
    require_sent(delivery, content, planted)


@pytest.mark.parametrize("source", FILES)
def test_exactly_the_defects_of_a_workbook_are_set_apart(source: str) -> None:
    """In a workbook a cell too many is a column without a name; dates and hours are no texts there."""
    make, _, defects = FILES[source]
    in_workbook = [one for one in defects if not one.extra_cell]
    content, planted = laid_out(spoiled(make(400), in_workbook, source))
    typed = [[_typed(header, cell) for header, cell in zip(content[2], cells, strict=False)] for cells in content]
    delivery = deliver(xlsx_bytes({"blad": typed}))
    assert delivery.source == source
    require_exactly(delivery, planted, 400)
    assert {cell["row_number"] for cell in delivery.raw_rows.to_pylist()} == set(planted)


def _typed(header: str, cell: str) -> Any:
    """The cell as Excel keeps it, when it is what its header promises."""
    if header in ("geboortedatum", "datum", "ingangsdatum"):
        try:
            return datetime.strptime(cell, "%d-%m-%Y").replace(tzinfo=UTC).date()
        except ValueError:
            return cell
    if header == "uren" and cell in ("7,5", "8", "0,25"):
        return float(cell.replace(",", "."))
    return cell


def test_a_clean_file_of_every_kind_has_nothing_to_say() -> None:
    for source, (make, _, _) in FILES.items():
        content, _ = laid_out([(row, None) for row in make(200)])
        delivery = deliver(csv_bytes(content))
        assert (delivery.source, delivery.status, delivery.rows_accepted) == (source, "accepted", 200)
        assert (delivery.warnings, delivery.quarantined, delivery.raw_rows.num_rows) == ((), (), 0)
