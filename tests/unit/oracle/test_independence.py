"""The reference shares nothing with what it judges: the catalog, and its own plain loops."""

import ast
from collections.abc import Iterator
from pathlib import Path

from deploy.paths import ROOT

PLAIN = ("reference", "results", "device", "quality", "rolling", "minutes", "rules", "thresholds")
PLAIN += ("watches", "silence", "rollups", "compare", "usual", "conditions")
"""What works things out; the rest of the folder reads Kafka and the tables."""
REACHES = {"catalog", "service", "deploy"}
"""Rooms the judge's reading and waiting stand on; none works anything out."""


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, with the name where that may be a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(module: str) -> Path | None:
    """Return the file of a module of ours; None for others."""
    path = ROOT / module.replace(".", "/")
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((f for f in found if f.is_file()), None)


def reached(path: Path) -> dict[str, set[str]]:
    """Return all modules that a file reaches, each with its imports; the catalog is not entered."""
    found: dict[str, set[str]] = {}
    waiting = [path]
    while waiting:
        here = waiting.pop()
        name = ".".join(here.relative_to(ROOT).with_suffix("").parts)
        if name in found or name.startswith("catalog"):
            continue
        found[name] = set(imports(here))
        waiting += [f for module in found[name] if (f := file_of(module))]
    return found


def test_what_works_things_out_knows_the_catalog_alone() -> None:
    for name in PLAIN:
        for module, used in reached(ROOT / f"verify/oracle/{name}.py").items():
            rooms = {m.split(".")[0] for m in used if file_of(m)}
            if module.removeprefix("verify.oracle.") in PLAIN:
                assert rooms <= {"catalog", "verify"}, f"{module} uses {rooms}"


def test_the_oracle_has_no_numpy_and_nothing_of_what_it_judges() -> None:
    for path in (ROOT / "verify/oracle").glob("[!t]*.py"):
        for module, used in reached(path).items():
            assert not {m for m in used if m.split(".")[0] == "numpy"}, f"{module} uses numpy"
            rooms = {m.split(".")[0] for m in [*used, module] if file_of(m)} - {"verify"}
            assert rooms <= REACHES, f"{module} uses {rooms}"
