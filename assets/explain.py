"""Explain: every posted document taken back to its pupils, hours, tariff and clause, as a file for who settles or audits."""

from typing import Any

import dagster as dg

from resources.dagster_home import HomeResource
from zio_pipeline.errors import ZioError
from zio_pipeline.orchestration.metadata import OWNERS
from zio_pipeline.orchestration.outcomes import stopped
from zio_pipeline.orchestration.partitions import halves_to_year, months_to_year, school_years
from zio_pipeline.stages.explaining import write_explanations


def _documents() -> list[dg.AssetDep]:
    monthly = [dg.AssetDep(name, partition_mapping=months_to_year) for name in ("in_region_invoices", "wlz_documents")]
    return [*monthly, dg.AssetDep("out_of_region_invoices", partition_mapping=halves_to_year)]


@dg.asset(
    name="explained_documents",
    group_name="control",
    deps=_documents(),
    partitions_def=school_years,
    owners=OWNERS,
    kinds={"python"},
    code_version="1",
    pool="warehouse",
    description=(
        "**Uitleg van documenten.** Elk geboekt document tot op uren, tarief, aantal leerlingen en bepaling, en elk getal "
        "opnieuw nagerekend. Sluit er één niet, dan mislukt deze run en wordt er niets geschreven.\n\n"
        "Een bestand per document in de map `vertrouwelijk/uitleg` van de outbox: aantallen per betaler zijn alleen voor wie "
        "afrekent of controleert. Pseudoniemen staan er niet in; die geeft `zio explain --vault`."
    ),
)
def explained_documents(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[Any]:
    """Counts only: what was explained stands in the files."""
    try:
        made = write_explanations(home.open(), context.partition_key)
    except ZioError as error:
        raise stopped(error) from error
    return dg.MaterializeResult(
        metadata={"documenten": made.documents, "regels": made.lines, "nagerekende getallen": made.figures}
    )
