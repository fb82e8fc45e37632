"""Establishing from Dagster: one run is one signature, with the same rules as `zio establish`."""

from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.errors import ZioError
from zio_pipeline.money import format_euro
from zio_pipeline.orchestration.outcomes import stopped
from zio_pipeline.stages import establishing, year


class Signature(BusinessDate):
    """One signature: `step` is `propose` or `approve`; `receipt` for an approval, `reason` and `explanation` for a new version."""

    school_year: str
    step: str
    by: str
    receipt: str = ""
    reason: str = ""
    explanation: str = ""


@dg.op(pool="warehouse", description="Eén handtekening: voorstellen (propose) of goedkeuren (approve).")
def sign(context: dg.OpExecutionContext, config: Signature, home: HomeResource, clock: ClockResource) -> None:
    opened, on = home.open(), config.on(clock)
    try:
        if config.step == "propose":
            year.publish_decisions(opened, config.school_year)
            reason = config.reason or None
            made = establishing.propose(
                opened, config.school_year, config.by, on, reason=reason, explanation=config.explanation
            )
        elif config.step == "approve":
            made = establishing.approve(opened, config.school_year, config.receipt, config.by, on)
        else:
            raise ZioError("Kies bij 'step' uit propose (voorstellen) en approve (goedkeuren).")
    except ZioError as error:
        raise stopped(error) from error
    shown: dict[str, Any] = {"versie": made.version, "bewijs": made.receipt_hash}
    context.add_output_metadata(shown | {f"verschil {c.payer}": format_euro(c.difference_cents) for c in made.changes})


@dg.job(
    name="vaststellen",
    description=(
        "Een schooljaar vaststellen, door twee personen: een run met `step: propose`, daarna door een ander een run met "
        "`step: approve` en het `receipt` (bewijs) dat de eerste run toont. Vul ook in: `school_year`, `by` (wie tekent) en "
        "`as_of` (de dag; leeg is vandaag). Een vastgesteld jaar krijgt alleen een nieuwe versie met een `reason`: "
        "peildatumfout, parameterfout, bezwaar of opdrachtwijziging; een mutatie is nooit een reden. `explanation` is een "
        "toelichting zonder persoonsgegevens. De run toont per betaler wat er verandert."
    ),
)
def establish_job() -> None:
    sign()
