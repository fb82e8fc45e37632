"""The equations a settlement must satisfy, proved on every run and stored with both sides (SPEC section 4, Invariants).

Belongs here: stating each equation over finished figures, by adding up again from the rows themselves.
Does not belong here: computing a figure. A proof that reuses the calculation it proves is none.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from zio_pipeline.errors import NotProved
from zio_pipeline.kept_terms import is_posted
from zio_pipeline.settings import Settings
from zio_pipeline.versions import ORDER_CHANGE, Base, calendar_of

Row = Mapping[str, Any]
_NEVER = "9999-99"
"""Later than every term: an order that did not change bears nothing in any."""


@dataclass(frozen=True)
class Proof:
    """One equation: proved when both sides are equal to the cent."""

    invariant: str
    scope: str
    left_cents: int
    right_cents: int

    @property
    def proved(self) -> bool:
        return self.left_cents == self.right_cents

    def row(self) -> dict[str, Any]:
        return {
            "invariant": self.invariant,
            "scope": self.scope,
            "left_cents": self.left_cents,
            "right_cents": self.right_cents,
            "proved": self.proved,
        }


def prove(tables: Mapping[str, list[dict[str, Any]]]) -> list[Proof]:
    """Every equation over the tables of one year and version.

    Args:
        tables: rows of `doelgroep_budgets`, `funding_split`, `share_details`, `municipal_shares`, `terms`,
            `monthly_declarations`, `declaration_addressees` and `zorgkantoor_statement`, as their contracts describe.
    """
    budgets, split, details = tables["doelgroep_budgets"], tables["funding_split"], tables["share_details"]
    lines, terms = tables["municipal_shares"], tables["terms"]
    group, stream, line = (
        ("order_id", "doelgroep"),
        ("order_id", "doelgroep", "stream"),
        ("order_id", "stream", "payer"),
    )
    contributions = [row for row in lines if row["stream"] == "contribution"]
    declared = [row for row in terms if row["payer_kind"] != "pgb_holders"]
    statement_lines = [row for row in details if row["payer_kind"] == "zorgkantoor"]
    return [
        *_equal("streams_equal_budget", _sums(split, *group), _sums(budgets, *group)),
        *_equal("payers_equal_stream", _sums(details, *stream), _sums(split, *stream)),
        *_equal(
            "lines_equal_payers",
            _sums([r for r in lines if r["stream"] != "contribution"], *line),
            _sums(details, *line),
        ),
        *_equal(
            "contributions_equal_orders",
            _sums(contributions, "order_id"),
            _sums(budgets, "order_id", cents="contribution_cents"),
        ),
        *_equal("terms_equal_year", _sums(terms, *line), _sums(lines, *line)),
        *_equal(
            "declarations_equal_terms",
            _sums(tables["monthly_declarations"], "order_id", "law", "month"),
            _sums(declared, "order_id", "law", "month"),
        ),
        *_equal(
            "addressees_equal_declarations",
            _sums(tables["declaration_addressees"], "order_id", "law", "month"),
            _sums(tables["monthly_declarations"], "order_id", "law", "month"),
        ),
        *_equal(
            "statement_equals_payers",
            _sums(tables["zorgkantoor_statement"], "payer", *group),
            _sums(statement_lines, "payer", *group),
        ),
        *_equal("lines_equal_order", _sums(lines, "order_id"), _sums(budgets, "order_id", cents="budget_cents")),
        Proof(
            "parties_equal_orders",
            "regio",
            sum(settlement(lines).values()),
            sum(row["budget_cents"] for row in budgets),
        ),
    ]


def prove_beside(
    tables: Mapping[str, list[dict[str, Any]]], base: Base, settings: Settings, changed: Mapping[str, str]
) -> list[Proof]:
    """What a new version may not move (SPEC section 5): the left side counts what it moved all the same.

    Args:
        tables: of the new version.
        base: the version in force.
        settings: of the new version.
        changed: order -> month of the first term that bears its difference; empty unless the reason is `order_change`.
    """
    line, cell = ("order_id", "stream", "payer"), ("order_id", "stream", "payer", "month")
    before, after = _sums(base.tables["terms"], *cell), _sums(tables["terms"], *cell)
    years = _sums(base.tables["municipal_shares"], *line), _sums(tables["municipal_shares"], *line)
    moved = {key for key in before.keys() | after.keys() if before.get(key, 0) != after.get(key, 0)}
    proofs = []
    if calendar_of(settings) == base.calendar:
        lines_moved = {key[:3] for key in moved}
        same = {key for key in years[0].keys() & years[1].keys() if years[0][key] == years[1][key]}
        proofs.append(Proof("unchanged_lines_keep_terms", "regio", len(lines_moved & same), 0))
    if base.reason != ORDER_CHANGE:
        if calendar_of(settings) == base.calendar:
            proofs += _declarations_stay(tables["terms"], base)
        return proofs
    for order_id in sorted({str(key[0]) for key in before.keys() | after.keys()}):
        own, first = [key for key in moved if key[0] == order_id], changed.get(order_id, _NEVER)
        wrong = [key for key in own if str(key[3]) < first or is_posted(base, settings, str(key[2]), str(key[3]))]
        proofs.append(Proof("fixed_terms_stay", order_id, len(wrong), 0))
    asked = [_documents(rows, base.posted) for rows in (base.tables["terms"], tables["terms"])]
    taken_back = [place for place, lines in asked[0].items() if asked[1].get(place) != lines]
    return [*proofs, Proof("posted_documents_stay", "regio", len(taken_back), 0)]


def _documents(terms: Iterable[Row], posted: AbstractSet[tuple[str, str]]) -> dict[tuple[str, str], dict[Any, int]]:
    """Per payer and period in which a document stands, the lines that a version asks."""
    found: dict[tuple[str, str], dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    for row in terms:
        if (row["payer"], row["period"]) in posted and row["amount_cents"]:
            found[row["payer"], row["period"]][row["order_id"], row["stream"]] += row["amount_cents"]
    return found


def _declarations_stay(terms: Iterable[Row], base: Base) -> list[Proof]:
    """Months in which an order and law moved although its year did not.

    Of an order that changed before, not a cent. Of another one no more than what was rounded: every cell that moved, before and
    after, is less than two cents from its exact share.
    """
    terms, names = list(terms), ("order_id", "law")
    years = [_sums(rows, *names) for rows in (base.tables["terms"], terms)]
    months = [_sums(rows, *names, "month") for rows in (base.tables["terms"], terms)]
    cells = [_sums(rows, *names, "stream", "payer", "month") for rows in (base.tables["terms"], terms)]
    moved = {key for key in cells[0].keys() | cells[1].keys() if cells[0].get(key, 0) != cells[1].get(key, 0)}
    changed_before = {change.order_id for change in base.history}
    proofs = []
    for place in sorted(years[0].keys() & years[1].keys(), key=str):
        if years[0][place] == years[1][place]:
            rounded = 0 if place[0] in changed_before else 4 * len({key[2:4] for key in moved if key[:2] == place})
            own = [key for key in months[0].keys() | months[1].keys() if key[:2] == place]
            wrong = [key for key in own if abs(months[0].get(key, 0) - months[1].get(key, 0)) > rounded]
            proofs.append(Proof("unchanged_years_keep_declarations", " · ".join(map(str, place)), len(wrong), 0))
    return proofs


def settlement(lines: Iterable[Row]) -> dict[str, int]:
    """Cents per kind of party: members, outside, zorgkantoren, pgb, adult (also of members), contributions."""
    totals = dict.fromkeys(("members", "outside", "zorgkantoren", "pgb", "adult", "contributions"), 0)
    for row in lines:
        totals[_party(row)] += row["amount_cents"]
    return totals


def _party(line: Row) -> str:
    by_stream = {"adult": "adult", "contribution": "contributions", "wlz_pgb": "pgb", "wlz_zin": "zorgkantoren"}
    return by_stream.get(line["stream"]) or ("members" if line["member"] else "outside")


def require(proofs: Iterable[Proof]) -> None:
    """Stop when any equation does not hold.

    Raises:
        NotProved: with every equation that fails and both its sides.
    """
    failed = [p for p in proofs if not p.proved]
    if failed:
        shown = "\n- ".join(f"{p.invariant} ({p.scope}): {p.left_cents} tegen {p.right_cents} cent" for p in failed)
        raise NotProved(f"De verdeling sluit niet:\n- {shown}")


def _sums(rows: Iterable[Row], *names: str, cents: str = "amount_cents") -> dict[tuple[Hashable, ...], int]:
    totals: dict[tuple[Hashable, ...], int] = defaultdict(int)
    for row in rows:
        totals[tuple(row[name] for name in names)] += row[cents]
    return totals


def _equal(
    invariant: str, left: Mapping[tuple[Hashable, ...], int], right: Mapping[tuple[Hashable, ...], int]
) -> list[Proof]:
    scopes = sorted(set(left) | set(right), key=str)
    return [Proof(invariant, " · ".join(map(str, scope)), left.get(scope, 0), right.get(scope, 0)) for scope in scopes]
