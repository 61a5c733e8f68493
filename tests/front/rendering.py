"""Draw the style pages without a view, and serve them to a browser under the product's own content policy."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

from csp.utils import build_policy
from django.conf import settings
from django.template import engines
from jinja2 import ChoiceLoader, FileSystemLoader

from tests.front import sample

PAGES = Path(__file__).parent / "pages"
# Page -> current rubric.
NAMES = {
    "circle": "cercle",
    "patients": "",
    "home": "accueil",
    "act": "cercle",
    "errors": "cercle",
    "search": "cercle",
    "gallery": "",
}


def environment():
    """Return the product's environment, which also finds the style pages."""
    env = engines["jinja2"].env
    return env.overlay(loader=ChoiceLoader([FileSystemLoader(PAGES), env.loader]))


def draw(name: str, *, theme: str = "light", **more) -> str:
    """Return one style page as HTML."""
    context = sample.context(NAMES.get(name, "cercle"), theme)
    if name == "errors":
        context["form"] = sample.refused_form()
    return environment().get_template(f"{name}.html").render({**context, **more})


def draw_results(status: str = "4 résultats : 1 déjà dans le cercle, 2 professionnels.") -> str:
    """Return the fragment that a search answers."""
    module = environment().get_template("components/combobox.html").module
    return module.combobox_results(sample.RESULTS, status)


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /<page>[?theme] draws a page; POST /recherche/ answers the fragment; /static/ is the product's folder."""

    TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.startswith("/static/"):
            file = Path(settings.STATICFILES_DIRS[0]) / path.removeprefix("/static/")
            self.answer(file.read_bytes(), self.TYPES.get(file.suffix, "text/plain"))
            return
        name = path.strip("/")
        body = draw(name, theme=query or "light") if name in NAMES else f"<title>x</title><p>{name}"
        self.answer(body.encode(), "text/html; charset=utf-8")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.posts.append((self.path, body, self.headers.get("X-CSRFToken")))
        page = draw_results() if self.path == "/recherche/" else "<title>x</title><p>reçu"
        self.answer(page.encode(), "text/html; charset=utf-8")

    def answer(self, body: bytes, kind: str):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", build_policy())
        if not kind.startswith("text/html"):
            self.send_header("Cache-Control", "max-age=3600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def serve() -> http.server.ThreadingHTTPServer:
    """Start the server on a free port of this machine; `posts` holds (path, body, CSRF header) of each POST."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.posts = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
