"""Ground floor: no models, no domain word beyond national identifiers and code lists."""
