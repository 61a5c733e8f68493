"""Settings: `base` (works with no variable set), `dev`, `test`, `production`."""
