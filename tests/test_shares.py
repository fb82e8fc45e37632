"""The two splits: a doelgroep over its streams, a stream over its payers, to the cent and by pupils (SPEC 4)."""

from datetime import date

import pytest

from tests.year_builder import (
    BREDA,
    DE_BODDE,
    GOIRLE,
    HEUSDEN,
    MIDDEN_BRABANT,
    TILBURG,
    VUGHT,
    WEST_BRABANT,
    Year,
)
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.shares import ShareLine, share_lines, split_over_payers, split_over_streams


def year_of_cents(cents: int, **settings: str) -> Year:
    """One doelgroep of one class that costs exactly so many cents."""
    year = Year(empty=True, **settings)
    year.order("LP", weeks=1, tariff_cents=cents)
    year.doelgroep("LP", "EMB", 1_00)
    year.school_class("EMB1")
    return year


def streams(year: Year) -> dict[str, int]:
    setup = year.setup()
    splits = split_over_streams(setup, doelgroep_budgets(setup), year.outcome())
    assert len({(s.order_id, s.doelgroep, s.stream) for s in splits}) == len(splits)
    return {split.stream: split.amount_cents for split in splits}


def payers(year: Year) -> dict[tuple[str, str], int]:
    setup = year.setup()
    details = split_over_payers(setup, doelgroep_budgets(setup), year.outcome())
    return {(detail.stream, detail.payer): detail.amount_cents for detail in details}


def lines(year: Year) -> list[ShareLine]:
    setup = year.setup()
    return share_lines(setup, split_over_payers(setup, doelgroep_budgets(setup), year.outcome()))


def blocked(year: Year) -> str:
    with pytest.raises(EstablishmentBlocked) as stopped:
        payers(year)
    return str(stopped.value)


def test_step_1_divides_over_streams_by_pupils() -> None:
    """100,00 over two Jeugdwet pupils and one Wlz pupil: 66,67 and 33,33."""
    year = year_of_cents(100_00)
    year.pupils(2)
    year.wlz(year.pupil("w"))
    assert streams(year) == {"jeugdwet": 66_67, "wlz_zin": 33_33}


def test_ties_in_step_1_go_by_stream_order() -> None:
    """One cent over four streams with a pupil each: jeugdwet, wlz_zin, wlz_pgb, adult."""
    year = year_of_cents(1, pgb_beleid="zorgkantoor", achttien_plus="betaalbaar")
    year.pupil("adult", birth_date=date(2005, 1, 1))
    year.wlz(year.pupil("pgb"), "2", parents_agree=True)
    year.wlz(year.pupil("zin"))
    year.pupil("jeugdwet")
    assert streams(year) == {"jeugdwet": 1, "wlz_zin": 0, "wlz_pgb": 0, "adult": 0}
    year.sheets["orders"][0]["tariff_cents"] = 3
    assert streams(year) == {"jeugdwet": 1, "wlz_zin": 1, "wlz_pgb": 1, "adult": 0}


def test_step_2_divides_a_stream_over_its_payers_by_pupils() -> None:
    """100,00 over three, two and two: 42,857 -> 42,86, 28,571 -> 28,57 twice."""
    year = year_of_cents(100_00)
    year.pupils(3, municipality=TILBURG)
    year.pupils(2, municipality=HEUSDEN)
    year.pupils(2, municipality=BREDA)
    assert payers(year) == {("jeugdwet", BREDA): 28_57, ("jeugdwet", HEUSDEN): 28_57, ("jeugdwet", TILBURG): 42_86}


def test_ties_in_step_2_go_to_the_lowest_code() -> None:
    year = year_of_cents(100_00)
    for n, code in enumerate((TILBURG, HEUSDEN, BREDA)):
        year.pupil(f"p{n}", municipality=code)
    assert payers(year) == {("jeugdwet", BREDA): 33_34, ("jeugdwet", HEUSDEN): 33_33, ("jeugdwet", TILBURG): 33_33}


def test_the_wlz_is_divided_over_zorgkantoren() -> None:
    year = year_of_cents(100_00)
    for n, zorgkantoor in enumerate((MIDDEN_BRABANT, MIDDEN_BRABANT, WEST_BRABANT)):
        year.wlz(year.pupil(f"w{n}"), zorgkantoor=zorgkantoor)
    assert payers(year) == {("wlz_zin", WEST_BRABANT): 33_33, ("wlz_zin", MIDDEN_BRABANT): 66_67}


def test_who_is_outside_the_key_dilutes_nobody() -> None:
    """Without need, pgb outside the key, and not counted: the two others carry it all."""
    year = year_of_cents(100_00)
    year.pupil("a", municipality=HEUSDEN)
    year.pupil("b", municipality=TILBURG)
    year.pupil("no need", needs_care=False)
    year.wlz(year.pupil("pgb"), "2")
    year.pupil("settled", country="België")
    year.besluit("not_counted", pupil="settled")
    assert payers(year) == {("jeugdwet", HEUSDEN): 50_00, ("jeugdwet", TILBURG): 50_00}


def test_a_doelgroep_with_only_wlz_pupils_costs_the_jeugdwet_nothing() -> None:
    """0, no exception, no line."""
    year = year_of_cents(100_00)
    year.wlz(year.pupil("w"))
    assert streams(year) == {"wlz_zin": 100_00}


def agreed_ratio(cents: int = 100_00, **weights: int | None) -> Year:
    year = year_of_cents(cents, verdeelsleutel="verhouding")
    year.sheets["doelgroepen"][0] |= {f"weight_{stream}": weight for stream, weight in weights.items()}
    return year


def test_the_agreed_ratio_leads_whatever_the_pupils() -> None:
    """SPEC 4 step 1: integer weights per order, doelgroep and stream; step 2 goes by pupils all the same."""
    year = agreed_ratio(jeugdwet=3, wlz_zin=7)
    year.pupils(2, municipality=TILBURG)
    year.pupil("h", municipality=HEUSDEN)
    year.wlz(year.pupil("w"))
    assert payers(year) == {
        ("jeugdwet", HEUSDEN): 10_00,
        ("jeugdwet", TILBURG): 20_00,
        ("wlz_zin", MIDDEN_BRABANT): 70_00,
    }


@pytest.mark.parametrize(
    ("weights", "stream"),
    [
        ({"jeugdwet": 3, "wlz_zin": 7}, "wlz_zin"),
        ({"wlz_zin": 7}, "jeugdwet, wlz_zin"),
        ({}, "jeugdwet"),
        ({"jeugdwet": 0}, "jeugdwet"),
    ],
)
def test_a_weight_without_pupils_or_the_reverse_stops(weights: dict[str, int], stream: str) -> None:
    """SPEC 4: with a Dutch reason."""
    year = agreed_ratio(**weights)
    year.pupil("p1")
    message = blocked(year)
    assert f"LP, doelgroep EMB: gewicht zonder leerlingen, of leerlingen zonder gewicht, bij {stream}." in message


def test_weights_of_other_doelgroepen_or_orders_do_not_mix() -> None:
    """Never averaged."""
    year = agreed_ratio(jeugdwet=1, wlz_zin=3)
    year.doelgroep("LP", "MG", 1_00, weight_jeugdwet=1, weight_wlz_zin=1)
    year.school_class("MG1", "LP", "MG")
    for code in ("EMB1", "MG1"):
        year.pupil(f"j {code}", code)
        year.wlz(year.pupil(f"w {code}", code))
    setup = year.setup()
    splits = split_over_streams(setup, doelgroep_budgets(setup), year.outcome())
    assert {(s.doelgroep, s.stream): s.amount_cents for s in splits} == {
        ("EMB", "jeugdwet"): 25_00,
        ("EMB", "wlz_zin"): 75_00,
        ("MG", "jeugdwet"): 50_00,
        ("MG", "wlz_zin"): 50_00,
    }


def without_pupils() -> Year:
    """EMB has pupils of Tilburg and Heusden, MG has hours and nobody."""
    year = year_of_cents(100_00)
    year.doelgroep("LP", "MG", 50)
    year.school_class("MG1", "LP", "MG")
    year.pupils(3, municipality=TILBURG)
    year.pupil("h", municipality=HEUSDEN)
    return year


def test_hours_without_pupils_stop_until_a_besluit_names_the_key() -> None:
    """SPEC 4: MG costs 50,00; by the key of EMB that is 37,50 for Tilburg and 12,50 for Heusden."""
    year = without_pupils()
    assert "LP, doelgroep MG: er zijn uren maar geen leerlingen die meetellen" in blocked(year)
    year.besluit("key_of", order_id="LP", doelgroep="MG", key_doelgroep="EMB")
    assert [(line.payer, line.year_cents) for line in lines(year)] == [
        (HEUSDEN, 25_00 + 12_50),
        (TILBURG, 75_00 + 37_50),
    ]


def test_hours_with_nobody_in_the_key_stop_as_well() -> None:
    """Pupils who all keep their own pgb are no key."""
    year = without_pupils()
    year.wlz(year.pupil("pgb", "MG1"), "2")
    assert "doelgroep MG: er zijn uren maar geen leerlingen die meetellen" in blocked(year)


def test_a_key_that_is_itself_empty_stops() -> None:
    year = without_pupils()
    year.doelgroep("LP", "LG", 50)
    year.school_class("LG1", "LP", "LG")
    year.besluit("key_of", order_id="LP", doelgroep="MG", key_doelgroep="LG")
    assert "doelgroep MG" in blocked(year)
    assert "doelgroep LG" in blocked(year)


def test_a_besluit_on_a_key_gives_way_to_pupils_of_its_own() -> None:
    year = without_pupils()
    year.besluit("key_of", order_id="LP", doelgroep="MG", key_doelgroep="EMB")
    year.pupil("m", "MG1", GOIRLE)
    assert (GOIRLE, 50_00) in [(line.payer, line.year_cents) for line in lines(year)]


def test_a_doelgroep_without_hours_needs_no_key() -> None:
    year = without_pupils()
    year.sheets["doelgroepen"][1] |= {"granted_hours_hundredths": 0, "need_hours_hundredths": 0}
    assert [(line.payer, line.year_cents) for line in lines(year)] == [(HEUSDEN, 25_00), (TILBURG, 75_00)]


def test_members_pay_monthly_and_others_twice_a_year() -> None:
    """SPEC 4, Terms: also for what they pay for adults; zorgkantoren and contributors pay monthly."""
    year = year_of_cents(100_00, achttien_plus="betaalbaar", pgb_beleid="gemeente")
    year.pupil("a", municipality=TILBURG)
    year.pupil("b", municipality=BREDA)
    year.pupil("c", municipality=VUGHT, birth_date=date(2005, 1, 1))
    year.wlz(year.pupil("d"))
    year.wlz(year.pupil("e", municipality=BREDA), "2", parents_agree=True)
    year.contribution("LP", "SWV", 1_00)
    year.contribution("LP", BREDA, 1_00)
    found = {(line.stream, line.payer): (line.payer_kind, line.rhythm, line.member) for line in lines(year)}
    assert found == {
        ("jeugdwet", TILBURG): ("municipality", "monthly", True),
        ("jeugdwet", BREDA): ("municipality", "half_year", False),
        ("adult", VUGHT): ("municipality", "half_year", False),
        ("wlz_zin", MIDDEN_BRABANT): ("zorgkantoor", "monthly", False),
        ("wlz_pgb", BREDA): ("municipality", "half_year", False),
        ("contribution", "SWV"): ("contributor", "monthly", False),
        ("contribution", BREDA): ("municipality", "half_year", False),
    }


def test_what_the_provider_collects_from_pgb_holders_is_not_billed_by_us() -> None:
    """SPEC 4 step 2: no declaration and no document of ours."""
    year = year_of_cents(100_00, pgb_beleid="pgb_houders")
    year.pupil("a")
    year.wlz(year.pupil("b"), "2", parents_agree=True)
    found = {line.payer: (line.payer_kind, line.rhythm, line.year_cents) for line in lines(year)}
    assert found["PGB"] == ("pgb_holders", "none", 50_00)


def test_lines_are_summed_over_doelgroepen_per_order_stream_and_payer() -> None:
    """SPEC 4, Terms; ordered by order, payer code and stream."""
    year = without_pupils()
    year.pupil("m", "MG1", TILBURG)
    year.order("BO", school=DE_BODDE, weeks=1, tariff_cents=10_00)
    year.doelgroep("BO", "EMB", 1_00)
    year.school_class("Z1", "BO", "EMB", school=DE_BODDE)
    year.pupil("z", "Z1", TILBURG, school=DE_BODDE)
    assert [(line.order_id, line.payer, line.year_cents, line.law) for line in lines(year)] == [
        ("BO", TILBURG, 10_00, "jw"),
        ("LP", HEUSDEN, 25_00, "jw"),
        ("LP", TILBURG, 125_00, "jw"),
    ]


def test_a_municipality_with_one_pupil_pays_for_one_pupil() -> None:
    """100,00 over seven pupils: 14,2857 each, so Tilburg with six 85,71 and Breda with one 14,29."""
    year = year_of_cents(100_00)
    year.pupils(6, municipality=TILBURG)
    year.pupil("one", municipality=BREDA)
    assert payers(year) == {("jeugdwet", BREDA): 14_29, ("jeugdwet", TILBURG): 85_71}


def test_ten_billion_euro_adds_up_to_the_cent() -> None:
    """10^12 cents over three: no digit is lost."""
    year = year_of_cents(10**12)
    for n, code in enumerate((TILBURG, HEUSDEN, BREDA)):
        year.pupil(f"p{n}", municipality=code)
    found = payers(year)
    assert found == {
        ("jeugdwet", BREDA): 333_333_333_334,
        ("jeugdwet", HEUSDEN): 333_333_333_333,
        ("jeugdwet", TILBURG): 333_333_333_333,
    }
    assert sum(found.values()) == 10**12


def test_joining_two_municipalities_moves_the_third_by_at_most_a_cent() -> None:
    """100,01 over four pupils of three municipalities, and then of two: Tilburg goes from 50,01 to 50,00."""
    apart, together = year_of_cents(100_01), year_of_cents(100_01)
    for year, codes in ((apart, (TILBURG, TILBURG, HEUSDEN, BREDA)), (together, (TILBURG, TILBURG, BREDA, BREDA))):
        for n, code in enumerate(codes):
            year.pupil(f"p{n}", municipality=code)
    assert payers(apart) == {("jeugdwet", BREDA): 25_00, ("jeugdwet", HEUSDEN): 25_00, ("jeugdwet", TILBURG): 50_01}
    assert payers(together) == {("jeugdwet", BREDA): 50_01, ("jeugdwet", TILBURG): 50_00}
