"""Jobs: what a person or a schedule starts as one thing."""

import dagster as dg

YEAR = dg.AssetSelection.groups("foundation") | dg.AssetSelection.assets(
    "school_year_setup", "pupil_registrations", "wlz_statuses", "worklist", "signals", "zorgkantoor_statement", "proofs"
)

receive_job = dg.define_asset_job(
    "innemen", dg.AssetSelection.assets("deliveries", "quarantine"), description="Alles in de inbox innemen."
)
year_job = dg.define_asset_job(
    "schooljaar", YEAR, description="Betalers, budgetten, aandelen, vaststelling en termijnen van één schooljaar."
)
month_job = dg.define_asset_job(
    "maand",
    dg.AssetSelection.assets(
        "monthly_declarations",
        "declaration_addressees",
        "in_region_invoices",
        "wlz_documents",
    ),
    description="Declaraties, facturen aan leden en Wlz-overzichten van één maand.",
)
hours_job = dg.define_asset_job(
    "uren",
    dg.AssetSelection.assets("provider_timesheets", "delivered_hours", "delivery_control", "wlz_hours", "hour_signals"),
    description="Wat in één maand geleverd is, naast wat gepland was, en wat daaraan opvalt.",
)
hours_year_job = dg.define_asset_job(
    "urenjaar",
    dg.AssetSelection.assets(
        "delivery_summary",
        "fixed_faces",
        "lawfulness",
        "lawfulness_sample",
        "recalibration",
        "recalibration_effect",
        "missing_statements",
        "alerts",
    ),
    description="Wat de urenstaten van een schooljaar samen zeggen, wie nog iets moet inleveren, en de berichten daarover.",
)
half_year_job = dg.define_asset_job(
    "halfjaar",
    dg.AssetSelection.assets("out_of_region_invoices"),
    description="Facturen buiten de regio van één helft.",
)
control_job = dg.define_asset_job(
    "controle",
    dg.AssetSelection.assets(
        "claim_control",
        "claim_lines",
        "mutations",
        "shadow_shares",
        "parked_documents",
        "document_states",
        "accruals",
        "year_statement",
        "forecast",
        "explained_documents",
        "proofs",
    ),
    description="Wat finance en de accountant van een schooljaar lezen, zoals de boeken op een dag staan. Boekt niets.",
)
retention_job = dg.define_asset_job(
    "bewaartermijn",
    dg.AssetSelection.assets("removals"),
    description="Verwijderen wat aanleveraars stuurden en langer bewaard is dan nodig.",
)

ALL_JOBS = (receive_job, year_job, month_job, half_year_job, hours_job, hours_year_job, control_job, retention_job)
