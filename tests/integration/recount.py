"""A second count of a school year, from the raw files, as an auditor with a spreadsheet would make it.

Belongs here: reading the setup workbook, the pupil files and the Wlz list; who pays for which pupil; the amounts, terms
and declarations. Written from the words of the specification (sections 3 and 4), on the standard library and openpyxl.
Does not belong here: anything of the program itself. This module imports nothing from it, so that two equal figures
come from two separate calculations. Slow and plain on purpose; whatever it does not understand, it refuses.
"""

import csv
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

Row = dict[str, Any]  # heading -> cell, headings in lower case
Pupils = dict[tuple[str, str, str, str], int]  # order, doelgroep, stream, payer -> number
MUNICIPALITY_LIST = Path(__file__).parents[2] / "zio_pipeline" / "reference_data" / "gemeenten.csv"

STREAMS = ["jeugdwet", "wlz_zin", "wlz_pgb", "adult", "contribution"]
LAW = {"jeugdwet": "jw", "adult": "jw", "contribution": "jw", "wlz_zin": "wlz", "wlz_pgb": "pgb"}
STREAM_LABELS = {"jeugdwet": "jeugdwet", "wlz zin": "wlz_zin", "wlz pgb": "wlz_pgb", "18 plus": "adult"}

# Haaren ended on 31 December 2020: Biezenmortel, Haaren, Helvoirt and Esch each went elsewhere.
HAAREN, HAAREN_BY_POSTCODE = "0788", {"5074": "0855", "5076": "0824", "5268": "0865", "5296": "0757"}

# The headings of one school beside those of the other.
SAME_HEADING = {
    "brin": "vestiging",
    "bsn": "pgn",
    "geb datum": "geboortedatum",
    "groep": "klas",
    "vanaf": "plaatsing vanaf",
    "tot en met": "plaatsing tot en met",
    "gemeente": "verantwoordelijke gemeente",
    "geheim": "geheim adres",
    "zorg nodig": "zorgbehoefte",
    "datum lijst": "dagtekening",
}


class RecountError(Exception):
    """The files hold something a careful auditor would first ask about."""


@dataclass(frozen=True)
class Recount:
    """Amounts in cents, numbers in pupils, months as 2025-09."""

    detail_cents: dict[tuple[str, str, str, str], int]  # order, doelgroep, stream, payer
    year_cents: dict[tuple[str, str, str], int]  # order, stream, payer
    municipality_cents: dict[str, int]  # jeugdwet and adult together
    term_cents: dict[tuple[str, str, str, str], int]  # order, stream, payer, month
    declaration_cents: dict[tuple[str, str, str], int]  # order, law, month
    pupils: Pupils


def recount(folder: Path) -> Recount:
    """Count a school year again from the files in a folder: inrichting-*.xlsx, leerlingen-*, wlz-lijst-*."""
    setup = Setup(folder)
    pupils = pupils_in_the_key(setup, read_all(folder, "leerlingen-*"), read_all(folder, "wlz-lijst-*"))
    detail: Counter[tuple[str, str, str, str]] = Counter()
    for order_id in sorted(setup.orders):
        detail.update(divide_order(setup, order_id, pupils))

    year: Counter[tuple[str, str, str]] = Counter()
    per_municipality: Counter[str] = Counter()
    for (order_id, _, stream, payer), cents in detail.items():
        year[order_id, stream, payer] += cents
        if stream in ("jeugdwet", "adult"):
            per_municipality[payer] += cents
    terms, declarations = spread_year(year, setup)
    return Recount(dict(detail), dict(year), dict(per_municipality), terms, declarations, pupils)


# --- The two rules of calculation ---


def largest_remainder(total: int, weights: list[tuple[str, int | Fraction]]) -> dict[str, int]:
    """Everybody the whole cents of the exact share; what is left, one cent each, to the largest fractions.

    With equal fractions the name that stands first in the list goes first.
    """
    whole = sum(Fraction(weight) for _, weight in weights)
    if whole <= 0:
        raise RecountError("Er is niets om naar te verdelen.")
    exact = {name: Fraction(total) * weight / whole for name, weight in weights}
    share = {name: math.floor(amount) for name, amount in exact.items()}
    largest_first = sorted(exact, key=lambda name: exact[name] - share[name], reverse=True)  # keeps the order of ties
    for name in largest_first[: total - sum(share.values())]:
        share[name] += 1
    return share


def ten_terms(lines: dict[tuple[str, str], int]) -> dict[tuple[str, str], list[int]]:
    """The terms of one order and law. Lines are (payer, stream) -> year in cents.

    Every term gets a tenth, rounded down. The cents that remain go one by one to the following terms; the next line
    goes on where the last one stopped, and after June comes September.
    """
    terms: dict[tuple[str, str], list[int]] = {}
    pointer = 0
    for payer, stream in sorted(lines, key=lambda line: (line[0], STREAMS.index(line[1]))):
        tenth = lines[payer, stream] // 10
        row = [tenth] * 10
        for _ in range(lines[payer, stream] - 10 * tenth):
            row[pointer] += 1
            pointer = 0 if pointer == 9 else pointer + 1
        terms[payer, stream] = row
    return terms


# --- Reading ---


def read_all(folder: Path, pattern: str) -> list[Row]:
    """The rows of all files of one kind, CSV or workbook, without title and total rows."""
    rows: list[Row] = []
    for path in sorted(folder.glob(pattern)):
        if path.suffix == ".xlsx":
            (sheet,) = load_workbook(path, data_only=True).worksheets
            lines = [list(cells) for cells in sheet.iter_rows(values_only=True)]
        else:
            raw = path.read_bytes()
            written = raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "cp1252").splitlines()
            lines = [list(cells) for cells in csv.reader(written, delimiter=";")]
        rows += under_headings(lines, "pgn", SAME_HEADING)
    return rows


def under_headings(lines: list[list[Any]], must_have: str, same: dict[str, str]) -> list[Row]:
    """Rows as heading -> cell. The line of headings is the first that has the wanted one; above it stands a title."""
    plain = [[" ".join(re.split(r"[\s._-]+", text(cell).lower())) for cell in line] for line in lines]
    named = [[same.get(name, name) for name in line] for line in plain]
    top = next(position for position, line in enumerate(named) if must_have in line)
    rows: list[Row] = []
    for line in lines[top + 1 :]:
        row = dict(zip(named[top], line, strict=True))
        if text(row[must_have]):
            rows.append(row)
        elif text(line[0]).lower().startswith("totaal"):
            if len(rows) not in line:
                raise RecountError("De totaalregel klopt niet met het aantal regels.")
        elif any(text(cell) for cell in line):
            raise RecountError(f"Een regel zonder '{must_have}'.")
    return rows


def text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def code(cell: Any) -> str:
    """A code of a class, order or doelgroep: capitals do not count."""
    return text(cell).upper()


def day(cell: Any) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    return datetime.strptime(text(cell), "%d-%m-%Y").date() if text(cell) else None  # noqa: DTZ007


def the_day(cell: Any) -> date:
    found = day(cell)
    if found is None:
        raise RecountError("Een verplichte datum ontbreekt.")
    return found


def yes(cell: Any) -> bool | None:
    return {"ja": True, "nee": False, "": None}[text(cell).lower()]


def number(cell: Any) -> Fraction:
    """A number from a cell, or from Dutch text such as 1.234,50; empty is nothing."""
    written = text(cell).replace(".", "").replace(",", ".") if "," in text(cell) else text(cell)
    return Fraction(written or "0")


def in_cents(cell: Any) -> int:
    cents = number(cell) * 100
    if cents.denominator != 1:
        raise RecountError("Een bedrag in delen van centen.")
    return int(cents)


@dataclass(frozen=True)
class SchoolClass:
    """A class: what it belongs to, its hours in the year at either tariff, and how many pupils were expected."""

    order_id: str
    doelgroep: str
    hours: Fraction
    care_hours: Fraction
    expected: int


class Setup:
    """The setup workbook: settings, contracts, classes, decisions."""

    def __init__(self, folder: Path) -> None:
        (path,) = folder.glob("inrichting-*.xlsx")
        workbook = load_workbook(path, data_only=True)

        def sheet(name: str, must_have: str = "opdracht") -> list[Row]:
            return under_headings([list(cells) for cells in workbook[name].iter_rows(values_only=True)], must_have, {})

        settings = sheet("schooljaar", "instelling")
        self.values = {text(row["instelling"]): text(row["waarde"]) for row in settings}
        if len(self.values) != len(settings) or len(set(self.values["termijngewichten"].split())) != 1:
            raise RecountError("Een instelling staat er twee keer, of de termijnen zijn niet gelijk.")
        self.first_day, self.peildatum = the_day(self.values["startdatum"]), the_day(self.values["peildatum"])
        first, second = self.values["schooljaar"].split("-")
        self.months = [f"{first if int(m) >= 8 else second}-{m}" for m in self.values["termijnmaanden"].split()]

        self.decisions = sheet("besluiten", "besluit")
        later = {code(row["opdracht"]) for row in self.decided("opdracht later")}
        self.orders = {code(row["opdracht"]): row for row in sheet("contracten") if code(row["opdracht"]) not in later}
        self.doelgroepen = {(code(row["opdracht"]), code(row["doelgroep"])): row for row in sheet("doelgroepen")}
        self.contributions = sheet("bijdragen")
        self.municipalities = sheet("gemeenten", "gemeentecode")
        self.classes = {
            (code(row["vestiging"]), code(row["klas"])): self.school_class(row)
            for row in sheet("klassen")
            if code(row["opdracht"]) in self.orders
        }
        self.elsewhere = {(code(r["vestiging"]), code(r["klas"])) for r in sheet("klassen")} - set(self.classes)

    def decided(self, kind: str) -> list[Row]:
        return [row for row in self.decisions if text(row["soort"]).lower() == kind]

    def school_class(self, row: Row) -> SchoolClass:
        """Own hours, else those of the doelgroep; own weeks, else those of the contract. A 0 of its own is a 0."""
        order_id, doelgroep = code(row["opdracht"]), code(row["doelgroep"])
        weeks = number(row["weken"] if text(row["weken"]) else self.orders[order_id]["weken"])
        if text(row["uren per week"]):
            hours, care = number(row["uren per week"]), number(row["waarvan verzorging"])
        else:
            group = self.doelgroepen[order_id, doelgroep]
            hours, care = number(group["toegekende uren per week"]), number(group["waarvan verzorging"])
        expected = int(number(row["verwacht aantal leerlingen"]))
        return SchoolClass(order_id, doelgroep, hours * weeks, care * weeks, expected)


# --- Section 3: the payer of every pupil ---


def pupils_in_the_key(setup: Setup, placements: list[Row], indications: list[Row]) -> Pupils:
    """Number of pupils per order, doelgroep, stream and payer. Also checks the expected number of every class."""
    atlas = Atlas(setup)
    placed: Counter[tuple[str, str]] = Counter()
    pupils: Counter[tuple[str, str, str, str]] = Counter()
    for pupil, row in placements_that_count(setup, placements).items():
        place = (code(row["vestiging"]), code(row["klas"]))
        if place in setup.elsewhere:
            continue
        if place not in setup.classes:
            raise RecountError(f"Klas {place} staat niet in de inrichting.")
        placed[place] += 1
        no_need = setup.values["zorgbehoefte_telt"] == "ja" and yes(row["zorgbehoefte"]) is False
        if setup.classes[place].hours == 0 or no_need:
            continue
        own = [line for line in indications if text(line["pgn"]).zfill(9) == pupil]
        found = decided_payer(setup, pupil) or ordinary_payer(setup, atlas, row, own)
        if found != OUTSIDE_THE_KEY:
            pupils[setup.classes[place].order_id, setup.classes[place].doelgroep, *found] += 1

    for place, room in setup.classes.items():
        if placed[place] != room.expected:
            raise RecountError(f"Klas {place} telt {placed[place]} leerlingen; verwacht waren er {room.expected}.")
    return dict(pupils)


OUTSIDE_THE_KEY = ("", "")


def placements_that_count(setup: Setup, placements: list[Row]) -> dict[str, Row]:
    """Pupil -> the one placement on the first school day. Where there are two, a decision says which."""
    on_first_day: dict[str, list[Row]] = defaultdict(list)
    for row in placements:
        begun = the_day(row["plaatsing vanaf"]) <= setup.first_day
        ended = (day(row["plaatsing tot en met"]) or setup.first_day) < setup.first_day
        if begun and not ended and code(row["klas"]) != "AANGEMELD":
            on_first_day[text(row["pgn"]).zfill(9)].append(row)

    chosen = {
        text(row["leerling"]).zfill(9): (code(row["vestiging"]), code(row["klas"]))
        for row in setup.decided("definitief")
        if text(row["klas"])
    }
    for pupil, rows in on_first_day.items():
        if len(rows) > 1:
            rows[:] = [row for row in rows if (code(row["vestiging"]), code(row["klas"])) == chosen.get(pupil)]
        if len(rows) != 1:
            raise RecountError("Een leerling staat in twee klassen en geen besluit wijst er één aan.")
    return {pupil: row for pupil, (row,) in on_first_day.items()}


def decided_payer(setup: Setup, pupil: str) -> tuple[str, str] | None:
    """What a decision says of this pupil; None without a decision (one about the class alone leaves the payer open)."""
    said = []
    for row in setup.decisions:
        if text(row["leerling"]) and text(row["leerling"]).zfill(9) == pupil:
            match text(row["soort"]).lower(), text(row["stroom"]).lower():
                case "niet tellen", _:
                    said.append(OUTSIDE_THE_KEY)
                case "voorlopig", _:
                    said.append(("jeugdwet", setup.values["penvoerder"]))
                case "definitief", stream if stream:
                    said.append((STREAM_LABELS[stream], text(row["betaler"])))
    if len(said) > 1:
        raise RecountError("Twee besluiten over de betaler van één leerling.")
    return said[0] if said else None


def ordinary_payer(setup: Setup, atlas: "Atlas", placement: Row, indications: list[Row]) -> tuple[str, str]:
    """First the Wlz, then the age, then the municipality."""
    indication = indication_that_counts(setup.peildatum, indications)
    if indication is not None:
        return wlz_payer(setup, atlas, placement, indication)
    born = the_day(placement["geboortedatum"])
    turned_18 = (born.year + 18, born.month, born.day)
    if turned_18 > (setup.first_day.year, setup.first_day.month, setup.first_day.day):
        return "jeugdwet", atlas.responsible(placement)
    if setup.values["achttien_plus"] != "betaalbaar":
        raise RecountError("Een leerling van 18 of ouder zonder Wlz en zonder besluit.")
    return "adult", atlas.responsible(placement)


def indication_that_counts(peildatum: date, indications: list[Row]) -> Row | None:
    """The Wlz indication valid and known on the peildatum; of several the one given last, then the highest number."""
    usable = []
    for row in indications:
        known_on = day(row["afgiftedatum"]) or the_day(row["dagtekening"])
        still_valid = (day(row["einddatum"]) or peildatum) >= peildatum
        if the_day(row["ingangsdatum"]) <= peildatum and still_valid and known_on <= peildatum:
            usable.append((known_on, int(text(row["besluitnummer"])), row))
    if not usable:
        return None
    last = max((known_on, decision) for known_on, decision, _ in usable)
    best = [row for known_on, decision, row in usable if (known_on, decision) == last]
    if len({(text(row["leveringsvorm"]), text(row["verantwoordelijk zorgkantoor"])) for row in best}) > 1:
        raise RecountError("Twee gelijke Wlz-besluiten met een andere leveringsvorm of een ander zorgkantoor.")
    return best[0]


def wlz_payer(setup: Setup, atlas: "Atlas", placement: Row, indication: Row) -> tuple[str, str]:
    form, zorgkantoor = text(indication["leveringsvorm"]), text(indication["verantwoordelijk zorgkantoor"])
    if 0 < number(indication["pgb percentage"]) < 100 or form not in ("2", "4", "5", "7", "8"):
        raise RecountError("Een gemengde of onbekende leveringsvorm zonder besluit.")
    policy = setup.values["pgb_beleid"] if form == "2" else setup.values["integraal_tarief"]
    if form in ("7", "8") or (form in ("4", "5") and policy == "als_zin"):
        return "wlz_zin", zorgkantoor
    if policy in ("uitgesloten", "buiten_sleutel"):
        return OUTSIDE_THE_KEY
    if form != "2" or not yes(indication["ouders akkoord"]):
        raise RecountError("Een integraal tarief, of een pgb zonder instemming van de ouders, zonder besluit.")
    if policy == "gemeente":
        return "wlz_pgb", atlas.responsible(placement)
    return "wlz_pgb", {"pgb_houders": "PGB", "zorgkantoor": zorgkantoor}[policy]


class Atlas:
    """The municipalities by code and by name, with the dates between which they exist."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        lines = MUNICIPALITY_LIST.read_text("utf-8").splitlines()
        self.rows = {row["code"]: row for row in csv.DictReader(lines, delimiter=";")}
        self.by_name: dict[str, set[str]] = defaultdict(set)
        for found, row in self.rows.items():
            self.by_name[row["name"].lower()].add(found)
        for own in setup.municipalities:
            self.by_name[text(own["gemeente"]).lower()].add(text(own["gemeentecode"]))

    def responsible(self, placement: Row) -> str:
        """The municipality that the file states; everything doubtful needed a decision before we came here."""
        stated, postcode = text(placement["verantwoordelijke gemeente"]), code(placement["postcode"]).replace(" ", "")
        if text(placement["land"]).lower() not in ("", "nederland"):
            raise RecountError("Een leerling in het buitenland zonder besluit.")
        if not stated:
            raise RecountError("Een leerling zonder gemeente (of met een geheim adres) en zonder besluit.")
        if postcode in self.setup.values["verblijf_postcodes"].split():
            raise RecountError("Een leerling op een verblijfslocatie zonder besluit.")
        return self.find(stated, postcode)

    def find(self, stated: str, postcode: str) -> str:
        """Code of the municipality that a file means, living on the peildatum; never a guess."""
        as_code = re.fullmatch(r"(?:GM)?(\d{1,4})", stated.upper())
        meant = {as_code[1].zfill(4)} if as_code else self.by_name[stated.lower()]
        living = {found for found in meant if self.exists(found)}
        if len(living) == 1:
            return living.pop()
        if living or len(meant) != 1 or not meant <= set(self.rows):
            raise RecountError("Een gemeente is niet eenduidig te herkennen.")
        (ended,) = meant
        if ended == HAAREN and postcode[:4] in HAAREN_BY_POSTCODE:
            return HAAREN_BY_POSTCODE[postcode[:4]]
        successors = self.rows[ended]["successors"].split()
        if len(successors) != 1:
            raise RecountError("Een opgeheven gemeente zonder één duidelijke opvolger.")
        return self.find(successors[0], postcode)

    def exists(self, found: str) -> bool:
        if found not in self.rows:
            return False
        row, today = self.rows[found], self.setup.peildatum.isoformat()
        return row["valid_from"] <= today <= (row["valid_to"] or today)


# --- Section 4: the money ---


def budgets(setup: Setup, order_id: str) -> dict[str, int]:
    """K in cents per doelgroep of an order, doelgroepen in alphabetical order."""
    order = setup.orders[order_id]
    tariff = in_cents(order["tarief"])
    care_tariff = in_cents(order["tarief verzorging"]) if text(order["tarief verzorging"]) else tariff
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for room in setup.classes.values():
        if room.order_id == order_id:
            sums[room.doelgroep] += (room.hours - room.care_hours) * tariff + room.care_hours * care_tariff
    exact = dict(sorted(sums.items()))
    computed = {name: math.floor(amount + Fraction(1, 2)) for name, amount in exact.items()}

    stated = in_cents(order["bedrag"]) if text(order["bedrag"]) else sum(computed.values())
    if text(order["grondslag bedrag"]).lower() == "berekend":
        if stated != sum(computed.values()):
            raise RecountError("Het genoemde bedrag is niet de som van uren maal tarief.")
        return computed
    if abs(stated - sum(exact.values(), Fraction(0))) > in_cents(order["tolerantie"]):
        raise RecountError("Het afgesproken bedrag ligt te ver van uren maal tarief.")
    return largest_remainder(stated, list(exact.items()))


def divide_order(setup: Setup, order_id: str, pupils: Pupils) -> dict[tuple[str, str, str, str], int]:
    """The amounts of an order per doelgroep, stream and payer: first contributions, then streams, then payers."""
    budget = budgets(setup, order_id)
    left = dict(budget)
    detail: Counter[tuple[str, str, str, str]] = Counter()
    for row in setup.contributions:
        if code(row["opdracht"]) == order_id:
            for doelgroep, cents in largest_remainder(in_cents(row["bedrag"]), list(budget.items())).items():
                if cents:
                    detail[order_id, doelgroep, "contribution", text(row["betaler"])] += cents
                    left[doelgroep] -= cents

    borrowed = {
        code(row["doelgroep"]): code(row["sleutel doelgroep"])
        for row in setup.decided("sleutel van")
        if code(row["opdracht"]) == order_id
    }
    for doelgroep, cents in left.items():
        if budget[doelgroep]:
            key = borrowed.get(doelgroep, doelgroep)
            for (stream, payer), share in divide_doelgroep(setup, order_id, key, cents, pupils).items():
                detail[order_id, doelgroep, stream, payer] += share
    return detail


def divide_doelgroep(
    setup: Setup, order_id: str, doelgroep: str, total: int, pupils: Pupils
) -> dict[tuple[str, str], int]:
    """One amount over the streams (ties in their order), then each stream over its payers (ties by code)."""
    heads: dict[str, dict[str, int]] = {stream: {} for stream in STREAMS}
    for (in_order, in_doelgroep, stream, payer), count in sorted(pupils.items()):
        if (in_order, in_doelgroep) == (order_id, doelgroep):
            heads[stream][payer] = count

    weights = {stream: sum(heads[stream].values()) for stream in STREAMS}
    if setup.values["verdeelsleutel"] == "verhouding":
        row = setup.doelgroepen[order_id, doelgroep]
        agreed = {stream: int(number(row[f"gewicht {label}"])) for label, stream in STREAM_LABELS.items()}
        if any((agreed[stream] > 0) != (weights[stream] > 0) for stream in agreed):
            raise RecountError("Een stroom met een gewicht en zonder leerlingen, of andersom.")
        weights = agreed

    shares = {}
    for stream, amount in largest_remainder(total, list(weights.items())).items():
        if weights[stream]:
            for payer, cents in largest_remainder(amount, list(heads[stream].items())).items():
                shares[stream, payer] = cents
    return shares


def spread_year(
    year: dict[tuple[str, str, str], int], setup: Setup
) -> tuple[dict[tuple[str, str, str, str], int], dict[tuple[str, str, str], int]]:
    """Terms per line and month; declarations per order, law and month, worked out apart from the terms."""
    terms: dict[tuple[str, str, str, str], int] = {}
    declarations: dict[tuple[str, str, str], int] = {}
    by_law: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(dict)
    for (order_id, stream, payer), cents in year.items():
        by_law[order_id, LAW[stream]][payer, stream] = cents
    for (order_id, law), lines in by_law.items():
        for (payer, stream), row in ten_terms(lines).items():
            for month, cents in zip(setup.months, row, strict=True):
                terms[order_id, stream, payer, month] = cents
        # What the provider collects from the pgb holders itself is nobody's declaration.
        if law != "pgb" or setup.values["pgb_beleid"] != "pgb_houders":
            for month, cents in largest_remainder(sum(lines.values()), [(m, 1) for m in setup.months]).items():
                declarations[order_id, law, month] = cents
    return terms, declarations
