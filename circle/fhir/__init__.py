"""The circle in FHIR: CareTeam, RelatedPerson, professionals entered by hand (CI-SIS Cercle de soins 2.0.1)."""

from circle.fhir.by_hand import ManualPractitioners, ManualRoles, RelatedPersons
from circle.fhir.careteams import CareTeamProvider

PROVIDERS = (CareTeamProvider(), RelatedPersons(), ManualPractitioners(), ManualRoles())
