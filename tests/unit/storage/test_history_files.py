"""A file of history that is wrong says in one line what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.errors import FatalError
from catalog.frames import readings_schema
from catalog.registry import stream
from storage.history.files import HistoryFile, find_files, stream_of
from tests.support.frames import noise_batch

Rows = list[tuple[str, float, float]]


def file_of(folder: Path, batches: list[Rows], name: str, *, extra: str = "") -> Path:
    schema = readings_schema(stream("noise")).with_metadata({"stream": name})
    if extra:
        schema = schema.append(pa.field(extra, pa.float64()))
    path = folder / "noise.arrows"
    with pa.ipc.new_stream(str(path), schema) as out:
        for rows in batches:
            out.write_batch(noise_batch(rows).replace_schema_metadata({"stream": name}))
    return path


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def cut(path: Path) -> Path:
    return written(path, path.read_bytes()[:-200])


LATE: list[Rows] = [[("n-1", 300, 50)], [("n-1", 0, 50)]]
WRONG: dict[str, tuple[Callable[[Path], Path], str]] = {
    "text": (lambda f: written(f / "a.arrows", b"sensor,leq"), "a.arrows: no Arrow IPC stream"),
    "unknown": (lambda f: file_of(f, [], "nose"), "stream 'nose' is not declared; known: air_qu"),
    "unnamed": (lambda f: file_of(f, [], ""), "its schema metadata names no stream"),
    "metric": (lambda f: file_of(f, [], "noise", extra="pm3"), "noise has no metric 'pm3'"),
    "order": (lambda f: file_of(f, LATE, "noise"), "between readings 2 and 2: sort the file by"),
    "cut": (lambda f: cut(file_of(f, [LATE[0]], "noise")), "breaks off after reading 0"),
    "empty": (lambda f: f, "the folder holds no .arrows file; see simulators backfill"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, kind: str) -> None:
    make, words = WRONG[kind]
    path = make(tmp_path)
    with pytest.raises(FatalError) as told:
        for found in find_files([path]):
            list(HistoryFile(found, stream_of(found)).spans())
    assert words in str(told.value)
