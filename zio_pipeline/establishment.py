"""Freezing a school year: the receipt that two people sign for (SPEC section 5, `establish`).

Belongs here: what stands in a receipt, and its hash. Same inputs, same figures, same receipt: there is no clock in it.
Does not belong here: storing it, or the four-eyes constraint (the warehouse holds that).
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version as package_version
from typing import Any

from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.figures import YearFigures, YearInputs, canonical, figures_hash
from zio_pipeline.order_history import history_with
from zio_pipeline.proofs import require, settlement
from zio_pipeline.versions import ORDER_CHANGE, Base, changed_orders, order_totals

MONEY_SOURCES = ("school_year_setup", "pupil_registrations", "wlz_statuses")
"""What a year is computed from; timesheets prove delivery and never change an amount."""
FIRST_VERSION = 1
REASON_OF_WORD = {
    "peildatumfout": "peildatum_error",
    "parameterfout": "parameter_error",
    "bezwaar": "objection",
    "opdrachtwijziging": "order_change",
}
"""The word people use -> the reason of a new version (SPEC section 5)."""
MUTATION = (
    "Een mutatie is nooit een reden voor een nieuwe versie: wat na de peildatum verandert, wordt dit schooljaar niet verrekend "
    "(zio mutations laat zien wat het zou hebben gescheeld)."
)


def reason_of(word: str) -> str:
    """The reason code of a Dutch word or of the code itself.

    Raises:
        ZioError: another word, `mutatie` above all.
    """
    found = word.strip().casefold()
    if found in ("mutatie", "mutation"):
        raise ZioError(MUTATION)
    if found not in {*REASON_OF_WORD, *REASON_OF_WORD.values()}:
        raise ZioError(f"Een nieuwe versie heeft een reden nodig: {', '.join(REASON_OF_WORD)}.")
    return REASON_OF_WORD.get(found, found)


def make_receipt(inputs: YearInputs, figures: YearFigures, version: int) -> dict[str, Any]:
    """The receipt of a computed year: inputs, settings, counts, shares, proofs and figures, by hash and by total.

    That of a new version also says beside which version it stands, for what reason, from which term each changed order bears
    its difference, every order change up to now, which later rows it took, and (of an order change) in which periods of which
    payers a document stood that it took as given.

    Raises:
        NotProved: an invariant does not hold; there is nothing to sign for.
    """
    require(figures.proofs)
    tables = figures.tables
    return {
        "school_year": figures.setup.settings.school_year.key,
        "version": version,
        "fictitious": figures.setup.settings.fictitious,
        "code_version": package_version("zio-pipeline"),
        "inputs": [dict(sorted(file.items())) for file in inputs.files],
        "settings_sha256": sha256_of(
            asdict(figures.setup.settings) | {"stay_postcodes": sorted(figures.setup.settings.stay_postcodes)}
        ),
        "decisions_sha256": sha256_of([asdict(decision) for decision in figures.outcome.decisions]),
        "pupils": dict(sorted(Counter(d.stream or "buiten de sleutel" for d in figures.outcome.decisions).items())),
        "orders_cents": order_totals(tables["doelgroep_budgets"]),
        "settlement_cents": settlement(tables["municipal_shares"]),
        "proofs": len(figures.proofs),
        "figures_sha256": table_hashes(tables),
    } | ({"base": _beside(inputs.base, figures)} if inputs.base else {})


def _beside(base: Base, figures: YearFigures) -> dict[str, Any]:
    tables = figures.tables
    first_terms = changed_orders(figures.setup, tables, base)
    totals = [order_totals(of["doelgroep_budgets"]) for of in (base.tables, tables)]
    return {
        "version": base.version,
        "receipt_hash": base.receipt_hash,
        "reason": base.reason,
        "explanation": base.explanation,
        "first_terms": first_terms,
        "order_changes": [asdict(change) for change in history_with(base.history, first_terms, *totals)],
        "taken_rows": list(base.taken),
        # Of another reason nothing depends on it: a monthly run must not make such a proposal fall.
        "posted": [list(place) for place in sorted(base.posted)] if base.reason == ORDER_CHANGE else [],
    }


def table_hashes(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """SHA-256 per table: what a signature stands under, and what every later reading is compared with."""
    return {name: figures_hash({name: rows}) for name, rows in sorted(tables.items())}


def require_signed(receipt: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Stop when a table of an established year is not the one that two people signed for.

    Raises:
        NotProved: naming the tables.
    """
    signed = receipt["figures_sha256"]
    different = [name for name, found in table_hashes(tables).items() if signed.get(name) != found]
    if different:
        raise NotProved(
            f"Wijkt af van wat is vastgesteld (bewijs van versie {receipt['version']}): {', '.join(different)}. "
            "Er is niets gewijzigd en niets geboekt."
        )


def receipt_hash(receipt: dict[str, Any]) -> str:
    """SHA-256 of the receipt in canonical JSON: what an approval names."""
    return sha256_of(receipt)


def sha256_of(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()
