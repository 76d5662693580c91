"""The documents: what they name exists, and what they tell people to type is run somewhere, or has a reason why not."""

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from matplotlib.image import imread

from stack.settings.account import Account
from stack.settings.config import settings as stack_settings
from tests.browser import Browser
from tests.running import ROOT
from training.tables import reference
from training.tables.loading import load_text

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))

RUN = {
    # What runs a command: the file, and the words in it that do.
    r"make test\b": (".ci/run", "make test"),
    r"make$": ("tests/test_documents.py", '["make", "--no-print-directory"]'),
    r"make (lint|types)\b": ("Makefile", "test: lint types"),
    r"(\.venv/bin/)?pytest\b": ("Makefile", "$(BIN)/pytest"),
    r"(\.venv/bin/)?python -m training (train|publish|versions|promote)\b": (
        "tests/training/test_commands.py",
        "def test_roll_back",
    ),
    r"(\.venv/bin/)?python -m training sample\b": ("Makefile", "-m training sample"),
    r"python -m api\.relay\b": ("tests/api/watch/test_capture.py", '"-m", "api.relay"'),
    r"([A-Z_]+=\S+ )*(\.venv/bin/)?python -m api$": ("tests/running.py", '"-m", "api"'),
    r"(\.venv/bin/)?python -m training describe\b": ("tests/training/test_commands.py", 'run(["describe"'),
    r"(\.venv/bin/)?python -m training adopt\b": ("tests/training/test_adoption.py", 'run(["adopt"'),
    r"python -m training (captured|drift)\b": ("tests/training/test_drift.py", 'run(["captured"'),
    r"python -m benchmarks\.bill$": ("benchmarks/bill/__main__.py", "__main__"),
    r"python -m training score\b": ("tests/training/test_scoring.py", "def test_the_command"),
    r"make (image|ecs-local)\b": ("tests/container/conftest.py", "engine.build(base, tag, scoring=scoring)"),
    r"python -m stack\.settings\.reference$": ("stack/settings/reference.py", "__main__"),
    r"python -m training\.tables\.reference$": ("training/tables/reference.py", "__main__"),
}

NOT_RUN = {
    # Why a command cannot be run where the tests are; what it names is checked below.
    r"(pulumi|aws) ": "needs an AWS account",
    r"export CAPTURE_LOG_GROUP=": "needs a stack that runs",
    r"curl .*(pulumi stack output|SERVICE|http://127\.0\.0\.1:8000)": "needs a service that a reader has started",
    r"source \.venv/bin/activate$": "changes the reader's shell",
    r"git grep -lz |xargs -0 sed ": "renames the reader's repository",
    r"git (clone|commit|tag|push) |cd [\w-]+$": "the reader has done it, or would change the repository",
    r"make quick$": "runs a part of the tests, which all run",
    r"make (run|serve|mlflow-ui|image-run)\b": "serves until Ctrl-C; what it starts is tested on its own",
    r"make (bench|bench-training|bench-bulk|soak|fuzz|image-report)\b": "measures for minutes, on a quiet machine",
    r"make (lock|audit|sbom)\b": "asks the package registry or the vulnerability database",
    r"make train\b": "searches for minutes; the command that it is runs with a smaller search",
    r"make install\b": "needs the package registry; `make test` installs the same way",
    r"make clean\b": "would remove the environment that the tests run in",
    r"python3 -m venv |(\.venv/bin/)?pip install ": "needs the package registry; the Makefile installs the same lists",
    r"(\.venv/bin/)?pre-commit install$": "changes the repository's hooks",
    r"(\w+=\S+ )?go install |GOBIN=": "needs the Go module proxy",
    r"(\.venv/bin/)?python -m training train --cluster ": "needs a cluster; the search on a real one is tested",
    r"docker ": "needs a container engine; the image is tested where there is one",
}


def code(document: Path) -> Iterator[str]:
    """What a document sets in code, without comments: fenced and indented blocks, and what stands in backticks."""
    text = re.sub(r"(?<=\S)\s+# .*$", "", document.read_text(), flags=re.MULTILINE)
    fenced = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    yield from fenced.findall(text)
    rest = fenced.sub("", text)
    yield from re.findall(r"^ {4}\S.*$", rest, re.MULTILINE)
    yield from re.findall(r"`([^`]+)`", rest)


def commands(document: Path) -> Iterator[str]:
    """The commands of a document's shell blocks, one by one, without comments and prompts."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
        if language not in ("bash", "sh", "shell", "console"):
            continue
        whole = ""
        for line in block.splitlines():
            if language == "console" and not whole:
                if not line.startswith("$ "):
                    continue
                line = line.removeprefix("$ ")
            whole += re.sub(r"(^|\s+)# .*$", "", line)
            # A quoted body goes on over lines, and so does a line that ends in a backslash.
            if whole.endswith("\\"):
                whole = whole.removesuffix("\\")
                continue
            if whole.count("'") % 2:
                continue
            yield from (part.strip() for part in re.split(r"\s&&\s|\s\|\|?\s", whole) if part.strip())
            whole = ""
        assert not whole, f"{document.name}: a command without an end: {whole}"


ALL_COMMANDS = [(document, command) for document in DOCUMENTS for command in commands(document)]


def named(pattern: str) -> list[tuple[str, Any]]:
    """What the groups of `pattern` name in the code of all documents, each with its document."""
    return [
        (document.name, name) for document in DOCUMENTS for text in code(document) for name in re.findall(pattern, text)
    ]


def test_make_targets_that_documents_name_exist() -> None:
    """`make X` in a document is a target of the Makefile."""
    found = named(r"\bmake ([a-z][a-z-]*)")
    assert {("README.md", "test")} <= set(found)
    assert [(document, target) for document, target in found if target not in TARGETS] == []


def test_make_lists_every_target_with_a_line() -> None:
    """`make` alone names each target and says what it does."""
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = dict(re.findall(r"^  make (\S+)\s+(\S.*)$", done.stdout, re.MULTILINE))
    declared = re.findall(r"^\.PHONY: (.*)$", MAKEFILE.replace("\\\n", " "), re.MULTILINE)
    assert listed.keys() == TARGETS == set(" ".join(declared).split())


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link or picture is a file of the repository, every anchor a heading in it."""
    text = re.sub(r"^```.*?^```$|`[^`]*`", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for link in links:
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").glob("*.svg")), ids=lambda picture: picture.name)
def test_pictures_are_light_or_dark_as_their_reader(browser: Browser, tmp_path: Path, picture: Path) -> None:
    """A picture in a document is mostly light on a light screen, mostly dark on a dark one, and its text is seen."""
    page = tmp_path / "page.html"
    page.write_text(f'<img src="{picture.as_uri()}" width="900">')
    brightness = {}
    for scheme in ("light", "dark"):
        browser.open(page.as_uri(), scheme=scheme)
        pixels = imread(io.BytesIO(browser.find("img").screenshot_as_png), format="png")[..., :3]
        assert pixels.min() < 0.3
        assert pixels.max() > 0.8
        brightness[scheme] = pixels.mean()
    assert brightness["light"] > 0.8
    assert brightness["dark"] < 0.3


@pytest.mark.parametrize(("document", "command"), ALL_COMMANDS, ids=lambda value: getattr(value, "name", value)[:60])
def test_every_command_is_run_or_says_why_not(document: Path, command: str) -> None:
    """A command that a reader is told to type is run by a test or by CI, or stands in the list of those that cannot."""
    reasons = [reason for pattern, reason in NOT_RUN.items() if re.match(pattern, command)]
    runners = [where for pattern, where in RUN.items() if re.match(pattern, command)]
    assert reasons or runners, f"{document.name}: nothing runs {command!r}: add it to RUN or NOT_RUN of this test"


@pytest.mark.parametrize(("where", "words"), RUN.values(), ids=RUN)
def test_what_runs_commands_is_there(where: str, words: str) -> None:
    """The file that is said to run a command has the words that do."""
    assert words in (ROOT / where).read_text()


def test_training_commands_have_the_options_that_documents_use() -> None:
    """The command line takes every documented `python -m training …`; --help ends each before it does anything."""
    typed = {command for _, command in ALL_COMMANDS if re.match(r"(\.venv/bin/)?python -m training ", command)}
    for command in sorted(typed):
        arguments = shlex.split(command)[1:]
        done = subprocess.run([sys.executable, *arguments, "--help"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_page_of_tables_is_what_the_code_says() -> None:
    """docs/tables.md has every key of a description, as the reference writes them."""
    page = reference.PAGE.read_text()
    between = page.partition(reference.BEGIN)[2].partition(reference.END)[0]
    assert between == reference.reference(), "run python -m training.tables.reference"


def test_first_file_of_a_table_is_one() -> None:
    """The short file that docs/tables.md begins with describes a table, in ten lines."""
    (first,) = re.findall(r"^```toml\n(.*?)^```$", reference.PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len([line for line in first.splitlines() if line]) == 10
    assert load_text(first, "docs/tables.md").schema().names


CONFIG_SET = r"pulumi config set((?: --\w+)*) '?([\w:]+)"


def test_stack_settings_that_documents_set_exist() -> None:
    """`pulumi config set KEY` names a setting of the stack, or one of the AWS provider."""
    keys = [(document, key) for document, (_, key) in named(CONFIG_SET)]
    assert len(keys) > 10
    provider = {f"aws:{field.encode_name}" for field in msgspec.structs.fields(Account)}
    known = stack_settings().keys() | provider | {"aws:region", "KEY"}
    assert [(document, key) for document, key in keys if key not in known] == []


def test_settings_that_look_like_secrets_are_set_with_a_flag() -> None:
    """Pulumi's CLI refuses a random value under a key with one of these words, unless it is told which of the two."""
    looks_secret = re.compile("passwd|pass|password|pwd|secret|token", re.IGNORECASE)
    found = [(flags, key) for _, (flags, key) in named(CONFIG_SET) if looks_secret.search(key)]
    assert found
    assert [key for flags, key in found if flags not in (" --plaintext", " --secret")] == []
    page = (ROOT / "docs" / "configuration.md").read_text()
    for key in filter(looks_secret.search, stack_settings()):
        assert re.search(rf"`{key}`.*`--plaintext`", page), f"docs/configuration.md: how to set {key}"


def test_outputs_that_documents_read_exist() -> None:
    """`pulumi stack output NAME` names an output of the program."""
    # The table that the stack's own tests hold against what it exports.
    outputs = (ROOT / "docs" / "configuration.md").read_text().partition("## Outputs")[2]
    exported = set(re.findall(r"^\| `(\w+)` \|", outputs, re.MULTILINE))
    names = named(r"pulumi stack output (\w+)")
    assert names
    assert [(document, name) for document, name in names if name not in exported] == []
