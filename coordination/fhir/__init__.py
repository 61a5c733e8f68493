"""The FHIR engine: how a resource is read, written, searched and versioned. It knows no domain."""
