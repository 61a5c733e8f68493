"""The circle on paper and in files: only what its reader may read, as `circle.rows` filtered it."""
