"""Files in the exact national formats, about people and places that do not exist.

paths = generate(folder, professionals=20_000, structures=4_000, seed=1)
"""

from coordination.directory.generator.files import Generated, generate

__all__ = ["Generated", "generate"]
