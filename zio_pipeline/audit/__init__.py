"""The second pair of eyes: Great Expectations over every delivery and over what is about to be published.

    contract -> rules -> verdict (engine, or counts above 200,000 rows)      delivery + the one before -> drift      -> pages

Belongs here: judging whole tables from the same contract that intake judges rows by, comparing a delivery with the one
before it, and the pages a data engineer reads. Counts and column names leave this package, never a value.
Does not belong here: judging single rows (intake), what to do with a failure, and where a verdict is stored (stages).
Great Expectations takes seconds to import, so only the functions that need it do.
"""

from zio_pipeline.audit.drift import Change, Drift, Measure, Pair, Profile, compare, drift_hash, profile, profiles
from zio_pipeline.audit.verdict import Audit, Check, audit, ruleset_hash

__all__ = [
    "Audit",
    "Change",
    "Check",
    "Drift",
    "Measure",
    "Pair",
    "Profile",
    "audit",
    "compare",
    "drift_hash",
    "profile",
    "profiles",
    "ruleset_hash",
]
