"""What the sources must not do: compose a statement, start a shell, evaluate, unpack objects, use a broken hash.

Each rule is read in the sources themselves, and each list of exceptions is exact: one more, or one less, is seen.
"""

import ast

import pytest
from django.conf import settings

from tests.asvs import reading

pytestmark = pytest.mark.req("SECT-1", "SECT-16")

# Statements put together from names of our own tables and columns, and from texts of the same module; what somebody
# typed is always a parameter (Django's ORM elsewhere).
COMPOSED = {
    "coordination/operations/measuring.py": "the tables of the sizing",
    "coordination/directory/search/vocabulary.py": "the columns of words",
    "habilitations/roots.py": "the columns of anchors",
    "habilitations/archive.py": "the columns of traces of accounts",
    "habilitations/second_wall.py": "the tables that the catalogue names, quoted",
    "coordination/common/database/base.py": "the name of one setting of the session",
    **dict.fromkeys(
        (f"coordination/directory/imports/{name}.py" for name in (
            "completion", "known_places", "mssante", "rpps_first", "rpps_merge", "savoir_faire", "staging",
            "structure_rows",
        )),
        "the columns of the files",
    ),
}  # fmt: skip
TYPED = ("request", "POST", "GET", "cleaned_data", "form.", "body")
# Patterns made of patterns, all of the same module.
PATTERNS = {"agenda/ics/parsing.py": "either", "coordination/fhir/literal.py": "_NAMED"}
# Sentences of ours that are not named in capitals: read from a table of them, or from the addresses of the product.
SENTENCES = {
    "coordination/common/addresses.py", "coordination/fhir/search/asking.py",
    "coordination/directory/views/all_accounts.py", "agenda/meeting_letters.py",
}  # fmt: skip


def names_in(node):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


@pytest.mark.asvs("v5.0.0-1.2.4")
def test_statements_are_composed_in_these_modules_only_and_never_of_what_was_typed():
    composed = {}
    for path, name, call in reading.calls():
        last = name.rpartition(".")[2]
        if last in {"execute", "executemany", "RawSQL", "raw", "extra"} and call.args:
            statement = call.args[0]
            if isinstance(statement, ast.JoinedStr | ast.BinOp):
                composed.setdefault(path, []).append(ast.unparse(statement))
    assert set(composed) == set(COMPOSED), "say here why this one is harmless"
    assert not [text for texts in composed.values() for text in texts if any(word in text for word in TYPED)]


@pytest.mark.asvs("v5.0.0-1.2.5")
def test_programs_are_started_without_a_shell():
    started = set()
    for path, name, call in reading.calls():
        assert name not in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}, path
        if name.startswith("subprocess.") and name.rpartition(".")[2] in {"run", "Popen", "call", "check_output"}:
            started.add(path)
            assert not [one for one in call.keywords if one.arg == "shell"], path
            assert not isinstance(call.args[0], ast.Constant | ast.JoinedStr), f"{path}: a list of arguments"
    # The runtime starts servers; one page sets a document, by our own script and its standard input.
    elsewhere = {path for path in started if not path.startswith("coordination/runtime/")}
    assert elsewhere == {"circle/exports/sheet.py", "deploy/advisories.py", "deploy/sbom.py"}


@pytest.mark.asvs("v5.0.0-1.2.9")
def test_a_pattern_is_a_constant_or_escapes_what_it_takes():
    for path, name, call in reading.calls():
        if not name.startswith("re.") or not call.args or name == "re.escape":
            continue
        pattern = call.args[0]
        escaped = {
            inner for one in ast.walk(pattern) if isinstance(one, ast.Call) and ast.unparse(one.func) == "re.escape"
            for inner in names_in(one)
        }  # fmt: skip
        free = {one for one in names_in(pattern) - escaped - {"re"} if not one.isupper()}
        assert free <= {PATTERNS.get(path)}, (path, ast.unparse(pattern))


@pytest.mark.asvs("v5.0.0-1.3.2")
def test_nothing_is_evaluated():
    for path, name, _ in reading.calls():
        assert name not in {"eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec"}, path
    for path, text in reading.scripts().items():
        for word in ("eval(", "new Function", 'setTimeout("', "setTimeout('", 'setInterval("'):
            assert word not in text, (path, word)
    assert '"allowEval":false' in reading.templates()["templates/base.html"]


@pytest.mark.asvs("v5.0.0-1.3.7")
def test_templates_are_files_and_never_made_of_a_text():
    for path, name, _ in reading.calls():
        assert name.rpartition(".")[2] not in {"from_string", "Template", "render_string"}, path


@pytest.mark.asvs("v5.0.0-1.3.10")
def test_what_is_formatted_is_a_sentence_of_ours():
    for path, name, call in reading.calls():
        if not name.endswith(".format") or isinstance(call.func.value, ast.Constant) or path in SENTENCES:
            continue
        names = names_in(call.func.value)
        assert all(one.strip("_").isupper() for one in names - {"t", "one", "grants", "sql"}), (path, name)


@pytest.mark.asvs("v5.0.0-1.5.2")
def test_nothing_unpacks_objects():
    unsafe = {"pickle", "cPickle", "dill", "marshal", "shelve", "jsonpickle", "yaml", "cloudpickle", "joblib"}
    found = {(path, name) for path, name in reading.imported() if name.partition(".")[0] in unsafe}
    # A command of who makes a release, by a SafeLoader: no object, not even a number.
    assert found == {("deploy/advisories.py", "yaml")}
    assert settings.CELERY_ACCEPT_CONTENT == [settings.CELERY_TASK_SERIALIZER] == ["json"]
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


@pytest.mark.asvs("v5.0.0-11.2.1", "v5.0.0-11.3.1", "v5.0.0-11.3.2")
def test_one_module_encrypts_and_by_fernet_alone():
    from_library = {(path, name) for path, name in reading.imported() if name.startswith("cryptography.")}
    assert {path for path, _ in from_library} == {"coordination/common/cipher.py"}
    assert {name.removeprefix("cryptography.fernet.") for _, name in from_library} == {
        "Fernet", "InvalidToken", "MultiFernet",
    }  # fmt: skip
    others = {"Crypto", "Cryptodome", "nacl", "M2Crypto", "rsa", "ecdsa", "pyaes", "tink"}
    assert not [name for _, name in reading.imported() if name.partition(".")[0] in others]


# What is drawn by chance and protects nothing: invented people, and how long one waits before trying again.
CHANCE = (
    "coordination/demo/", "coordination/directory/generator/", "agenda/actions/own_calendars.py",
    "agenda/mail_folder.py", "coordination/partners/relaying.py",
)  # fmt: skip
SOUND = {"sha256", "sha384", "sha512", "blake2b", "sha3_256"}


@pytest.mark.asvs("v5.0.0-11.4.1", "v5.0.0-11.4.3")
def test_hashes_are_of_256_bits_or_protect_nothing():
    used = set()
    for path, name, call in reading.calls():
        if name.startswith("hashlib.") and name.count(".") == 1:
            kind = name.partition(".")[2]
            harmless = any(one.arg == "usedforsecurity" and one.value.value is False for one in call.keywords)
            assert kind in SOUND or (kind == "sha1" and harmless), (path, name)
            used.add(kind)
        if name in {"hmac.digest", "hmac.new"}:
            assert any(isinstance(one, ast.Constant) and one.value == "sha256" for one in call.args), path
        if name.endswith("salted_hmac"):
            assert [one.value.value for one in call.keywords if one.arg == "algorithm"] == ["sha256"], path
    assert {"sha256", "blake2b"} <= used


@pytest.mark.asvs("v5.0.0-11.5.1")
def test_chance_that_protects_is_drawn_by_the_system():
    drawn = {path for path, name in reading.imported() if name.partition(".")[0] == "random"}
    assert {path for path in drawn if not path.startswith(CHANCE)} == set()
    assert [name for _, name in reading.imported() if name == "secrets"], "nothing is drawn at all?"


@pytest.mark.asvs("v5.0.0-5.3.1", "v5.0.0-5.3.2")
def test_no_file_received_is_kept_and_no_name_given_makes_a_path():
    from django.apps import apps
    from django.db.models import FileField

    kept = [field for model in apps.get_models() for field in model._meta.get_fields() if isinstance(field, FileField)]
    assert kept == []
    for path, name, call in reading.calls():
        # A name of an upload is looked at for its extension, shown to who sent it, and nothing else.
        if name in {"open", "Path", "os.path.join"} or name.endswith((".open", ".joinpath")):
            said = ast.unparse(call)
            assert "file.name" not in said and "given.name" not in said and "FILES" not in said, (path, said)


@pytest.mark.asvs("v5.0.0-16.2.3")
def test_logs_go_to_the_standard_output_and_nowhere_else():
    handlers = settings.LOGGING["handlers"]
    assert {one["class"] for one in handlers.values()} == {"logging.StreamHandler"}
    for path, name in reading.imported():
        assert name.partition(".")[0] not in {"sentry_sdk", "syslog", "raven", "rollbar", "opentelemetry"}, path
        assert not name.startswith("logging.handlers"), path
