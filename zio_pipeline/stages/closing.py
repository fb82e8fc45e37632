"""The end of a school year: cost to date, the forecast, the year statement, and closing the year for good.

Belongs here: reading the established figures and the ledger, one call of the rules, publishing, and the closing row.
Does not belong here: the rules (`accruals`, `forecast`, `year_statement`), posting (`stages.billing`).
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from resources.closing import Closings, Closure, ProviderStatement
from resources.establishments import Establishment
from resources.home import Home
from zio_pipeline.accruals import accrual_rows
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.establishment import require_signed
from zio_pipeline.figures import figures_hash
from zio_pipeline.forecast import EstablishedYear, forecast_rows
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages.billing import bill
from zio_pipeline.stages.claims import publish_claims
from zio_pipeline.stages.inputs import newest_setup
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.year import current_setup
from zio_pipeline.year_statement import Claim, YearBooks, closing_reasons, statement_rows

Rows = list[dict[str, Any]]


def publish_accruals(home: Home, school_year: str, on: date) -> Rows:
    """Cost to date against what was posted up to and including a day, by the version in force now.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: the shares lack a valid verdict, or are not those that were signed for.
    """
    established = _established(home, school_year)
    shares = _signed_rows(home, established, "municipal_shares")
    setup, documents = current_setup(home, school_year), home.ledger.posted(school_year)
    rows = accrual_rows(setup, established.version, on, shares, documents)
    publish(home, {"accruals": rows}, {"school_year": school_year, "version": established.version, "as_of": on})
    return rows


def publish_forecast(home: Home, school_year: str, on: date) -> Rows:
    """The forecast of the calendar year after that of the day, out of every established year.

    Raises:
        EstablishmentBlocked: the year is not established.
        ZioError: a later year is established too; the forecast is made from that one.
    """
    base = _established(home, school_year)
    years = []
    for key in sorted({proposal.school_year for proposal in home.warehouse.proposals()}):
        standing = home.warehouse.establishment(key)
        if standing is not None:
            terms = _signed_rows(home, standing, "terms")
            years.append(EstablishedYear(SchoolYear.parse(key), standing.version, terms))
    calendar_year = on.year + 1
    rows = forecast_rows(current_setup(home, school_year), years, calendar_year)
    scope = {"school_year": school_year, "version": base.version, "calendar_year": calendar_year}
    publish(home, {"forecast": rows}, scope)
    return rows


def renewed_forecast(home: Home, school_year: str, on: date) -> Rows:
    """As `publish_forecast`; of a year that is not the newest established one, what was forecast when it was."""
    established = {signed.school_year for signed in home.warehouse.establishments()}
    if school_year == max(established, default=school_year):
        return publish_forecast(home, school_year, on)
    kept: Rows = home.warehouse.rows("forecast", school_year=school_year)
    return kept


def publish_year_statement(home: Home, school_year: str, on: date) -> Rows:
    """The year statement as the books stand on a day; of a closed year the one it was closed on, which does not change.

    Raises:
        EstablishmentBlocked: the year is not established.
        ZioError: the day lies before the last document of the year.
    """
    closure = Closings(home.warehouse.database).closure(school_year)
    if closure is not None:
        return _published(home, closure.school_year, closure.version)
    setup = current_setup(home, school_year)
    return _publish_statement(home, setup, _books(home, _established(home, school_year), on))


def register_statement(home: Home, statement: ProviderStatement) -> bool:
    """Register what a provider says it declared over the year.

    Returns:
        False when exactly this was registered before.

    Raises:
        ZioError: the provider has no order in this year; or as in `closing.Closings.register`.
    """
    providers = {order.provider for order in current_setup(home, statement.school_year).orders}
    if statement.provider not in providers:
        raise ZioError(
            f"Aanbieder {statement.provider} heeft in schooljaar {statement.school_year} geen opdracht; "
            f"kies uit {', '.join(sorted(providers))}."
        )
    return Closings(home.warehouse.database).register(statement)


def close(home: Home, school_year: str, by: str, on: date) -> bool:
    """Close a school year: publish its year statement and add the row after which nothing of it changes.

    Returns:
        False when this person closed it before.

    Raises:
        ZioError: with everything that still stands in the way; or as in `closing.Closings.close`.
    """
    closings = Closings(home.warehouse.database)
    standing = closings.closure(school_year)
    if standing is not None:
        detail = _detail(_published(home, school_year, standing.version))
        return closings.close(Closure(school_year, standing.version, by.strip(), on, detail), ())
    established, setup = _established(home, school_year), current_setup(home, school_year)
    publish_claims(home, school_year, on)
    books = _books(home, established, on)
    statements = {provider: s.amount_cents for provider, s in closings.statements(school_year).items()}
    settled = [b.subject for b in newest_setup(home, school_year).decisions_of("close_parked") if b.subject]
    reasons = [
        *closing_reasons(setup, books, settled, _claims(home, established), statements),
        *(f"Het grootboek klopt niet: {finding}" for finding in home.verify()),
    ]
    if reasons:
        raise ZioError(f"Schooljaar {school_year} kan niet worden gesloten:\n- " + "\n- ".join(reasons))
    rows = _publish_statement(home, setup, books)
    closure = Closure(school_year, established.version, by.strip(), on, _detail(rows))
    return closings.close(closure, [document.number for document in books.documents])


def _established(home: Home, school_year: str) -> Establishment:
    established = home.warehouse.establishment(school_year)
    if established is None:
        raise EstablishmentBlocked([f"schooljaar {school_year} is nog niet vastgesteld."])
    return established


def _signed_rows(home: Home, established: Establishment, name: str) -> Rows:
    rows = trusted_rows(home, name, school_year=established.school_year, version=established.version)
    require_signed(established.receipt, {name: rows})
    return rows


def _books(home: Home, established: Establishment, on: date) -> YearBooks:
    """The year as it stands on a day; what a billing run would do then is looked at and not done."""
    billed = bill(home, established.school_year, on, preview=True)
    return YearBooks(
        version=established.version,
        on=on,
        shares=_signed_rows(home, established, "municipal_shares"),
        terms=_signed_rows(home, established, "terms"),
        documents=home.ledger.posted(established.school_year),
        parked=billed.parked,
        unposted=billed.posted_now,
    )


def _publish_statement(home: Home, setup: SchoolYearSetup, books: YearBooks) -> Rows:
    rows = statement_rows(setup, books)
    publish(home, {"year_statement": rows}, {"school_year": setup.settings.school_year.key, "version": books.version})
    return rows


def _published(home: Home, school_year: str, version: int) -> Rows:
    return trusted_rows(home, "year_statement", school_year=school_year, version=version)


def _detail(rows: Sequence[dict[str, Any]]) -> str:
    """On which figures a year was closed: the hash of its year statement, and its totals in cents."""
    names = ("share_cents", "posted_cents", "parked_cents", "by_provider_cents")
    totals = {name: sum(row[name] for row in rows) for name in names}
    return json.dumps({"year_statement_sha256": figures_hash({"year_statement": rows})} | totals, sort_keys=True)


def _claims(home: Home, established: Establishment) -> list[Claim]:
    """What claims came to beside the declarations of the version in force; nothing when nobody has compared them."""
    scope = {"school_year": established.school_year, "version": established.version}
    if not home.warehouse.rows("claim_control", **scope):
        return []
    return [
        Claim(row["order_id"], row["law"], row["month"], row["status"], row["claimed_cents"])
        for row in trusted_rows(home, "claim_control", **scope)
    ]
