"""Find the declared records: ``systems/<system>/records/*.py``, one ``RECORD`` each."""

from functools import cache
from pathlib import Path

from catalog.declared import DeclarationError, files_of, load
from catalog.lifecycle.checks import problems
from catalog.lifecycle.record import Record


@cache
def records() -> dict[str, Record]:
    """Return all declared records by name; read once per process."""
    found: dict[str, Record] = {}
    for file in sorted(files_of("records"), key=lambda f: f.stem):
        if file.stem in found:
            raise DeclarationError(f"{file}: a record named {file.stem!r} exists already")
        found[file.stem] = load_record(file)
    return found


def load_record(path: Path) -> Record:
    """Load the declaration in one file; ``DeclarationError`` says what is wrong with it."""
    record = load(path, "RECORD", Record)
    if record.name != path.stem:
        raise DeclarationError(
            f"{path}: the record is named {record.name!r}, the file {path.stem!r}"
        )
    if found := problems(record):
        raise DeclarationError(f"{path}: {'; '.join(found)}")
    return record.model_copy(update={"system": path.parent.parent.name})
