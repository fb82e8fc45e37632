"""Every figure that is explained follows from its parts, down to hours, tariff and pupils (SPEC sections 4 to 6 and 8)."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.tables import REASONS_OF_A_NEW_VERSION
from tests.explain.books import books_of, by_pupils, credited, explainer, posted_documents, second, thirds, whole_year
from tests.year_builder import BREDA, HEUSDEN, MIDDEN_BRABANT, TILBURG, WAALWIJK, Year
from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.explain import Explainer, Node, rendered
from zio_pipeline.explain.nodes import Given, HalfUp, Less, Product, Sum, TakenBack, TakenOver, Unit, proved, walk
from zio_pipeline.explain.remainder import Remainder, split
from zio_pipeline.explain.terms import InTurn, OneOf
from zio_pipeline.explain.words import REASON_OF_VERSION
from zio_pipeline.figures import YearFigures
from zio_pipeline.money import controlled_rounding, largest_remainder

YEARS = {
    "two tariffs, agreed, contribution": whole_year(),
    "pgb pays": whole_year(pgb_beleid="zorgkantoor"),
    "pgb holders": whole_year(pgb_beleid="pgb_houders"),
    "unequal terms": whole_year(termijngewichten="1 1 1 2 1 1 0 1 1 3"),
    "a term of nothing": whole_year(termijngewichten="1 1 1 1 0 1 1 1 1 1"),
    "thirds": thirds(),
    "by pupils": by_pupils(),
}


def trees(explained: Explainer, figures: YearFigures) -> Iterator[Node]:
    """Every document and every share."""
    for number in explained.documents:
        yield explained.document(number)
    for row in figures.tables["municipal_shares"]:
        yield explained.share(row["order_id"], row["stream"], row["payer"])


def labels(tree: Node) -> dict[str, Node]:
    return {node.label: node for node in walk(tree)}


@pytest.mark.parametrize("year", YEARS.values(), ids=YEARS)
def test_every_document_and_share_adds_up_to_its_leaves(year: Year) -> None:
    figures = year.figures()
    explained = explainer(figures, pseudonyms=True)
    assert len(explained.documents) >= 20
    for tree in trees(explained, figures):
        for node in walk(tree):
            assert node.adds_up
            assert bool(node.parts) != isinstance(node.how, Given), "only a leaf is given"


def test_a_line_of_a_document_is_the_sum_of_its_terms_of_its_period() -> None:
    """Breda pays per half: five terms in a line."""
    figures = whole_year().figures()
    explained = explainer(figures)
    (number,) = [n for n, d in explained.documents.items() if (d.payer, d.period) == (BREDA, "2025-2026-H2")]
    tree = explained.document(number)
    document = explained.documents[number]
    assert [line.value for line in tree.parts] == [line.amount_cents for line in document.lines]
    assert [len(line.parts) for line in tree.parts] == [5, 5]
    assert tree.value == document.amount_cents


def test_a_budget_goes_back_to_hours_weeks_and_tariff_with_their_sources() -> None:
    """EMB1: 18,00 hours of which 6,25 verzorging, 40 weeks; begeleiding 470,00 x 67,15, verzorging 250,00 x 62,40.
    EMB2: 17,25 x 39 x 67,15. Together 31.560,50 + 15.600,00 + 45.175,1625, rounded once."""
    tree = explainer(whole_year().figures()).share("LP", "jeugdwet", TILBURG)
    found = labels(tree)
    assert found["Klas EMB1, begeleiding"].value == 11_75 * 40 * 67_15
    assert found["Klas EMB1, verzorging"].value == 6_25 * 40 * 62_40
    assert found["Klas EMB2, begeleiding"].value == 17_25 * 39 * 67_15
    assert found["Budget van doelgroep EMB (EMB), opdracht LP"].value == 31_560_50 + 15_600_00 + 45_175_16
    assert found["Behoefte per week"].value == 20_00 or found["Behoefte per week"].value == 6_50
    assert found["Tarief"].source == "Contract LP, artikel 4 (fictief)"
    assert {n.source for n in walk(tree) if n.label == "Weken"} == {
        "Contract LP, artikel 4 (fictief)",
        "Werkafspraak klas EMB2 (fictief)",
    }


def test_where_hours_go_by_pupils_the_expected_number_is_a_leaf() -> None:
    """3 pupils x 2,50 hours x 40 weeks x 60,00 = 18.000,00; the class without hours costs nothing."""
    found = labels(explainer(by_pupils().figures()).share("LP", "jeugdwet", TILBURG))
    assert found["Klas EMB1"].value == 18_000_00_00
    assert [part.value for part in found["Klas EMB1"].parts[0].parts] == [3, 2_50, 40]
    assert found["Klas VMBO"].value == 0
    assert found["Uren per leerling per week"].source == "Bijlage gewichten (fictief)"


def test_pupils_stand_in_the_tree_only_when_asked() -> None:
    figures = whole_year().figures()
    without = rendered(explainer(figures).share("LP", "wlz_zin", MIDDEN_BRABANT))
    shown = explainer(figures, pseudonyms=True).share("LP", "wlz_zin", MIDDEN_BRABANT)
    one_by_one = [node for node in walk(shown) if node.label.startswith("Leerling kind-mpt")]
    assert len(one_by_one) == 4
    assert all("Wlz-lijst 2025-06-20" in node.notes[0] and "leerlingen:" in node.notes[0] for node in one_by_one)
    everybody = {d.pupil for d in figures.outcome.decisions} | {d.row_ref for d in figures.outcome.decisions}
    assert not [name for name in everybody if name in without]
    assert without.startswith("VERTROUWELIJK")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("doelgroep_budgets", "budget_cents"),
        ("doelgroep_budgets", "contribution_cents"),
        ("doelgroep_budgets", "amount_cents"),
        ("funding_split", "weight"),
        ("funding_split", "amount_cents"),
        ("share_details", "pupils"),
        ("share_details", "amount_cents"),
        ("municipal_shares", "amount_cents"),
        ("terms", "amount_cents"),
    ],
)
def test_a_figure_that_does_not_follow_is_not_explained(table: str, column: str) -> None:
    """Any published figure that is one off, whoever it belongs to in the group, is found."""
    figures = whole_year().figures()
    for place in range(len(figures.tables[table])):
        wrong = copy.deepcopy(dict(figures.tables))
        wrong[table][place][column] += 1
        changed = replace(figures, tables=wrong)
        broken = Explainer([books_of(changed)], posted_documents(figures))
        with pytest.raises(NotProved, match="De uitleg sluit niet"):
            list(trees(broken, figures))


def test_a_cent_moved_between_two_payers_is_found() -> None:
    """Every sum still holds; the largest remainder does not."""
    figures = thirds().figures()
    wrong = copy.deepcopy(dict(figures.tables))
    for table in ("share_details", "municipal_shares"):
        rows = {row["payer"]: row for row in wrong[table]}
        rows[HEUSDEN]["amount_cents"] -= 1
        rows[TILBURG]["amount_cents"] += 1
    with pytest.raises(NotProved):
        Explainer([books_of(replace(figures, tables=wrong))], []).share("LP", "jeugdwet", TILBURG)


@pytest.mark.parametrize("weights", ["1 1 1 1 1 1 1 1 1 1", "1 1 1 2 1 1 0 1 1 3"])
def test_a_cent_moved_between_two_terms_is_found(weights: str) -> None:
    """The year of the line still holds; the turn, or the declaration, does not."""
    figures = whole_year(termijngewichten=weights).figures()
    wrong = copy.deepcopy(dict(figures.tables))
    first, other = [row for row in wrong["terms"] if row["payer"] == TILBURG and row["order_id"] == "LP"][:2]
    first["amount_cents"] -= 1
    other["amount_cents"] += 1
    broken = Explainer([books_of(replace(figures, tables=wrong))], posted_documents(figures))
    with pytest.raises(NotProved, match="zo verdeelt de regel dit jaarbedrag niet"):
        list(trees(broken, figures))


def test_a_document_that_asks_more_than_its_terms_is_not_explained() -> None:
    figures = thirds().figures()
    posted = posted_documents(figures)
    line = replace(posted[0].lines[0], amount_cents=posted[0].lines[0].amount_cents + 1)
    forged = replace(posted[0], lines=(line,), amount_cents=line.amount_cents)
    with pytest.raises(NotProved, match="Regel opdracht LP"):
        Explainer([books_of(figures)], [forged]).document(forged.number)


def test_what_is_not_there_is_said() -> None:
    explained = explainer(thirds().figures())
    with pytest.raises(ZioError, match="Document X staat niet in het grootboek"):
        explained.document("X")
    with pytest.raises(ZioError, match="geen regel 'LP, jeugdwet, 0758' in municipal_shares"):
        explained.share("LP", "jeugdwet", BREDA)
    with pytest.raises(ZioError, match="Versie 2 van dit schooljaar is niet vastgesteld"):
        explained.share("LP", "jeugdwet", TILBURG, 2)


def test_the_key_of_another_doelgroep_is_named() -> None:
    year = thirds()
    year.doelgroep("LP", "MG", 50)
    year.school_class("MG1", "LP", "MG")
    year.besluit("key_of", decision_id="B-7", order_id="LP", doelgroep="MG", key_doelgroep="EMB")
    tree = explainer(year.figures(), pseudonyms=True).share("LP", "jeugdwet", TILBURG)
    assert "Sleutel van een andere doelgroep: besluit B-7." in rendered(tree)


def test_agreed_weights_are_leaves_with_a_source() -> None:
    year = thirds()
    year.sheets["settings"] = [
        r | ({"value": "verhouding"} if r["key"] == "verdeelsleutel" else {}) for r in year.sheets["settings"]
    ]
    year.wlz(year.pupil("w"))
    year.sheets["doelgroepen"][0] |= {"weight_jeugdwet": 7, "weight_wlz_zin": 3, "source": "Bijlage 2 (fictief)"}
    node = labels(explainer(year.figures()).share("LP", "jeugdwet", TILBURG))["Afgesproken gewicht van Jeugdwet"]
    assert (node.value, node.source) == (7, "Bijlage 2 (fictief)")


# --- versions ---------------------------------------------------------------------------------------------------------


def corrected() -> tuple[YearFigures, YearFigures]:
    """The pupil of Waalwijk turns out to have lived in Breda, which comes first by code."""
    year = thirds()
    first = year.figures()
    year.registrations[-1]["municipality"] = BREDA
    return first, second(year, first, "peildatum_error")


def two_versions(first: YearFigures, then: YearFigures, reason: str, *posted: object) -> Explainer:
    return Explainer([books_of(then, reason=reason), books_of(first)], posted)


def test_who_did_not_change_keeps_his_cents_and_the_rest_is_divided() -> None:
    """Plainly Breda would get the odd cent; Heusden keeps its 33,34."""
    explained = two_versions(*corrected(), "peildatum_error")
    kept = explained.share("LP", "jeugdwet", HEUSDEN).parts[0]
    assert (kept.value, kept.how) == (33_34, TakenOver(1))
    assert kept.parts == explained.share("LP", "jeugdwet", HEUSDEN, 1).parts
    rest = explained.share("LP", "jeugdwet", BREDA).parts[0]
    assert isinstance(rest.how, Remainder)
    assert (rest.value, rest.parts[0].value, rest.parts[0].how) == (
        33_33,
        33_33,
        Less("het geheel min wat gelijk blijft"),
    )


def test_terms_of_a_line_that_did_not_change_are_taken_over() -> None:
    first, then = corrected()
    explained = Explainer([books_of(first), books_of(then, reason="peildatum_error")], posted_documents(then))
    hows: dict[str, set[type]] = {}
    for number, document in explained.documents.items():
        for line in explained.document(number).parts:
            hows.setdefault(document.payer, set()).update(type(term.how) for term in line.parts)
    assert hows == {HEUSDEN: {TakenOver}, TILBURG: {TakenOver}, BREDA: {OneOf}}


def test_an_order_change_keeps_what_was_posted_and_spreads_the_difference() -> None:
    """The tariff goes up from February: September to January stand as they were posted."""
    year = whole_year()
    first = year.figures()
    posted = [d for d in posted_documents(first, date(2026, 1, 31)) if d.rhythm == "monthly"]
    year.sheets["orders"][0]["tariff_cents"] = 71_00
    year.besluit("order_change", order_id="LP", month="2026-02")
    then = second(year, first, "order_change", posted)
    explained = Explainer([books_of(first), books_of(then, reason="order_change")], posted_documents(then))
    hows = {}
    for number, document in explained.documents.items():
        if document.payer == TILBURG:
            (line,) = [part for part in explained.document(number).parts if "opdracht LP" in part.label]
            hows[document.period] = type(line.parts[0].how)
    months = list(first.setup.settings.term_keys)
    assert hows == dict.fromkeys(months[:5], TakenOver) | dict.fromkeys(months[5:], OneOf)
    assert all(node.adds_up for tree in trees(explained, then) for node in walk(tree))


def test_a_credit_is_the_original_taken_back_with_the_reason_of_the_new_version() -> None:
    first, then = corrected()
    original = next(d for d in posted_documents(first) if d.payer == WAALWIJK)
    credit = credited(original, date(2026, 2, 2))
    explained = two_versions(first, then, "peildatum_error", original, credit)
    tree = explained.document(credit.number)
    assert (tree.value, tree.how, tree.parts) == (
        -original.amount_cents,
        TakenBack(),
        (explained.document(original.number),),
    )
    assert "Reden: fout op de peildatum." in tree.notes[-1]


def test_every_reason_of_a_new_version_has_words() -> None:
    assert set(REASON_OF_VERSION) == set(REASONS_OF_A_NEW_VERSION)


# --- nodes ------------------------------------------------------------------------------------------------------------


def leaf(value: int, unit: Unit = Unit.CENTS) -> Node:
    return Node("deel", value, unit, Given("gegeven"))


@pytest.mark.parametrize(
    ("how", "value", "parts"),
    [
        (Sum(), 5, (2, 3)),
        (Less(), 2, (5, 2, 1)),
        (Product(), 30, (5, 2, 3)),
        (HalfUp(), 3, (150, 100)),
        (HalfUp(), 2, (149, 100)),
        (TakenOver(1), 7, (7,)),
        (TakenBack(), -7, (7,)),
    ],
)
def test_a_node_proves_itself_and_nothing_else(how: Sum, value: int, parts: tuple[int, ...]) -> None:
    node = Node("som", value, Unit.CENTS, how, tuple(map(leaf, parts)))
    assert proved(node) is node
    for off in (-1, 1):
        assert not replace(node, value=value + off).adds_up
    with pytest.raises(NotProved, match="De uitleg sluit niet bij 'som'"):
        proved(replace(node, value=value + 1))


@given(st.integers(0, 10**10), st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_redone_by_hand_the_largest_remainder_is_that_of_the_rule(whole: int, weights: list[int]) -> None:
    parts = split(whole, [(str(i), weight) for i, weight in enumerate(weights)])
    assert [part.amount for part in parts] == largest_remainder(whole, weights)
    assert sorted(part.rank for part in parts) == list(range(1, len(parts) + 1))
    for own, part in enumerate(parts):
        assert Remainder(parts, own, "delen").holds(part.amount, [whole, part.weight])
        assert not Remainder(parts, own, "delen").holds(part.amount + 1, [whole, part.weight])
        assert not Remainder(parts, own, "delen").holds(part.amount, [whole + 1, part.weight])


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.integers(1, 12))
def test_redone_by_hand_the_terms_are_those_of_the_rule(years: list[int], number: int) -> None:
    months = tuple(f"2025-{month:02d}" for month in range(1, number + 1))
    table = controlled_rounding(years, [1] * number)
    for i, row in enumerate(table):
        before = tuple((str(j), year % number) for j, year in enumerate(years[:i]))
        turn = InTurn(months, 0, before, years[i])
        assert [turn.amount(place) for place in range(number)] == row
