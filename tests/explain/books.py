"""Small years for explaining, made by hand, with the documents they post. Every figure is fictief.

Belongs here: years in which rounding shows, their versions, and posted documents without a database.
Does not belong here: any expectation.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date

from tests.test_billing import standing
from tests.year_builder import (
    BREDA,
    DE_BODDE,
    HEUSDEN,
    MIDDEN_BRABANT,
    TILBURG,
    WAALWIJK,
    WEST_BRABANT,
    Year,
)
from zio_pipeline.billing import (
    GENESIS,
    BillingCalendar,
    Debtor,
    PostedDocument,
    ReadyDocument,
    TermAmount,
    credit_of,
    desired_documents,
)
from zio_pipeline.billing.posted import posted_as
from zio_pipeline.explain import Explainer, VersionBooks
from zio_pipeline.figures import YearFigures, compute_year
from zio_pipeline.versions import Base, calendar_of

FIRST = "eerste vaststelling"


def whole_year(**settings: str) -> Year:
    """Two orders: one computed, with two tariffs, own weeks and a contribution; one agreed at a round amount."""
    year = Year(empty=True, **settings)
    year.order("LP", tariff_cents=67_15, care_tariff_cents=62_40, source="Contract LP, artikel 4 (fictief)")
    year.doelgroep(
        "LP", "EMB", 18_00, need_hours_hundredths=20_00, own_hours_hundredths=2_00, care_hours_hundredths=6_25
    )
    year.doelgroep("LP", "LG", 6_50)
    year.school_class("EMB1")
    year.school_class("EMB2", hours_per_week_hundredths=17_25, weeks=39, source="Werkafspraak klas EMB2 (fictief)")
    year.school_class("LG1", "LP", "LG")
    year.school_class("VMBO", "LP", "LG", hours_per_week_hundredths=0)
    year.order("BO", school=DE_BODDE, tariff_cents=65_80, amount_basis="agreed", stated_amount_cents=40_000_00)
    year.sheets["orders"][-1]["tolerance_cents"] = 5_000_00
    year.doelgroep("BO", "ZML", 8_00)
    year.doelgroep("BO", "ASS", 6_00)
    year.school_class("Z1", "BO", "ZML", school=DE_BODDE)
    year.school_class("A1", "BO", "ASS", school=DE_BODDE)
    year.pupils(3, "EMB1", TILBURG)
    year.pupil("kind-heusden", "EMB1", HEUSDEN)
    year.pupil("kind-breda", "EMB1", BREDA)
    for n in range(4):
        year.wlz(year.pupil(f"kind-mpt{n}", "EMB2"), "7")
    year.wlz(year.pupil("kind-west", "EMB2"), "8", WEST_BRABANT)
    year.wlz(year.pupil("kind-pgb", "EMB2"), "2", parents_agree=True)
    year.pupils(2, "LG1", TILBURG)
    year.pupil("kind-heusden2", "LG1", HEUSDEN)
    year.pupils(2, "VMBO", WAALWIJK)
    year.pupils(4, "Z1", TILBURG, school=DE_BODDE)
    year.pupils(3, "Z1", BREDA, school=DE_BODDE)
    year.wlz(year.pupil("kind-z", "Z1", school=DE_BODDE), "7")
    year.pupil("kind-a", "A1", WAALWIJK, school=DE_BODDE)
    year.pupil("kind-a2", "A1", TILBURG, school=DE_BODDE)
    year.contribution("LP", "SWV", 1_000_01)
    year.add("zorgkantoren", zorgkantoor=MIDDEN_BRABANT, name="VGZ", legal_ground="Wlz art. 3.3.3 (fictief)")
    return year


def thirds() -> Year:
    """100,00 over three members with a pupil each: Heusden, the first by code, gets the odd cent."""
    year = Year(empty=True)
    year.order("LP", weeks=1, tariff_cents=100_00)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    for code in (HEUSDEN, TILBURG, WAALWIJK):
        year.pupil(f"kind {code}", municipality=code)
    return year


def by_pupils() -> Year:
    """The other basis: hours per expected pupil. 3 x 2,50 x 40 x 60,00, and a class that needs none."""
    year = Year(bekostiging="leerlinggewicht")
    year.sheets["doelgroepen"][0] |= {"hours_per_pupil_hundredths": 2_50, "source": "Bijlage gewichten (fictief)"}
    year.school_class("VMBO", hours_per_week_hundredths=0)
    for code in (HEUSDEN, TILBURG, WAALWIJK):
        year.pupil(f"kind {code}", municipality=code)
    year.pupil("kind vmbo", "VMBO", TILBURG)
    return year


def books_of(figures: YearFigures, *, reason: str = FIRST, pseudonyms: bool = False) -> VersionBooks:
    """The books of a computed year; its version is that of its rows."""
    version = figures.tables["terms"][0]["version"]
    decisions = figures.outcome.decisions if pseudonyms else None
    return VersionBooks("2025-2026", version, reason, figures.setup, figures.tables, decisions)


def second(year: Year, first: YearFigures, reason: str, posted: Sequence[PostedDocument] = ()) -> YearFigures:
    """The changed year as version 2, beside its first version and what was posted by it."""
    base = Base(
        version=1,
        receipt_hash="0" * 64,
        reason=reason,
        tables=first.tables,
        calendar=calendar_of(first.setup.settings),
        posted=frozenset((document.payer, document.period) for document in posted),
    )
    return compute_year(replace(year.inputs(), base=base), 2)


def posted_documents(figures: YearFigures, until: date = date(2026, 7, 31)) -> list[PostedDocument]:
    """Every document due up to a day, each posted on its own due date."""
    settings = figures.setup.settings
    halves = (settings.first_half_due_month, settings.second_half_due_month)
    calendar = BillingCalendar.of(settings.school_year, settings.term_months, settings.first_half_months, halves)
    names = [field.name for field in fields(TermAmount)]
    rows = figures.tables["terms"]
    terms = [TermAmount(**{name: row[name] for name in names}) for row in rows]
    ready = [
        ReadyDocument(
            desired=document,
            sender="GR-HVB",
            kind=document.kind,
            document_date=document.due_on,
            debtor=Debtor(document.payer, f"Debiteur {document.payer} (fictief)", ("Straat 1",), "V-1"),
            vat_category=settings.vat_category,
        )
        for document in desired_documents(rows[0]["version"], terms, calendar)
        if document.due_on <= until
    ]
    return _numbered(ready)


def credited(original: PostedDocument, on: date) -> PostedDocument:
    """The credit of a document, asked for by version 2."""
    return posted_as(credit_of(original, 2, on, standing()), 1, GENESIS)


def _numbered(ready: Sequence[ReadyDocument]) -> list[PostedDocument]:
    last: Counter[str] = Counter()
    posted = []
    for document in ready:
        last[document.series] += 1
        posted.append(posted_as(document, last[document.series], GENESIS))
    return posted


def explainer(figures: YearFigures, **how: bool) -> Explainer:
    """A year of one version with everything posted."""
    return Explainer([books_of(figures, **how)], posted_documents(figures))
