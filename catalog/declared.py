"""Read declarations: modules with one well-known name, loaded from their files.

Whole systems are folders with a ``system.py``: those of ``systems/``, and those that
``CITYOPS_SYSTEMS_PATH`` names (separated like ``PATH``), each a system or a folder of systems.
``CITYOPS_SYSTEMS`` (by comma) chooses those that run here; without it all do.
"""

import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, Self, TypeVar

from pydantic import ValidationError

from catalog.errors import FatalError

ROOT = Path(__file__).parent.parent
SYSTEMS_FOLDER = ROOT / "systems"
T = TypeVar("T")


class DeclarationError(FatalError, ValueError):
    """A file that cannot be read: where it is wrong, and what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="declaration", stage="declaring")


@cache
def system_folders() -> tuple[Path, ...]:
    """Return the folders of all systems, ours first, in name order; read once per process."""
    extra = [Path(p) for p in os.environ.get("CITYOPS_SYSTEMS_PATH", "").split(os.pathsep) if p]
    found = [folder for root in (SYSTEMS_FOLDER, *extra) for folder in _systems_in(root)]
    names = [folder.name for folder in found]
    for folder in found:
        if names.count(folder.name) > 1:
            raise DeclarationError(f"{folder}: a system named {folder.name!r} exists already")
    return tuple(folder for folder in found if folder.name in _chosen(names))


def every_system_runs() -> bool:
    """Tell whether no system was left out: only then is a name that is not declared wrong."""
    return not os.environ.get("CITYOPS_SYSTEMS", "").strip(", ")


def _chosen(known: list[str]) -> list[str]:
    """Return the systems that run here: all, or those of ``CITYOPS_SYSTEMS`` (by comma)."""
    chosen = [name.strip() for name in os.environ.get("CITYOPS_SYSTEMS", "").split(",") if name]
    for name in chosen:
        if name not in known:
            known_ones = ", ".join(known)
            raise DeclarationError(f"CITYOPS_SYSTEMS: no system {name!r}; known: {known_ones}")
    return chosen or known


def _systems_in(root: Path) -> Iterator[Path]:
    if (root / "system.py").is_file():
        yield root
        return
    if root != SYSTEMS_FOLDER and not root.is_dir():
        raise DeclarationError(f"{root}: no such folder (CITYOPS_SYSTEMS_PATH)")
    yield from sorted(file.parent for file in root.glob("[a-z]*/system.py"))


def files_of(kind: str) -> list[Path]:
    """Return the declaration files of one kind, ``streams`` say, of all systems."""
    return [f for folder in system_folders() for f in sorted((folder / kind).glob("[a-z]*.py"))]


def load_module(path: Path) -> ModuleType:
    """Run one file and return its module; ``DeclarationError`` with file and line if it fails."""
    name = f"declared.{path.parent.parent.name}.{path.parent.name}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DeclarationError(f"{_place(path, error)}: {_words(error)}") from error
    return module


def load(path: Path, name: str, kind: type[T]) -> T:
    """Return what a file declares under ``name``; ``DeclarationError`` when it is no ``kind``."""
    found = getattr(load_module(path), name, None)
    if not isinstance(found, kind):
        raise DeclarationError(f"{path}: no {name} = {kind.__name__}(...) in this file")
    return found


class Named(Protocol):
    """A declaration that bears the name of its file."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class OfSystem(Named, Protocol):
    """One that also bears the name of its system, in a field ``system``."""

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return a copy with other fields."""
        ...


N = TypeVar("N", bound=Named)
D = TypeVar("D", bound=OfSystem)
Problems = Callable[[D], Iterable[str]]
"""What is wrong with a declaration; nothing when it is in order."""


def load_named(path: Path, what: str, kind: type[N]) -> N:
    """Return what a file declares under ``what``, which bears the file's name."""
    found = load(path, what, kind)
    if found.name != path.stem:
        raise DeclarationError(
            f"{path}: the {what.lower()} is named {found.name!r}, the file {path.stem!r}"
        )
    return found


def load_checked(path: Path, what: str, kind: type[D], problems: Problems[D]) -> D:
    """Return what a system declares in a file, if nothing is wrong, with the system's name."""
    found = load_named(path, what, kind)
    if wrong := list(problems(found)):
        raise DeclarationError(f"{path}: {'; '.join(wrong)}")
    return found.model_copy(update={"system": path.parent.parent.name})


def load_all(
    folder: str, what: str, kind: type[D], problems: Problems[D] = lambda _: ()
) -> dict[str, D]:
    """Return what all systems declare in their folders of this name, by name and in its order."""
    found: dict[str, D] = {}
    for file in sorted(files_of(folder), key=lambda f: f.stem):
        if file.stem in found:
            raise DeclarationError(f"{file}: a {what.lower()} named {file.stem!r} exists already")
        found[file.stem] = load_checked(file, what, kind, problems)
    return found


def _place(path: Path, error: Exception) -> str:
    """Return file and line where the file itself went wrong."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f"{path}:{line}" if line else str(path)


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{error.title} {'.'.join(map(str, fault['loc']))}: {fault['msg']}".replace(
                " : ", ": "
            ).replace("Value error, ", "")
            for fault in error.errors()
        )
    said = error.msg if isinstance(error, SyntaxError) else error
    return f"{type(error).__name__}: {said}"
