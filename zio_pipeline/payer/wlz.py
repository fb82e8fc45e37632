"""Rule 3: is the pupil paid from the Wlz, and by whom, as known on the peildatum.

Belongs here: choosing the indication that counts and what its leveringsvorm means.
Does not belong here: what a besluit decides.
Source: SPEC section 3 rule 3; iWlz code lists COD578 (leveringsvorm) and COD001 (zorgkantoor).
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from zio_pipeline.payer.model import PGB_HOLDERS, Row, Verdict
from zio_pipeline.settings import Settings

PGB, STAY, FULL_PACKAGE, MPT, DTV = "2", "4", "5", "7", "8"


def wlz_verdict(indications: Sequence[Row], settings: Settings) -> Verdict | None:
    """Verdict for the indications of one pupil; None when none is valid and known on the peildatum.

    The latest afgiftedatum counts, then the highest besluitnummer. Of one without an afgiftedatum nobody knows whether it is newer
    than another, for the dagtekening of its list only says since when it is known: where it decides otherwise than the newest
    that is dated, a person must tell.

    A `wlz_pgb` verdict under policy `municipality` has no payer yet: residence decides it.
    """
    day = settings.reference_date
    known = [i for i in indications if is_valid(i, day) and known_on(i) <= day]
    if not known:
        return None
    dated, undated = (_newest([i for i in known if (i["issued_on"] is not None) is has]) for has in (True, False))
    if len({(_form(i), _is_mixed(i), i["responsible_zorgkantoor"]) for i in (*dated, *undated)}) > 1:
        return Verdict("wlz_ambiguous", work=True)
    chosen = dated or undated
    # Rows that agree on everything that decides differ at most in dates and consent: the strictest consent counts.
    consents = {i["parents_agree"] for i in chosen}
    return _by_delivery_form(min(chosen, key=lambda i: i["list_date"]), consents == {True}, settings)


def _newest(indications: Sequence[Row]) -> list[Row]:
    """Those with the latest afgiftedatum, where there is one, and of these those with the highest besluitnummer."""
    newest = max((_rank(i) for i in indications), default=None)
    return [i for i in indications if _rank(i) == newest]


def _rank(indication: Row) -> tuple[date, int]:
    return indication["issued_on"] or date.min, indication["decision_number"]


def granted_afterwards(indications: Sequence[Row], settings: Settings) -> bool:
    """An indication valid on the peildatum that was not known then: reported, changes nothing."""
    day = settings.reference_date
    return any(is_valid(i, day) and known_on(i) > day for i in indications)


def is_valid(indication: Row, day: date) -> bool:
    """Dates are inclusive."""
    return bool(indication["starts_on"] <= day and (indication["ends_on"] is None or day <= indication["ends_on"]))


def known_on(indication: Row) -> date:
    """Since when the indication is known: its afgiftedatum, else the dagtekening of the list."""
    issued: Any = indication["issued_on"] or indication["list_date"]
    return issued  # type: ignore[no-any-return]


def _by_delivery_form(indication: Row, parents_agree: bool, settings: Settings) -> Verdict:
    form = _form(indication)
    # Valid time and known time, side by side: both had to be there on the peildatum.
    evidence = (
        f"Wlz-lijst {indication['list_date']:%Y-%m-%d}, geldig vanaf {indication['starts_on']:%Y-%m-%d}, "
        f"bekend sinds {known_on(indication):%Y-%m-%d}"
    )
    if _is_mixed(indication):
        return Verdict("wlz_mixed", work=True, evidence=evidence)
    if form in (MPT, DTV) or (form in (STAY, FULL_PACKAGE) and settings.integral_policy == "as_zin"):
        return Verdict("wlz_zin", "wlz_zin", indication["responsible_zorgkantoor"], "zorgkantoor", evidence, form)
    if form in (STAY, FULL_PACKAGE):
        work = settings.integral_policy == "worklist"
        return Verdict(
            "wlz_integral" if work else "wlz_integral_excluded", work=work, evidence=evidence, delivery_form=form
        )
    if form == PGB:
        return _pgb(indication["responsible_zorgkantoor"], parents_agree, evidence, settings)
    return Verdict("wlz_form_unknown", work=True, evidence=evidence)


def _form(indication: Row) -> str:
    return (indication["delivery_form"] or "").strip().upper()


def _is_mixed(indication: Row) -> bool:
    """MPT and pgb side by side: two codes in one cell, or a percentage that says otherwise than the code."""
    form, percentage = _form(indication), indication["pgb_percentage"]
    if re.search(r"[+/&]", form):
        return True
    if form in (MPT, DTV):
        return bool(percentage)
    return form == PGB and percentage is not None and percentage < 100


def _pgb(zorgkantoor: str, parents_agree: bool, evidence: str, settings: Settings) -> Verdict:
    if settings.pgb_policy == "excluded":
        return Verdict("wlz_pgb_excluded", evidence=evidence, delivery_form=PGB)
    if not parents_agree:
        return Verdict("pgb_consent", work=True, evidence=evidence, delivery_form=PGB)
    payer, kind = {
        "zorgkantoor": (zorgkantoor, "zorgkantoor"),
        "municipality": (None, "municipality"),
        "pgb_holders": (PGB_HOLDERS, "pgb_holders"),
    }[settings.pgb_policy]
    return Verdict("wlz_pgb", "wlz_pgb", payer, kind, evidence, PGB)
