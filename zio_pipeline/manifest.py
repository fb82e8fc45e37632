"""What is kept of every file version: its identity, what it covers, and whether it counts.

Belongs here: the record that intake hands to the warehouse. Does not belong here: storing it.
"""

import json
from dataclasses import dataclass
from datetime import date


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
    month: str | None = None
    active: bool = True
    sequence: int = 0

    @property
    def scope(self) -> str:
        """What a later file of the same source takes the place of: school year, school, provider and month together."""
        return json.dumps([self.school_year, self.school, self.provider, self.month])
