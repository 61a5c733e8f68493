"""Set one sheet in type: JSON on standard input, the number of pages then the PDF on standard output.

Run as a program by circle.exports.sheet, in a process of its own: typst cannot be stopped from inside, and the
worker must survive it. Knows nothing of Django nor of the product; reads its template and fonts, nothing else.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import typst

HERE = Path(__file__).parent
CPU_SECONDS = 10
MEMORY = 1024**3
# typst then refuses to write what PDF/UA-1 forbids: text without a tag, a letter that no font draws.
ACCESSIBLE = "ua-1"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    asked = json.load(sys.stdin)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(HERE / "fonts")])
    compiler = typst.Compiler(str(HERE / "sheet.typ"), root=str(HERE), font_paths=fonts)
    data = json.dumps(asked["data"])
    for layout in asked["layouts"]:
        content = _compile(compiler, {"data": data, "layout": layout}, asked["timestamp"])
        pages = int(compiler.query("<pages>", field="value", one=True))
        if pages == 1:
            break
    sys.stdout.buffer.write(b"%d\n" % pages)
    sys.stdout.buffer.write(content)


def _compile(compiler, inputs: dict[str, str], timestamp: int) -> bytes:
    try:
        return compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=ACCESSIBLE, timestamp=timestamp)
    except typst.TypstError:
        # A name in a script that our fonts do not draw: a sheet with a hole rather than no sheet. Still tagged.
        return compiler.compile(format="pdf", sys_inputs=inputs, timestamp=timestamp)


if __name__ == "__main__":
    main()
