"""Who pays for a pupil: SPEC section 3, in its own order, each answer with a reason code and its evidence.

Belongs here: placement on the startdatum (`placement`), Wlz status as known on the peildatum (`wlz`), age and residence
(`residence`), the besluiten that settle what the rules cannot (`besluiten`), whether the files as a whole are plausible
(`lists`), and the walk over all pupils to a decision or a point on the worklist (`decide`).
Does not belong here: amounts (budget, shares), reading files (intake).
"""

from zio_pipeline.payer.decide import decide_payers
from zio_pipeline.payer.model import Decision, PayerInputs, PayerOutcome, Signal, WorkItem

__all__ = ["Decision", "PayerInputs", "PayerOutcome", "Signal", "WorkItem", "decide_payers"]
