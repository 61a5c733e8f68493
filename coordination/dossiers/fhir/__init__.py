"""The person of a dossier in FHIR: Patient (FR Core; INS once qualified)."""
