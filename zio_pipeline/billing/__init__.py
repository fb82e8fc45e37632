"""Billing: which documents a school year asks for, which of them may be posted on a business date, and which wait.

Belongs here, in plain data and without a database: the desired documents of an established year (`documents`), who the
debtor is and whether he may be billed (`standing`), desired minus posted (`planning`), and what a posted document is,
with its number and its hash (`posted`). Does not belong here: giving out numbers (`resources.ledger`), and how a
document looks on paper. The rules are those of SPEC section 5.
"""

from zio_pipeline.billing.documents import (
    BillingCalendar,
    DesiredDocument,
    Line,
    TermAmount,
    desired_documents,
    due_dates,
)
from zio_pipeline.billing.planning import BillingPlan, Desired, plan, plan_run
from zio_pipeline.billing.posted import (
    CREDIT_OF_KIND,
    GENESIS,
    LETTER_OF_KIND,
    PostedDocument,
    ReadyDocument,
    credit_of,
    document_hash,
    document_number,
    invoice_rows,
    posted_as,
    series_name,
    standing_documents,
)
from zio_pipeline.billing.standing import Agreement, Cleared, Commitment, Debtor, Declared, Parked, Standing

__all__ = [
    "CREDIT_OF_KIND",
    "GENESIS",
    "LETTER_OF_KIND",
    "Agreement",
    "BillingCalendar",
    "BillingPlan",
    "Cleared",
    "Commitment",
    "Debtor",
    "Declared",
    "Desired",
    "DesiredDocument",
    "Line",
    "Parked",
    "PostedDocument",
    "ReadyDocument",
    "Standing",
    "TermAmount",
    "credit_of",
    "desired_documents",
    "document_hash",
    "document_number",
    "due_dates",
    "invoice_rows",
    "plan",
    "plan_run",
    "posted_as",
    "series_name",
    "standing_documents",
]
