"""What is kept of every file version: its identity, what it covers, and whether it counts.

Belongs here: the record that intake hands to the warehouse. Does not belong here: storing it.
"""

import json
from dataclasses import dataclass
from datetime import date

from zio_pipeline.periods import shared_days


@dataclass(frozen=True)
class ManifestEntry:
    """One file version in the vault. The first four fields are its identity; `active` and `sequence` are the warehouse's."""

    content_sha256: str
    contract_fingerprint: str
    parser_version: str
    key_id: str
    label: str
    source: str
    status: str
    received_on: date
    school_year: str | None = None
    school: str | None = None
    provider: str | None = None
    period: str | None = None
    active: bool = True
    sequence: int = 0

    @property
    def scope(self) -> str:
        """What a later file of the same source takes the place of: school year, school, provider and period together."""
        return json.dumps([self.school_year, self.school, self.provider, self.period])

    def shared_days(self, other: "ManifestEntry") -> tuple[date, date] | None:
        """First and last day that both files are about; None when they are about different things.

        Files of one source with the same scope share all their days; of timesheets a week and a month may share some.
        """
        same = (self.source, self.school_year, self.school, self.provider)
        if same != (other.source, other.school_year, other.school, other.provider):
            return None
        return shared_days(self.period, other.period)
