"""The *fictieve* debtor table of a demo year: every party that is billed, but for the one left out on purpose.

Belongs here: names and made-up addresses, numbers and references of payers.
Does not belong here: who owes what.
"""

from collections.abc import Iterator
from typing import Any

from zio_pipeline.demo.contract import CONTRIBUTION_PAYER
from zio_pipeline.demo.model import Draft
from zio_pipeline.demo.places import MEMBERS, OUTSIDE, PLACES, ZORGKANTOREN


def debtor_rows(draft: Draft) -> Iterator[dict[str, Any]]:
    """Rows of the sheet `debiteuren`, in order of code; OIN, KvK, addresses and references belong to nobody."""
    left_out = draft.planted["member_without_debtor"]
    payers = {p.outcome[1] for p in draft.placed() if p.outcome[0] not in (None, "wlz_pgb")}
    parties = {code: (f"Gemeente {PLACES[code].name}", PLACES[code].name) for code in (*MEMBERS, *OUTSIDE)}
    parties |= {code: (name, name.removeprefix("Zorgkantoor ")) for code, name in ZORGKANTOREN.items()}
    parties[CONTRIBUTION_PAYER] = ("Samenwerkingsverband Voorbeeld 30-03", "Tilburg")
    for number, (code, (name, place)) in enumerate(sorted(parties.items()), start=1):
        wanted = code in payers or code in MEMBERS or code == CONTRIBUTION_PAYER
        if not wanted or code in left_out:
            continue
        postcode = f"{PLACES[code].postcodes[0]}ZX" if code in PLACES else f"50{number:02d}ZX"
        yield {
            "payer": code,
            "name": name,
            "street": "Fictieveplein",
            "house_number": str(number),
            "postcode": postcode,
            "place": place,
            "oin": f"00000001{900_000_000 + number:09d}000",
            "kvk": f"{90_000_000 + number:08d}",
            "buyer_reference": f"ZIO-{draft.year.first_calendar_year}-{number:04d}",
            "email": f"facturen-{code.lower()}@voorbeeld.example",
            "valid_from": draft.year.first_day,
            "source": "fictief, opgave debiteur",
        }
