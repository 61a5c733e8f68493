"""The layout stays true without a guardian: doors, exceptions, sizes, templates, schema truths."""

import ast
import inspect
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from habilitations.rubriques import Action

ROOT = Path(__file__).resolve().parents[1]

# Doors to a dossier that are made for every dossier URL.
DOSSIER_PREFIX = "/dossiers/<uuid:dossier_id>"


def routes(resolver=None, prefix="/"):
    """Yield (path, view, name) of every URL of the product."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback, entry.name


def python_files(*, tests):
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in tracked.stdout.split():
        if "migrations/" in name or name.startswith("tests/") is not tests or not (ROOT / name).exists():
            continue
        yield ROOT / name


@pytest.mark.req("SEC-1")
def test_every_url_of_a_dossier_passes_the_door():
    inside = [(path, view) for path, view, _ in routes() if path.startswith(DOSSIER_PREFIX)]
    assert len(inside) >= 10, "the walk found too few routes to prove anything"
    without = [path for path, view in inside if not hasattr(view, "door")]
    assert without == []


@pytest.mark.req("SEC-1")
def test_dossier_urls_stand_in_one_place():
    """A dossier id in a URL outside the prefix would escape the proof above."""
    elsewhere = [p for p, _, _ in routes() if "dossier_id" in p and not p.startswith(DOSSIER_PREFIX)]
    assert elsewhere == []


@pytest.mark.req("SEC-1")
def test_pages_of_a_personal_link_are_counted():
    """The second marker (house.md): a signed link without an account reaches one object, on these pages only."""
    marked = {name: view for name, _, view in named_routes() if hasattr(view, "token_scope")}
    scopes = {name: view.token_scope for name, view in marked.items()}
    pages = ("answer", "refuse", "opened", "ask", "receive")
    ours = {f"invitations:{page}": "invitation" for page in pages}
    assert scopes == ours | {"reponse:answer": "participation", "flux:calendar": "feed"}
    assert all(view.login_required is False for view in marked.values())
    with_token = [name for name, path, _ in named_routes() if "token>" in path]
    assert set(with_token) == set(marked), "a signed part of an address is read by the marker only"


@pytest.mark.req("SEC-1")
def test_signing_in_is_asked_by_default():
    """The exceptions are counted, each with its reason, in tests/accounts/test_pages.py."""
    assert "coordination.accounts.middleware.LoginRequiredMiddleware" in settings.MIDDLEWARE


@pytest.mark.parametrize(("tests", "limit"), [(False, 400), (True, 1000)])
def test_modules_stay_small(tests, limit):
    long = {
        str(path.relative_to(ROOT)): count
        for path in python_files(tests=tests)
        if (count := len(path.read_text().splitlines())) > limit
    }
    assert long == {}


def at_import(tree):
    """Yield the nodes that are evaluated when a module is imported: what functions hold is not."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.Lambda):
            waiting += node.args.defaults
        else:
            yield node
            waiting += ast.iter_child_nodes(node)


def test_no_test_keeps_the_day_of_its_import():
    """A suite lasts: one that goes over midnight in Paris would compare two days."""
    assert [node for node in at_import(ast.parse("a = today()\ndef f(): today()")) if isinstance(node, ast.Call)]
    kept = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files(tests=True)
        for node in at_import(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
        if getattr(node.func, "attr", "") in ("localdate", "today") or getattr(node.func, "id", "") == "TODAY"
    ]
    assert kept == []


def test_every_template_is_used():
    """A template nobody names is a page nobody sees."""
    templates = {str(p.relative_to(ROOT / "templates")) for p in (ROOT / "templates").rglob("*.html")}
    sources = [p.read_text() for p in python_files(tests=False)] + [
        p.read_text() for p in (ROOT / "templates").rglob("*.html")
    ]
    said = set(re.findall(r"[\"']([\w/\-.]+\.html)[\"']", "\n".join(sources)))
    # Names built by allauth and by Django's error handlers.
    framework = re.compile(r"^(account|mfa|usersessions)/|^errors/|^(400|403|403_csrf|404|429|500)\.html$")
    tests_only = {"components/_gallery.html"}
    assert {t for t in templates - said if not framework.match(t)} - tests_only == set()


def test_no_template_has_inline_style_or_script():
    guilty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        # The frame of our letters has its own: no policy rules a mailbox, and no file is fetched from one.
        if path != ROOT / "templates/accounts/emails/base.html"
        and re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\bsrc=)|hx-on", path.read_text())
    ]
    assert guilty == []


@pytest.mark.req("SEC-21")
def test_nothing_that_somebody_typed_is_said_to_be_safe():
    """Each mark in a page is counted: what it covers is drawn by us, never typed."""
    marked = {
        str(path.relative_to(ROOT / "templates")): count
        for path in (ROOT / "templates").rglob("*.html")
        if (count := len(re.findall(r"\|\s*safe\b|autoescape", path.read_text())))
    }
    # An attribute in words of ours, the QR code of a second factor, the line breaks of the developer's mails.
    assert marked == {"components/combobox.html": 1, "mfa/totp/activate_form.html": 1, "outbox/mail.html": 1}


# ---- The ten schema truths (quality-goals.md) ----------------------------------------------------

# Every table of the dossier family: it carries the dossier and cannot be without it.
FAMILY_APPS = {"dossiers", "circle"}
FAMILY_OUTSIDE = {
    "agenda.AgendaConsent",
    "agenda.Answer",
    "agenda.Appointment",
    "agenda.AppointmentChange",
    "agenda.CalendarInvitation",
    "agenda.KeptApart",
    "agenda.Participation",
    "agenda.Proposal",
    "agenda.Series",
    "habilitations.AccessRequest",
    "habilitations.AccessKept",
    "habilitations.AccessReview",
    "habilitations.Ceiling",
    "habilitations.Consent",
    "habilitations.EmergencyAccess",
    "habilitations.EmergencyBan",
    "habilitations.EmergencyReview",
    "habilitations.Habilitation",
    "habilitations.Opposition",
    "habilitations.Refusal",
    "habilitations.SecretaryConsent",
    "habilitations.StateChange",
    "habilitations.Trace",
    "habilitations.TraceHead",
}
# The dossier itself, and what configures every dossier.
# An invitation belongs to who sent it, and may concern no dossier.
# A count of « À faire » is an account’s, over all the dossiers it enters.
NOT_FAMILY = {"dossiers.Dossier", "circle.RoleSetting", "circle.Invitation", "circle.TodoCount"}


def family():
    for model in apps.get_models():
        label = model._meta.label
        if (model._meta.app_label in FAMILY_APPS or label in FAMILY_OUTSIDE) and label not in NOT_FAMILY:
            yield model


def own_models():
    rooms = ("coordination.", "habilitations", "circle", "agenda")
    return [m for m in apps.get_models() if m.__module__.startswith(rooms)]


@pytest.mark.req("SCALE-3")
def test_each_table_of_the_dossier_family_carries_its_dossier():
    found = list(family())
    assert len(found) >= 10
    for model in found:
        field = next((f for f in model._meta.concrete_fields if f.attname == "dossier_id"), None)
        assert field is not None, f"{model._meta.label} has no dossier_id"
        assert not field.null, f"{model._meta.label}.dossier_id may be null"


@pytest.mark.req("SCALE-3")
def test_unique_keys_of_the_family_contain_the_dossier():
    for model in family():
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                assert "dossier" in constraint.fields, f"{constraint.name} has no dossier in its key"
        alone = [f.name for f in model._meta.concrete_fields if f.unique and not f.primary_key]
        assert alone == [], f"{model._meta.label}: {alone} unique without the dossier"


@pytest.mark.req("SCALE-6")
def test_ids_are_made_in_the_application():
    """UUIDv7 made here, no visible sequence; reference rows of a matrix version and settings excepted."""
    sequences = {"habilitations.MatrixRow", "habilitations.ActionRight", "habilitations.ProfileRule"}
    # Drawn by the database so that it is never drawn twice: what every process keeps the catalogue under.
    sequences |= {"habilitations.CatalogChange"}
    for model in own_models():
        pk = model._meta.pk
        if isinstance(pk, models.AutoField | models.BigAutoField):
            assert model._meta.label in sequences or model._meta.label.startswith("directory."), (
                f"{model._meta.label} shows a sequence"
            )


def test_dossier_and_person_families_share_no_foreign_key_but_the_allowed_ones():
    """Truth 2: family tables point to accounts, the directory and their own family, nothing else (SCALE-5)."""
    allowed = FAMILY_APPS | {"accounts", "agenda", "directory", "habilitations"}
    for model in family():
        for field in model._meta.concrete_fields:
            if field.is_relation:
                assert field.related_model._meta.app_label in allowed, f"{model._meta.label}.{field.name}"


def test_every_constraint_speaks_french():
    """A rule held by the database is told in a sentence, never in a constraint's name."""
    silent = []
    for model in own_models():
        for constraint in model._meta.constraints:
            said = getattr(constraint, "violation_error_message", None)
            default = models.UniqueConstraint.default_violation_error_message
            if not said or str(said) == str(default):
                silent.append(f"{model._meta.label}.{constraint.name}")
    assert silent == []


def test_the_journal_is_partitioned_by_month(db):
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("habilitations_trace", "habilitations_accounttrace"):
            cursor.execute("SELECT partstrat FROM pg_partitioned_table WHERE partrelid = %s::regclass", [table])
            assert cursor.fetchone() == ("r",)


# ---- Sensitive acts (SEC-18) ---------------------------------------------------------------------

# What a view calls to open an access, and the pages that may do so without asking again who is there.
OPENING = {f".{name}" for name in (
    "add_professional", "add_structure", "set_habilitation", "undo_removal", "vouch_profession", "change_profession",
    "confirm_account", "confirm_in_structure", "offer_account", "request_publication", "publish_draft",
    "add_manual_professional", "confirm_invitee", "resend_invitation", "copy_link", "limit_access", "extend_access",
    "answer_request", "open_structure", "add_delegate", "record_consent", "withdraw_opposition", "declare_absence",
    "name_secretary", "accept_acting", "record_secretary_consent", "open_emergency", "allow_emergency", "bring_in",
    "register_client", "renew_secret", "change_scopes", "make_personal_token",
)}  # fmt: skip
OPENS_NOTHING = {"circle:request": "leaves a request to those who may grant"}
# Leaving as a file is seen from the address or from the right to print.
FILE_NAME = re.compile(r"\.(pdf|xlsx|csv|vcf|ics|zip|json)$")


def named_routes(resolver=None, space=""):
    """Yield (name with its space, path, view) of every URL that has a name."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from named_routes(entry, f"{entry.namespace}:" if entry.namespace else space)
        elif entry.name:
            yield f"{space}{entry.name}", str(entry.pattern), entry.callback


def written_for(view):
    """Yield the nodes of a view and of the functions of its own module that it names."""
    inner = inspect.unwrap(view)
    module = inspect.getmodule(inner)
    todo, read = [inner], set()
    while todo:
        function = todo.pop()
        read.add(function)
        nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))
        yield from nodes
        own = (getattr(module, node.id, None) for node in nodes if isinstance(node, ast.Name))
        todo += [f for f in own if inspect.isfunction(f) and f.__module__ == module.__name__ and f not in read]


def said_by(view):
    """Return the names used by a view and by the functions of its own module that it names, attributes as ".name"."""
    return {
        f".{node.attr}" if isinstance(node, ast.Attribute) else node.id
        for node in written_for(view)
        if isinstance(node, ast.Attribute | ast.Name)
    }


def own_views():
    """Return (name, path, view) of the function views written here, not by a library."""
    written = [(name, path, view, inspect.unwrap(view)) for name, path, view in named_routes()]
    return [
        (name, path, view)
        for name, path, view, inner in written
        if inspect.isfunction(inner) and not inner.__module__.startswith("allauth")
    ]


@pytest.mark.req("SEC-18")
def test_what_leaves_as_a_file_asks_again_who_is_there():
    files = {
        name: view for name, path, view in own_views()
        if FILE_NAME.search(path) or getattr(view, "right", None) == Action.PRINT
    }  # fmt: skip
    # What the API says of itself, to anybody.
    files.pop("fhir:openapi")
    assert set(files) == {
        "circle:print_sheet", "circle:export_list", "circle:export_vcard", "dossiers:export",
        "dossiers:journal_export", "circle:export_review", "directory:export_account_review",
        "dossiers:export_asleep", "dossiers:export_fhir", "mon_agenda:export_appointments",
        "mon_agenda:export_availabilities", "mon_agenda:export_free_busy",
        "habilitations:export_xlsx", "habilitations:export_csv",
    }  # fmt: skip
    assert [name for name, view in files.items() if not getattr(view, "asks_identity", False)] == []


@pytest.mark.req("SEC-18")
def test_what_opens_an_access_asks_again_who_is_there():
    """Each is tried by a test of its room; here, a new page that grants without asking fails."""
    opening = {name: called for name, _, view in own_views() if OPENING & (called := said_by(view))}
    assert set(opening) >= {"circle:add_professional", "circle:choose_structure", "circle:habilitation"}
    asking = {"show_identity_to_open", "reauthentication"}
    marked = {name for name, _, view in own_views() if getattr(view, "asks_identity", False)}
    without = {name for name, called in opening.items() if not asking & called} - marked
    assert without == set(OPENS_NOTHING)
