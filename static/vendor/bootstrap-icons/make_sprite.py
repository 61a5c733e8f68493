"""Make static/icons.svg from the icons of Bootstrap Icons named in names.txt.

Run by hand when an icon is added (needs the package, not kept here):
    npm pack bootstrap-icons@1.13.2 && tar xzf bootstrap-icons-1.13.2.tgz
    python static/vendor/bootstrap-icons/make_sprite.py package/icons
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SPRITE = HERE.parents[1] / "icons.svg"


def symbol(folder: Path, name: str) -> str:
    """Return one <symbol> holding the drawing of `name`.svg; its paint is the text colour."""
    svg = (folder / f"{name}.svg").read_text()
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)[1]
    inner = re.sub(r">\s+<", "><", inner.strip())
    return f'<symbol id="{name}" viewBox="0 0 16 16">{inner}</symbol>'


def main() -> None:
    folder = Path(sys.argv[1])
    names = sorted((HERE / "names.txt").read_text().split())
    body = "\n".join(symbol(folder, name) for name in names)
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" fill="currentColor">\n{body}\n</svg>\n')


if __name__ == "__main__":
    main()
