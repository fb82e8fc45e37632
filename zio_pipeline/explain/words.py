"""The Dutch words of an explanation: streams, laws, payers, months, reasons, units.

Belongs here: words, and how a figure with its unit is written. Does not belong here: any figure.
"""

from zio_pipeline.explain.nodes import Unit
from zio_pipeline.explain.remainder import number
from zio_pipeline.money import format_euro
from zio_pipeline.payer.model import PGB_HOLDERS
from zio_pipeline.reference import municipalities, zorgkantoor_name

STREAM = {
    "jeugdwet": "Jeugdwet",
    "wlz_zin": "Wlz in natura",
    "wlz_pgb": "Wlz-pgb",
    "adult": "18 plus",
    "contribution": "bijdrage",
}
LAW = {"jw": "Jeugdwet", "wlz": "Wlz", "pgb": "pgb"}
KIND = {
    "invoice": "Factuur",
    "wlz_statement": "Wlz-overzicht",
    "internal_booking": "Interne boeking",
    "credit_note": "Creditnota",
    "wlz_credit": "Wlz-credit",
    "internal_reversal": "Interne terugboeking",
}
REASON_OF_VERSION = {
    "peildatum_error": "fout op de peildatum",
    "parameter_error": "fout in een afgesproken waarde",
    "objection": "bezwaar",
    "order_change": "gewijzigde opdracht",
}
"""Why an established year got a new version (SPEC section 5)."""
REASON_OF_PAYER = {
    "jeugdwet": "Jeugdwet: woont op de peildatum in deze gemeente",
    "adult": "18 jaar of ouder op de startdatum, zonder Wlz",
    "wlz_zin": "Wlz in natura, bekend op de peildatum",
    "wlz_pgb": "Wlz met pgb, bekend op de peildatum",
    "besluit_definitive": "besluit: definitief",
    "besluit_provisional": "besluit: voorlopig, de penvoerder betaalt",
}
_MONTHS = (
    "januari februari maart april mei juni juli augustus september oktober november december".split()  # noqa: SIM905
)


def payer_name(payer_kind: str, payer: str) -> str:
    """Code and name: '0855 Tilburg'."""
    if payer_kind == "municipality":
        return f"{payer} {municipalities().name(payer)}"
    if payer_kind == "zorgkantoor":
        return f"{payer} {zorgkantoor_name(payer) or 'zorgkantoor'}"
    return "pgb-houders" if payer == PGB_HOLDERS else payer


def month_name(key: str) -> str:
    """'2025-09' -> 'september 2025'."""
    year, month = key.split("-")
    return f"{_MONTHS[int(month) - 1]} {year}"


def figure(value: int, unit: Unit) -> str:
    """A figure with its unit."""
    if unit is Unit.CENTS:
        return f"€ {format_euro(value)}"
    if unit is Unit.EXACT:
        return f"€ {format_euro(value // 100)}{value % 100:02d}"
    if unit is Unit.TARIFF:
        return f"€ {format_euro(value)} per uur"
    if unit is Unit.HOURS:
        return f"{format_euro(value)} uur"
    many, one = {
        Unit.WEEKS: ("weken", "week"),
        Unit.PUPILS: ("leerlingen", "leerling"),
        Unit.WEIGHT: ("delen", "deel"),
    }[unit]
    return f"{number(value)} {one if value == 1 else many}"
