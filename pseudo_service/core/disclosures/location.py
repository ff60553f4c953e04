"""Where a person's pseudonyms are: one project, use and key version a value."""

from dataclasses import dataclass
from datetime import datetime

from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.ids import KeyVersion, ProjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLocation:
    """What one project released of a person under one key version.

    ``operations`` counts runs and single calls. It is exact until the register is
    compacted; after that, a run that went on meanwhile counts twice.
    """

    project: ProjectId
    use: DisclosureUse
    key_version: KeyVersion
    operations: int
    first: datetime
    last: datetime
