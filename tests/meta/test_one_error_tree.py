"""Every exception that a room defines stands in the one error tree."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = tuple(sorted(folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()))
BUILT_IN = {"Exception", "BaseException", "RuntimeError", "ValueError", "LookupError", "KeyError"}


def test_no_exception_has_a_root_of_its_own() -> None:
    assert {"alerts", "catalog", "console", "deploy", "records", "storage"} <= set(ROOMS)
    astray = []
    for room in ROOMS:
        if room in ("tests", "benchmarks"):
            continue
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and node.bases:
                    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                    if bases <= BUILT_IN and bases:
                        astray.append(f"{file.relative_to(ROOT)}: {node.name}")
    assert astray == ["catalog/errors.py: CityOpsError"]
