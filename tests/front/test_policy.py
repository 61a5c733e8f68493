"""What the policy of contents refuses is reported: a page that would ask for it is found (SECT-14)."""

import threading
from http.server import ThreadingHTTPServer

import pytest

from tests.front.policy import watched
from tests.front.rendering import Handler

pytestmark = [pytest.mark.browser, pytest.mark.req("SECT-14")]

PAGE = '<!DOCTYPE html><html lang="fr"><head><title>x</title>{head}</head><body>{body}</body></html>'
# What somebody could leave in a page, and the directive that must report it.
PLANTED = {
    "script": ("", "<script>window.ran = 1</script>", "script-src-elem"),
    "handler": ("", '<img src="/static/favicon.svg" alt="" onload="window.ran = 1">', "script-src-attr"),
    "style-attribute": ("", '<p style="color: red">x</p>', "style-src-attr"),
    "style": ("<style>p { color: red }</style>", "", "style-src-elem"),
    "image": ("", '<img src="http://elsewhere.example/x.png" alt="">', "img-src"),
    "frame": ("", '<iframe src="/clean" title="x"></iframe>', "frame-src"),
    "object": ("", '<object data="/clean"></object>', "object-src"),
    "base": ('<base href="http://elsewhere.example/">', "", "base-uri"),
    "form": ("", '<form action="http://elsewhere.example/"></form><script src="/submit.js"></script>', "form-action"),
    "eval": ("", '<script src="/eval.js"></script>', "require-trusted-types-for"),
    "text-of-a-script": ("", '<script src="/text.js"></script>', "require-trusted-types-for"),
    "address-of-a-script": ("", '<script src="/address.js"></script>', "require-trusted-types-for"),
    "policy": ("", '<script src="/policy.js"></script>', "trusted-types"),
    "html": ("", '<script src="/html.js"></script>', "require-trusted-types-for"),
}  # fmt: skip
SCRIPT = "const made = document.createElement('script'); "
HOSTILE = "<img src=x onerror='window.ran = 1'><script>window.ran = 1</scr\" + \"ipt>"
SCRIPTS = {
    "/submit.js": "addEventListener('load', () => setTimeout(() => document.forms[0].requestSubmit()))",
    "/eval.js": "try { eval('window.ran = 1') } catch {}",
    "/text.js": SCRIPT + "try { made.text = 'window.ran = 1'; document.body.append(made) } catch {}",
    "/address.js": SCRIPT + "try { made.src = 'http://elsewhere.example/x.js' } catch {}",
    "/policy.js": "try { trustedTypes.createPolicy('mine', {createHTML: (text) => text}) } catch {}",
    # Without app.js there is no policy: no text becomes a part of a page.
    "/html.js": "try { document.body.innerHTML = '<p>x</p>' } catch {}",
    "/swap.js": f'try {{ document.body.innerHTML = "{HOSTILE}" }} catch (error) {{ window.refused = String(error) }}',
}


class Planted(Handler):
    def do_GET(self):
        name = self.path.strip("/")
        if self.path in SCRIPTS:
            self.answer(SCRIPTS[self.path].encode(), "text/javascript")
        elif name in PLANTED:
            head, body, _ = PLANTED[name]
            self.answer(PAGE.format(head=head, body=body).encode(), "text/html; charset=utf-8")
        elif name == "clean":
            self.answer(PAGE.format(head="", body="<p>x</p>").encode(), "text/html; charset=utf-8")
        elif name == "swap":
            ours = (
                '<script src="/static/js/app.js" type="module"></script><script src="/swap.js" type="module"></script>'
            )
            self.answer(PAGE.format(head=ours, body="").encode(), "text/html; charset=utf-8")
        else:
            super().do_GET()


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Planted)
    server.daemon_threads, server.posts = True, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def arrives(page, reports, directive):
    """Wait for the report, which comes after what it is about, and on a busy machine well after."""
    for _ in range(100):
        if any(report.startswith(directive) for report in reports):
            return True
        page.wait_for_timeout(50)
    return False


def test_each_planted_fault_is_reported_and_runs_nothing(site, page):
    reports = watched(page)
    missed = {}
    for name, (_, _, directive) in PLANTED.items():
        del reports[:]
        page.goto(f"{site}/{name}", wait_until="load")
        if not arrives(page, reports, directive) or page.evaluate("window.ran ?? 0"):
            missed[name] = reports[:]
    assert missed == {}


def test_a_clean_page_is_not(site, page):
    reports = watched(page)
    page.goto(f"{site}/clean", wait_until="load")
    # A fault of ours, asked for last: what the page itself did would have been told before.
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://elsewhere.example/x.png'}))")
    assert arrives(page, reports, "img-src")
    assert len(reports) == 1


def test_what_htmx_is_given_may_not_bring_what_runs(site, page):
    """The policy of app.js lets a piece of page in, and refuses the one that holds a script."""
    page.goto(f"{site}/swap", wait_until="load")
    assert page.evaluate("window.ran ?? 0") == 0
    assert "may not bring what runs" in page.evaluate("window.refused")
    assert page.evaluate("trustedTypes.defaultPolicy.createHTML('<p>x</p>').toString()") == "<p>x</p>"
