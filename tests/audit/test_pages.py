"""Data Docs: pages that need nothing but themselves, in Dutch, with counts and names only."""

import re

import pytest

from zio_pipeline.audit import Audit, Change, Check, Drift, Measure
from zio_pipeline.audit.pages import NOT_APPLICABLE, Page, render, render_index

LABEL = "pupil_registrations-02ZX00-2025-2026-65fce834"
PREVIOUS = "pupil_registrations-02ZX00-2024-2025-11111111"
CHECKS = (
    Check("volume", (), 0, True, "Er is ten minste één rij."),
    Check("required", ("class_code",), 1234, False, "Overal <b>ingevuld</b> & $meer."),
    Check("placement_period", ("placed_to", "placed_from"), 0, True, "'tot' ligt nergens vóór 'vanaf'."),
)
BEFORE, NOW = (Measure("volume", "Het aantal rijen", count, 1) for count in (812, 463))
CHANGE = Change("leerlingen", "volume", BEFORE, NOW, deviation=430, tolerance=250, passed=False)


def page(*, failed: bool = False, drifts: tuple[Drift, ...] = (Drift(LABEL, None, ()),)) -> Page:
    checks = CHECKS if failed else (CHECKS[0], CHECKS[2])
    audit = Audit("pupil_registrations", 5678, checks)
    return Page(f"{LABEL}-abcd1234", "pupil_registrations", (LABEL,), (audit,), drifts)


def text_of(html: bytes) -> str:
    """What a reader sees: no tags, single spaces."""
    body = html.decode().split("<body>")[1]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.mark.parametrize("html", [render(page(failed=True)), render_index([page()])], ids=["page", "index"])
def test_a_page_asks_nothing_of_the_network(html: bytes) -> None:
    assert not re.search(rb"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//""", html, re.IGNORECASE)
    assert not re.search(rb"https?://|@import|url\(|<script|<link|<iframe|<img", html, re.IGNORECASE)
    assert html.startswith(b"<!DOCTYPE html>")
    assert b'lang="nl"' in html


def test_every_link_of_a_page_leads_somewhere() -> None:
    html = render(page(drifts=(Drift(LABEL, PREVIOUS, (CHANGE,)),))).decode()
    assert set(re.findall(r'href="([^"#]+)"', html)) == {"index.html"}
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert len(targets) == 4
    assert targets <= set(re.findall(r'id="([^"]+)"', html))


def test_a_page_says_what_was_asked_and_what_was_found() -> None:
    text = text_of(render(page(failed=True)))
    assert "Leerlingbestand: 02ZX00-2025-2026-65fce834" in text
    assert "1 van 3 regels niet gehaald." in text
    assert "hele tabel Er is ten minste één rij. 5.678 rijen" in text
    assert "plaatsing tot en met, plaatsing vanaf 'tot' ligt nergens vóór 'vanaf'. geen rij wijkt af" in text
    assert NOT_APPLICABLE in text


def test_what_a_contract_says_is_text_and_never_markup() -> None:
    html = render(page(failed=True)).decode()
    assert "Overal &lt;b&gt;ingevuld&lt;/b&gt; &amp; $meer." in html
    assert "<b>" not in html
    assert "klas" in text_of(html.encode())


def test_a_drift_is_shown_with_what_is_ordinary() -> None:
    text = text_of(render(page(drifts=(Drift(LABEL, PREVIOUS, (CHANGE,)),))))
    assert "Alle 2 regels zijn gehaald; 1 keer anders dan de vorige aanlevering (waarschuwing)." in text
    assert "02ZX00-2024-2025-11111111 812 463 Het aantal rijen is 43 % lager" in text
    assert "(van 812 naar 463). 43 % 25 %" in text


def test_the_frame_of_great_expectations_is_not_used() -> None:
    """It is English and fetches its styles; ours says the same in Dutch."""
    text = text_of(render(page(failed=True)) + render_index([page(failed=True)]))
    for word in ("Expectation ", "Observed", "Overview", "unexpected", "Succeeded", "Table of Contents", "Status"):
        assert word not in text, word


def test_the_index_links_every_page_with_its_verdict() -> None:
    drifted = Page(
        "b", "wlz_statuses", ("wlz_statuses-2025-2026-aaaaaaaa",), (Audit("wlz_statuses", 9, CHECKS[:1]),), ()
    )
    html = render_index([page(failed=True), drifted])
    assert set(re.findall(rb'href="([^"#]+\.html)"', html)) == {b"index.html", page().file.encode(), b"b.html"}
    text = text_of(html)
    assert "1 van 4 regels niet gehaald." in text
    assert text.index("Leerlingbestand") < text.index("Wlz-lijst")
    assert "5.678 3 1 niet van toepassing: geen eerdere aanlevering" in text


def test_deliveries_that_were_audited_together_share_a_page() -> None:
    other = "pupil_registrations-01FX00-2025-2026-d4ba838d"
    audit = Audit("pupil_registrations", 2, CHECKS[:1])
    drifts = (Drift(other, None, ()), Drift(LABEL, PREVIOUS, (CHANGE,)))
    text = text_of(render(Page("samen-1234", "pupil_registrations", (other, LABEL), (audit,), drifts)))
    assert "Leerlingbestand: 2 leveringen samen (1234)" in text
    assert "1 keer (1 van 2 leveringen vergeleken)" in text
    assert "Cijfers van 02ZX00-2025-2026-65fce834" in text
    assert "Cijfers van 01FX00" not in text


def test_of_very_many_deliveries_only_those_with_a_finding_are_listed() -> None:
    labels = tuple(f"pupil_registrations-{number:02d}ZX00-2025-2026-aaaaaaaa" for number in range(70))
    drifts = tuple(Drift(label, PREVIOUS, (CHANGE,) if label == labels[5] else ()) for label in labels)
    audit = Audit("pupil_registrations", 9, CHECKS[:1])
    text = text_of(render(Page("samen-1234", "pupil_registrations", labels, (audit,), drifts)))
    assert "05ZX00-2025-2026-aaaaaaaa" in text
    assert "06ZX00" not in text
    assert "69 andere" in text
