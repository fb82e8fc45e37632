"""Every edge case about payer, money and time that a naive settlement gets wrong: one row each, in the order of the list.

A row is a number, what is the matter in Dutch, and a check that exercises the real code. Of the two that are only about reading
a file the check points to their case in `tests/corpus`, which `tests/intake/test_corpus.py` reads. Every figure is fictief.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.test_billing import BREDA as OUTSIDE
from tests.test_billing import TILBURG as MEMBER
from tests.test_billing import asked, booked, debtor, standing, terms
from tests.year_builder import (
    BREDA,
    DE_BODDE,
    GOIRLE,
    HEUSDEN,
    MIDDEN_BRABANT,
    REFERENCE_DATE,
    START_DATE,
    TILBURG,
    VUGHT,
    WAALWIJK,
    WEST_BRABANT,
    Year,
    decision_of,
    open_reasons,
    shares,
    signal_reasons,
    small_year,
    year_amounts,
)
from zio_pipeline.billing import BillingPlan, ReadyDocument, plan
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import EstablishmentBlocked, NotProved, SetupError
from zio_pipeline.money import largest_remainder
from zio_pipeline.payer import Decision, PayerOutcome
from zio_pipeline.reference import municipalities
from zio_pipeline.school_year import SchoolYear, first_working_day
from zio_pipeline.settings import READERS

CORPUS = Path(__file__).parent / "corpus"
ALPHEN_CHAAM, DEN_BOSCH = "1723", "0796"
SEPTEMBER, NEW_YEARS_EVE = date(2025, 9, 1), date(2025, 12, 31)
EIGHTEEN = {"birth_date": date(2007, 8, 18)}

Check = Callable[[], None]
CASES: dict[int, tuple[str, Check]] = {}


def case(number: int, what: str) -> Callable[[Check], Check]:
    """Add a row to the table."""

    def add(check: Check) -> Check:
        assert number not in CASES
        CASES[number] = (what, check)
        return check

    return add


def corpus(name: str) -> None:
    assert (CORPUS / name).is_dir()


def one_pupil(wlz: Iterable[dict[str, object]] = (), settings: dict[str, str] | None = None, **row: object) -> Year:
    year = Year(**(settings or {}))
    year.pupil("p", **row)
    for values in wlz:
        year.wlz("p", **values)
    return year


def decided(year: Year) -> Decision:
    return decision_of(year.outcome(), "p")


def waits(year: Year, *reasons: str) -> None:
    """The pupil stands on the worklist for these reasons, has no payer, and the year cannot be settled."""
    outcome = year.outcome()
    assert open_reasons(outcome) == sorted(reasons)
    assert not [d for d in outcome.decisions if d.pupil == "p"]
    with pytest.raises(EstablishmentBlocked):
        year.figures()


def outside_the_key(outcome: PayerOutcome) -> dict[str, str]:
    return {d.pupil: d.reason for d in outcome.decisions if d.stream is None}


def posted_on(amounts: list, day: date, **who: object) -> BillingPlan:
    return plan(asked(amounts), [], day, standing(**who))


def monthly(payer: str = MEMBER, cents: int = 100) -> list:
    return terms(payer, "municipality", "monthly", cents)


def halves(payer: str = OUTSIDE, cents: int = 100) -> list:
    return terms(payer, "municipality", "half_year", cents)


# --- leerling en betaler ----------------------------------------------------------------------------------------------


@case(1, "BSN dat zijn eerste nul verloor")
def _() -> None:
    corpus("001-lost-leading-zero")


@case(2, "onderwijsnummer in plaats van BSN")
def _() -> None:
    corpus("002-onderwijsnummer")


@case(3, "dezelfde leerling bij beide scholen")
def _() -> None:
    year = Year()
    year.order("BO", school=DE_BODDE)
    year.doelgroep("BO", "ZML")
    year.school_class("Z1", "BO", "ZML", school=DE_BODDE, expected_pupils=1)
    year.pupil("other", "Z1", school=DE_BODDE)
    year.pupil("p")
    year.pupil("p", "Z1", school=DE_BODDE)
    assert {"double_placement"} <= set(open_reasons(year.outcome()))
    assert not [d for d in year.outcome().decisions if d.pupil == "p"]
    year.besluit("definitive", pupil="p", class_code="EMB1")
    assert [d.class_code for d in year.outcome().decisions if d.pupil == "p"] == ["EMB1"]
    assert open_reasons(year.outcome()) == []


@case(4, "laatste dag van de plaatsing is de startdatum")
def _() -> None:
    assert decided(one_pupil(placed_to=START_DATE)).payer == TILBURG
    gone = one_pupil(placed_to=date(2025, 8, 17))
    assert (gone.outcome().decisions, signal_reasons(gone.outcome())) == ((), ["left_before_start"])


@case(5, "aangemeld, of ingeschreven ná de startdatum")
def _() -> None:
    assert signal_reasons(one_pupil(class_code="Aangemeld").outcome()) == ["announced"]
    assert signal_reasons(one_pupil(placed_from=date(2025, 8, 19)).outcome()) == ["expected_newcomer"]


@case(6, "klas zonder zorguren")
def _() -> None:
    year = Year()
    year.school_class("VMBO", hours_per_week_hundredths=0)
    year.pupil("carries", municipality=HEUSDEN)
    year.pupil("free", "VMBO", TILBURG)
    assert outside_the_key(year.outcome()) == {"free": "no_hours"}
    assert sum(year.outcome().placed().values()) == 2
    assert {payer for *_, payer in shares(year)} == {HEUSDEN}


@case(7, "geen zorgbehoefte terwijl de klas uren heeft")
def _() -> None:
    year = one_pupil(needs_care=False)
    year.pupil("carries", municipality=HEUSDEN)
    assert outside_the_key(year.outcome()) == {"p": "no_need"}
    assert decided(one_pupil(settings={"zorgbehoefte_telt": "nee"}, needs_care=False)).payer == TILBURG
    assert decided(one_pupil(needs_care=None)).payer == TILBURG


@case(8, "verblijf in Tilburg, afkomstig uit Breda")
def _() -> None:
    year = one_pupil(postcode="5022KE", municipality=TILBURG)
    waits(year, "stay")
    year.besluit("definitive", pupil="p", stream="jeugdwet", payer=BREDA)
    assert (decided(year).payer, decided(year).evidence) == (BREDA, "besluit B001")


@case(9, "pleegzorg: de verantwoordelijke gemeente gaat vóór het adres")
def _() -> None:
    found = decided(one_pupil(postcode="5038AA", municipality=BREDA, municipality_evidence="confirmed"))
    assert (found.payer, found.evidence) == (BREDA, "bevestigd door de gemeente")


@case(10, "geheim of ontbrekend adres")
def _() -> None:
    waits(one_pupil(secret_address=True, municipality=None), "secret_address")
    waits(one_pupil(municipality=None, postcode="5038AA"), "municipality_missing")
    assert decided(one_pupil(secret_address=True, postcode=None, municipality=TILBURG)).payer == TILBURG


@case(11, "schrijfwijzen van gemeenten en plaatsnamen")
def _() -> None:
    written = {
        "Den Bosch": DEN_BOSCH,
        "'s-Hertogenbosch": DEN_BOSCH,
        "Gilze-Rijen": "0784",
        "Loon op zand": "0809",
        "Tilburg (gemeente)": TILBURG,
        "Kaatsheuvel": "0809",
        "Drunen": HEUSDEN,
        "Berkel-Enschot": TILBURG,
    }
    assert {text: decided(one_pupil(municipality=text)).payer for text in written} == written
    waits(one_pupil(municipality="Nergenshuizen"), "municipality_unknown")


@case(12, "opgeheven en verdeelde gemeenten")
def _() -> None:
    assert decided(one_pupil(municipality="Haaren", postcode="5268AB")).payer == VUGHT
    assert decided(one_pupil(municipality="Uden", postcode=None)).payer == "1991"
    waits(one_pupil(municipality="Haaren", postcode=None), "municipality_split")


@case(13, "Alphen-Chaam: lid of niet bepaalt het ritme, niet het bedrag")
def _() -> None:
    found = {}
    for since in (date(2021, 1, 1), date(2025, 8, 2)):
        year = one_pupil(municipality=ALPHEN_CHAAM)
        year.add("municipalities", municipality=ALPHEN_CHAAM, name="Alphen-Chaam", member_from=since)
        year.besluit("membership", subject=ALPHEN_CHAAM)
        (row,) = year.figures().tables["municipal_shares"]
        found[row["rhythm"]] = row["amount_cents"]
    assert found == {"monthly": 24_000_00, "half_year": 24_000_00}


@case(14, "leerling woont in België")
def _() -> None:
    waits(one_pupil(country="België"), "abroad")
    waits(one_pupil(municipality="Baarle-Hertog"), "abroad")


@case(15, "18 op de startdatum, of in de loop van het jaar")
def _() -> None:
    waits(one_pupil(**EIGHTEEN), "adult")
    assert decided(one_pupil(settings={"achttien_plus": "betaalbaar"}, **EIGHTEEN)).stream == "adult"
    turning = one_pupil(birth_date=date(2007, 8, 19)).outcome()
    assert (decision_of(turning, "p").stream, signal_reasons(turning)) == ("jeugdwet", ["turns_18"])


@case(16, "verhuisd op 1 oktober, na de peildatum")
def _() -> None:
    year = one_pupil(municipality=BREDA, municipality_since=date(2025, 10, 1))
    waits(year, "municipality_after_reference_date")
    assert decided(one_pupil(municipality=BREDA, municipality_since=REFERENCE_DATE)).payer == BREDA


@case(17, "verhuizing vóór de peildatum pas na facturering gemeld")
def _() -> None:
    posted = booked(posted_on(monthly(cents=100), SEPTEMBER).to_post)
    corrected = asked([*monthly(cents=60), *halves(cents=40)], version=2)
    made = plan(corrected, posted, date(2026, 1, 2), standing()).to_post
    (credit,) = [d for d in made if d.credits]
    assert (credit.kind, credit.credits, credit.document_date) == ("credit_note", posted[0].number, date(2026, 1, 2))
    assert [(d.payer, d.period) for d in made if not d.credits and d.period in ("2025-09", "2025-2026-H1")] == [
        (MEMBER, "2025-09"),
        (OUTSIDE, "2025-2026-H1"),
    ]


# --- Wlz --------------------------------------------------------------------------------------------------------------


@case(18, "Wlz-pgb is geen ZIN en valt niet terug op de Jeugdwet")
def _() -> None:
    pgb = {"form": "2", "parents_agree": True}
    assert outside_the_key(one_pupil([pgb]).outcome()) == {"p": "wlz_pgb_excluded"}
    for policy, payer in (("zorgkantoor", MIDDEN_BRABANT), ("gemeente", TILBURG), ("pgb_houders", "PGB")):
        found = decided(one_pupil([pgb], {"pgb_beleid": policy}))
        assert (found.stream, found.payer) == ("wlz_pgb", payer)
    waits(one_pupil([{"form": "2", "parents_agree": None}], {"pgb_beleid": "zorgkantoor"}), "pgb_consent")


@case(19, "MPT en pgb naast elkaar")
def _() -> None:
    waits(one_pupil([{"form": "7", "pgb_percentage": 40}]), "wlz_mixed")


@case(20, "indicatie met terugwerkende kracht: bekend op de peildatum beslist")
def _() -> None:
    late = {"starts_on": date(2025, 6, 1), "issued_on": date(2025, 7, 2)}
    outcome = one_pupil([late]).outcome()
    assert (decision_of(outcome, "p").stream, signal_reasons(outcome)) == ("jeugdwet", ["wlz_granted_afterwards"])
    undated = {"issued_on": None, "list_date": REFERENCE_DATE}
    assert decided(one_pupil([undated])).evidence == (
        "Wlz-lijst 2025-07-01, geldig vanaf 2025-05-01, bekend sinds 2025-07-01"
    )
    assert decided(one_pupil([undated | {"list_date": date(2025, 7, 2)}])).stream == "jeugdwet"


@case(21, "beëindigde indicatie, en twee die elkaar overlappen")
def _() -> None:
    assert decided(one_pupil([{"ends_on": date(2025, 6, 30)}])).stream == "jeugdwet"
    older = {"issued_on": date(2025, 3, 1), "decision_number": 9, "zorgkantoor": WEST_BRABANT}
    # The dagtekening of the list (20 June) is since when it is known, not which of two is the newest.
    undated = {"issued_on": None, "decision_number": 1}
    assert decided(one_pupil([older, {}])).payer == MIDDEN_BRABANT
    assert open_reasons(one_pupil([{"zorgkantoor": WEST_BRABANT}, undated]).outcome()) == ["wlz_ambiguous"]


@case(22, "verantwoordelijk zorgkantoor is niet het uitvoerende")
def _() -> None:
    found = decided(one_pupil([{"zorgkantoor": WEST_BRABANT, "executing_zorgkantoor": MIDDEN_BRABANT}]))
    assert (found.payer, found.payer_kind) == (WEST_BRABANT, "zorgkantoor")


@case(23, "verblijf of volledig pakket thuis: integraal tarief")
def _() -> None:
    for form in ("4", "5"):
        waits(one_pupil([{"form": form}]), "wlz_integral")
        assert decided(one_pupil([{"form": form}], {"integraal_tarief": "als_zin"})).stream == "wlz_zin"
        assert decided(one_pupil([{"form": form}], {"integraal_tarief": "uitgesloten"})).stream is None


@case(24, "leerlingen of afgesproken verhouding: één sleutel per jaar, en hij staat erbij")
def _() -> None:
    found = {}
    for key in ("leerlingen", "verhouding"):
        year = Year(verdeelsleutel=key)
        year.sheets["doelgroepen"][0] |= {"weight_jeugdwet": 3, "weight_wlz_zin": 7}
        year.pupil("j")
        year.wlz(year.pupil("w"))
        found[year.setup().settings.split_key] = year_amounts(year.figures())["LP", "jeugdwet", TILBURG]
    assert found == {"head_count": 12_000_00, "agreed_ratio": 7_200_00}
    mixed = Year()
    mixed.add("settings", key="verdeelsleutel", value="verhouding")
    with pytest.raises(SetupError, match="2 waarden"):
        mixed.setup()


@case(25, "doelgroep met alleen Wlz-leerlingen")
def _() -> None:
    assert year_amounts(one_pupil([{}]).figures()) == {("LP", "wlz_zin", MIDDEN_BRABANT): 24_000_00}


@case(26, "doelgroep met uren en zonder leerlingen")
def _() -> None:
    year = one_pupil()
    year.doelgroep("LP", "MG", 5_00)
    year.school_class("MG1", "LP", "MG")
    with pytest.raises(EstablishmentBlocked, match="er zijn uren maar geen leerlingen"):
        year.figures()
    year.besluit("key_of", order_id="LP", doelgroep="MG", key_doelgroep="EMB")
    assert year_amounts(year.figures()) == {("LP", "jeugdwet", TILBURG): 36_000_00}


# --- geld en tijd -----------------------------------------------------------------------------------------------------


@case(27, "elke gemeente apart afronden geeft niet het contractbedrag")
def _() -> None:
    year = Year()
    year.sheets["orders"][0] |= {"tariff_cents": 100, "weeks": 1}  # ten hours: 10,00
    for pupil, code in zip("abc", (TILBURG, HEUSDEN, GOIRLE), strict=True):
        year.pupil(pupil, municipality=code)
    assert [cents for _, cents in sorted(shares(year).items())] == [3_34, 3_33, 3_33]
    assert min(shares(year)) == ("LP", "EMB", "jeugdwet", GOIRLE)


@case(28, "jaarbedrag dat niet door tien gaat, en de halve jaren")
def _() -> None:
    year = Year()
    year.sheets["orders"][0] |= {"tariff_cents": 1, "weeks": 1, "stated_amount_cents": None}
    year.sheets["doelgroepen"][0] |= {"granted_hours_hundredths": 33_00, "need_hours_hundredths": 33_00}  # 33 cents
    year.pupil("t", municipality=TILBURG)
    year.pupil("b", municipality=BREDA)
    figures = year.figures()
    cells = [row["amount_cents"] for row in figures.tables["terms"]]
    assert (sum(cells), set(cells)) == (33, {1, 2})
    for payer, cents in ((BREDA, 17), (TILBURG, 16)):
        mine = [row for row in figures.tables["terms"] if row["payer"] == payer]
        assert (len(mine), sum(row["amount_cents"] for row in mine)) == (10, cents)
    assert {row["period"] for row in figures.tables["terms"] if row["payer"] == BREDA} == {
        "2025-2026-H1",
        "2025-2026-H2",
    }


@case(29, "drijvende komma in plaats van centen")
def _() -> None:
    corpus("029-excel-floats")
    with pytest.raises(TypeError):
        largest_remainder(0.1 + 0.2, [1, 1])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        largest_remainder(30, [1.0, 1.0])  # type: ignore[list-item]


@case(30, "40 of 43 weken: een parameter van het contract, niet van de kalender")
def _() -> None:
    amounts = []
    for weeks in (40, 43):
        year = Year()
        year.sheets["orders"][0]["weeks"] = weeks
        year.add("calendar", school=DE_BODDE, closed_from=SEPTEMBER, closed_to=NEW_YEARS_EVE, kind="holiday")
        amounts += [b.budget_cents for b in doelgroep_budgets(year.setup())]
    assert amounts == [24_000_00, 25_800_00]


@case(31, "maand van de termijn is niet die van de factuur; augustus en juli hebben er geen")
def _() -> None:
    (late,) = [d for d in posted_on(monthly(), date(2025, 10, 15)).to_post if d.period == "2025-09"]
    assert (late.period, late.document_date, late.desired.due_on) == ("2025-09", date(2025, 10, 15), SEPTEMBER)
    months = {row["month"] for row in one_pupil().figures().tables["terms"]}
    assert len(months) == 10
    assert not months & {"2025-08", "2026-07"}


@case(32, "schooljaar over twee kalenderjaren: geen herindexering op 1 januari")
def _() -> None:
    by_month = {row["month"]: row["amount_cents"] for row in one_pupil().figures().tables["terms"]}
    assert by_month["2025-12"] == by_month["2026-01"] == 2_400_00


@case(33, "twee tarieven in één doelgroep worden nooit gemiddeld")
def _() -> None:
    year = one_pupil()
    year.order("BO", school=DE_BODDE, tariff_cents=65_00)
    year.doelgroep("BO", "EMB")
    year.school_class("B1", "BO", "EMB", school=DE_BODDE)
    year.pupil("b", "B1", HEUSDEN, school=DE_BODDE)
    assert shares(year) == {
        ("LP", "EMB", "jeugdwet", TILBURG): 24_000_00,
        ("BO", "EMB", "jeugdwet", HEUSDEN): 26_000_00,
    }


@case(34, "index: het vastgestelde jaar rekent met het tarief zoals het er staat")
def _() -> None:
    plain, indexed = (one_pupil(settings={"raming_index_promille": text}) for text in ("1000", "1026"))
    assert indexed.figures().tables == plain.figures().tables
    with pytest.raises(ValueError, match="heel getal"):
        READERS["raming_index_promille"][1]("1025,67")


@case(35, "contractperioden: oude jaren blijven rekenen, en niets valt terug op een vorige")
def _() -> None:
    year = one_pupil()
    current = year.sheets["orders"][0]
    year.order("LP", tariff_cents=58_00, valid_from=date(2022, 8, 1), valid_to=date(2025, 7, 31))
    assert [b.budget_cents for b in doelgroep_budgets(year.setup())] == [24_000_00]
    year.sheets["orders"].remove(current)
    with pytest.raises(SetupError, match=r"geldig van 01-08-2022 tot en met 31-07-2025"):
        year.setup()


@case(36, "creditnota is geen factuur met een min")
def _() -> None:
    posted = booked(posted_on(monthly(), SEPTEMBER).to_post)
    (credit,) = booked(plan(asked([]), posted, NEW_YEARS_EVE, standing()).to_post)
    assert (credit.kind, credit.credits, credit.amount_cents) == ("credit_note", posted[0].number, 100)
    assert all(line.amount_cents > 0 for line in credit.lines)
    assert credit.signed_cents == -100


@case(37, "factuur aan Tilburg terwijl Tilburg verzendt")
def _() -> None:
    (own,) = posted_on(monthly(), SEPTEMBER, sender=debtor(MEMBER)).to_post
    (ordinary,) = posted_on(monthly(), SEPTEMBER).to_post
    assert (own.kind, ordinary.kind) == ("internal_booking", "invoice")


@case(38, "btw 0 % in plaats van vrijgesteld of buiten bereik")
def _() -> None:
    read = READERS["btw_categorie"][1]
    assert (read("vrijgesteld"), read("buiten_bereik")) == ("E", "O")
    for wrong in ("Z", "nul", "0%", ""):
        with pytest.raises(ValueError, match="kies uit"):
            read(wrong)
    (document,) = posted_on(monthly(), SEPTEMBER).to_post
    assert document.vat_category == "E"


@case(39, "geen gegevens of verplichtingennummer van de debiteur")
def _() -> None:
    found = posted_on(monthly(), SEPTEMBER, debtors=())
    assert (found.to_post, [p.reason for p in found.parked]) == ((), ["no_debtor"])
    assert "verplichtingennummer" in found.parked[0].explanation


@case(40, "gemeente van buiten zonder toezegging: haar deel wordt niet verdeeld")
def _() -> None:
    both = [*monthly(cents=70), *halves(cents=30)]
    found = posted_on(both, date(2026, 1, 2), commitments=())
    assert {d.payer: d.amount_cents for d in found.to_post} == {MEMBER: 70}
    assert [(p.payer, p.reason, p.amount_cents) for p in found.parked] == [(OUTSIDE, "no_commitment", 150)]


@case(41, "gemeente zonder leerlingen dit jaar")
def _() -> None:
    figures = small_year().figures()
    assert WAALWIJK not in {row["payer"] for row in figures.tables["municipal_shares"]}
    assert WAALWIJK not in {row["payer"] for row in figures.tables["terms"]}
    assert posted_on(monthly(cents=0), SEPTEMBER).to_post == ()


@case(42, "opnieuw draaien geeft geen nieuwe nummers")
def _() -> None:
    first = posted_on(monthly(), date(2025, 12, 1)).to_post
    again = plan(asked(monthly()), booked(first), date(2025, 12, 1), standing())
    assert (len(first), again.to_post) == (4, ())
    twice = asked(monthly())
    with pytest.raises(NotProved):
        plan(replace(twice, documents=[*twice.documents, *twice.documents]), [], SEPTEMBER, standing())


@case(43, "een run op 31 december")
def _() -> None:
    made: tuple[ReadyDocument, ...] = posted_on(monthly(), NEW_YEARS_EVE).to_post
    assert {d.period for d in made} == {"2025-09", "2025-10", "2025-11", "2025-12"}
    assert {d.series for d in made} == {"GR-HVB-F-2025"}
    assert first_working_day(2026, 1) == date(2026, 1, 2)
    assert SchoolYear.containing(NEW_YEARS_EVE) == SchoolYear.containing(date(2026, 1, 1))


# --- de tabel ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", sorted(CASES), ids=lambda number: f"{number:02d} {CASES[number][0]}")
def test_edge_case(number: int) -> None:
    CASES[number][1]()


def test_no_number_of_the_list_is_missing() -> None:
    assert sorted(CASES) == list(range(1, 44))


def test_the_places_named_here_are_those_of_the_table_of_municipalities() -> None:
    named = {BREDA: "Breda", VUGHT: "Vught", DEN_BOSCH: "'s-Hertogenbosch", ALPHEN_CHAAM: "Alphen-Chaam"}
    assert {code: municipalities().name(code) for code in named} == named
