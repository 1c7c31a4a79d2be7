"""Compare JSON values with a model written down as data: names, types, what must be there."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Model = Mapping[str, Mapping[str, str]]
PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "number": (int, float),
    "bool": (bool,),
}


@cache
def model(name: str) -> Model:
    """Return the model in ``name.yaml`` beside this file."""
    return yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text())


def strange(item: Any, kind: str, known: Model, path: str = "") -> Iterator[str]:
    """Yield what in ``item`` is not as class or type ``kind`` of the model says, with its path."""
    kind = kind.rstrip("?!")
    if kind == "any":
        return
    if kind[0] == "[":
        yield from _list(item, kind[1:-1], known, path)
    elif kind[0] == "{":
        yield from _free(item, kind[1:-1], known, path)
    elif kind in known:
        yield from _fields(item, known[kind], known, path)
    elif not _plain(item, kind):
        yield f"{path.lstrip('.')} is {item!r}, not {kind}"


def _list(item: Any, kind: str, known: Model, path: str) -> Iterator[str]:
    if not isinstance(item, list):
        yield f"{path.lstrip('.')} is {item!r}, not a list"
        return
    for n, one in enumerate(item):
        yield from strange(one, kind, known, f"{path}[{n}]")


def _free(item: Any, kind: str, known: Model, path: str) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"{path.lstrip('.')} is {item!r}, not an object"
        return
    for name, one in item.items():
        yield from strange(one, kind, known, f"{path}.{name}")


def _fields(item: Any, fields: Mapping[str, str], known: Model, path: str) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"{path.lstrip('.')} is {item!r}, not an object"
        return
    for name in item.keys() - fields.keys():
        yield f"{f'{path}.{name}'.lstrip('.')} is not known"
    for name, kind in fields.items():
        if name not in item:
            if "!" in kind:
                yield f"{f'{path}.{name}'.lstrip('.')} is missing"
        elif item[name] is not None or "?" not in kind:
            yield from strange(item[name], kind, known, f"{path}.{name}")


def _plain(item: Any, kind: str) -> bool:
    if kind in PLAIN:
        return isinstance(item, PLAIN[kind]) and (kind == "bool" or not isinstance(item, bool))
    return item in kind.split("|")
