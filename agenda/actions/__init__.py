"""Every writing of the agenda. Screens, the FHIR API, imports and tasks call these and nothing else."""
