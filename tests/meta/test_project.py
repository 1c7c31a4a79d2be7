"""What must hold for the project as a whole: its rooms, its documents, its front door."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.paths import ROOT

LIMIT = 300
LONGER = {
    "tests/cases/test_rules.py",
    "catalog/model.py",
    "dashboards/texts.py",
}
"""Files that may be longer. Shorten one and its line here must go."""

PUBLIC_VECTOR = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example key of the Standard Webhooks specification."""

ROOMS = [
    "catalog",
    "systems",
    "sites",
    "service",
    "engine",
    "ingest",
    "streams",
    "storage",
    "records",
    "forecasts",
    "exchange",
    "alerts",
    "dashboards",
    "console",
    "simulators",
    "deploy",
    "verify",
]


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository that match, those not yet added included."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).is_file()]


def test_imports_go_one_way() -> None:
    line = [str(Path(sys.executable).with_name("lint-imports"))]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_every_room_says_what_it_is_and_what_it_takes() -> None:
    for room in ROOMS:
        first = (ROOT / room / "__init__.py").read_text().splitlines()[:1]
        assert first and first[0].startswith('"""'), f"{room} does not say what it is"


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in tracked("*.py")
    }
    assert {name for name, length in lengths.items() if length > LIMIT} == LONGER


def test_no_folder_is_a_drawer() -> None:
    drawers = {"utils", "common", "helpers", "util", "misc"}
    found = {p for p in tracked() if drawers & {*p.relative_to(ROOT).parts, p.stem}}
    assert not found


def test_no_thread_of_a_test_keeps_a_failed_run_from_ending() -> None:
    calls = r"threading\.Thread\((?:[^()]|\([^()]*\))*\)"
    for path in tracked("tests/*.py"):
        for call in re.findall(calls, path.read_text()):
            assert "daemon=True" in call, f"{path.relative_to(ROOT)}: {call}"


def test_links_of_the_documents_lead_somewhere() -> None:
    for page in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_tests_that_the_documents_name_exist() -> None:
    here = {path.name for path in tracked("tests/*.py")}
    for page in tracked("docs/*.md"):
        for name in re.findall(r"`[^`]*?(test_\w+\.py)[^`]*`", page.read_text()):
            assert name in here, f"{page.name}: {name}"
        for path in re.findall(r"`(tests/[\w/.-]+)`", page.read_text()):
            assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_every_target_of_make_is_explained_and_phony() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## \S", text, re.MULTILINE))
    assert targets == explained
    assert targets == phony


def test_make_alone_lists_every_target() -> None:
    told = subprocess.check_output(["make"], cwd=ROOT, text=True)
    targets = re.findall(r"^([a-z][a-z-]*):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(line.split()[0] for line in told.splitlines()) == sorted(targets)


def test_make_lets_python_keep_its_bytecode() -> None:
    line = ["make", "-s", "--eval", "told:;@echo [$$PYTHONDONTWRITEBYTECODE]", "told"]
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    assert subprocess.check_output(line, cwd=ROOT, env=env, text=True) == "[]\n"


@pytest.mark.parametrize("name", ["requirements.txt", "benchmarks/requirements.txt"])
def test_requirements_are_locked_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.findall(r"^[A-Za-z0-9_.\[\]-]+==", text, re.MULTILINE)
    assert pins
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if re.match(r"[A-Za-z0-9_.\[\]-]+==", block):
            assert "--hash=sha256:" in block, block.splitlines()[0]
    assert not re.search(r"--(extra-)?index-url|--find-links|https?://\S+simple", text)


def test_no_secret_and_no_place_of_a_machine_is_kept() -> None:
    signs = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY|whsec_[A-Za-z0-9+/]{24,}|AKIA[0-9A-Z]{16}"
        r"|(?<![\w.])/(?:home|Users)/\w+/"
    )
    for path in tracked():
        if path.suffix in {".png", ".svg", ".ico"} or path == Path(__file__):
            continue
        found = signs.search(path.read_text(errors="replace").replace(PUBLIC_VECTOR, ""))
        assert not found, f"{path.relative_to(ROOT)}: {found.group(0)[:20]}"
