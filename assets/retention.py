"""Retention: what senders wrote is removed after its period, and what left the vault; the record of both is a table."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import school_years
from zio_pipeline.stages.retention import KEEP_DAYS, remove_expired, require_no_future


class RetentionConfig(BusinessDate):
    """The day of the removal, and the period in days."""

    keep_days: int = KEEP_DAYS


@dg.multi_asset(
    name="removals",
    specs=[product_spec("removals", ["deliveries"], None)],
    check_specs=[contract_check("removals")],
    pool="warehouse",
)
def removals(config: RetentionConfig, home: HomeResource, clock: ClockResource) -> Iterator[Outcome]:
    """Remove what is past its period, and show everything that was ever removed."""
    opened, today = home.open(), clock.today()
    as_of = config.on(clock)

    def work() -> dict[str, list[dict[str, Any]]]:
        require_no_future(opened, as_of, today)
        remove_expired(opened, as_of, config.keep_days)
        return {"removals": opened.warehouse.rows("removals")}

    yield from tables_made(("removals",), work, datum=as_of.isoformat(), bewaartermijn=config.keep_days)


@dg.multi_asset(
    name="vault_log",
    specs=[product_spec("vault_log", ["pupil_registrations"], school_years)],
    check_specs=[contract_check("vault_log")],
    pool="warehouse",
)
def vault_log(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """When rows about pupils left the vault, came back or were made thinner; people do that (`zio residence-check`, `zio thin`)."""
    opened, key = home.open(), context.partition_key
    yield from tables_made(("vault_log",), lambda: {"vault_log": opened.warehouse.rows("vault_log", school_year=key)})
