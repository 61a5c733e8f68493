"""The directory in FHIR: Organization, Practitioner, PractitionerRole (CI-SIS « Gestion du cercle de soins »)."""
