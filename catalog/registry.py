"""Find the declared streams. A stream file is a module with one name, ``STREAM``.

Besides ``catalog/streams/`` the folders named in ``CITYOPS_STREAMS_PATH`` (separated like ``PATH``)
are searched, so that a site keeps its own streams outside this tree.
"""

import importlib.util
import os
import sys
import traceback
from functools import cache
from pathlib import Path
from types import ModuleType

from pydantic import ValidationError

from catalog.model import AnyRule, Stream
from catalog.platform import PLATFORM
from catalog.platform import RULES as PLATFORM_RULES


class DeclarationError(ValueError):
    """A stream file that cannot be read: where it is wrong, and what to write instead."""


STREAMS_FOLDER = Path(__file__).parent / "streams"


def stream_folders() -> tuple[Path, ...]:
    """Return the folders that are searched for stream files, ours first."""
    extra = os.environ.get("CITYOPS_STREAMS_PATH", "")
    return (STREAMS_FOLDER, *(Path(p) for p in extra.split(os.pathsep) if p))


def load_stream(path: Path) -> Stream:
    """Load the declaration in one file; ``DeclarationError`` when it holds none of that name."""
    stream = getattr(_load_module(path), "STREAM", None)
    if not isinstance(stream, Stream):
        raise DeclarationError(f"{path}: no STREAM = Stream(...) in this file")
    if stream.name != path.stem:
        raise DeclarationError(
            f"{path}: the stream is named {stream.name!r}, the file {path.stem!r}"
        )
    if stream.name == PLATFORM:
        raise DeclarationError(f"{path}: {PLATFORM!r} is the name of the platform's own rules")
    return stream


@cache
def streams() -> dict[str, Stream]:
    """Return all declared streams by name, in name order; read once per process."""
    files = [f for folder in stream_folders() for f in folder.glob("[a-z]*.py")]
    found: dict[str, Stream] = {}
    for file in sorted(files, key=lambda f: f.stem):
        if file.stem in found:
            raise DeclarationError(f"{file}: a stream named {file.stem!r} exists already")
        found[file.stem] = load_stream(file)
    return found


def stream(name: str) -> Stream:
    """Return one stream; KeyError naming the known ones otherwise."""
    try:
        return streams()[name]
    except KeyError:
        raise KeyError(f"no stream {name!r}; known: {', '.join(streams())}") from None


def spokesman() -> str:
    """Return the stream whose first shard speaks for the whole platform: the first by name."""
    return min(streams())


def find_rule(rule_id: str) -> AnyRule | None:
    """Return the declaration of a rule by its platform-wide id; None for one from elsewhere."""
    return _rules().get(rule_id)


@cache
def _rules() -> dict[str, AnyRule]:
    ours = {s.rule_id(rule): rule for s in streams().values() for rule in s.rules}
    return {**PLATFORM_RULES, **ours}


def _load_module(path: Path) -> ModuleType:
    name = f"catalog.streams.{path.stem}"
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
