"""A small system for tests, as one outside the tree: ``works`` with its record ``repair``."""

import shutil
from pathlib import Path

from catalog.declared import load_checked
from catalog.lifecycle.checks import problems
from catalog.lifecycle.record import Record

FOLDER = Path(__file__).parent / "works"
SOURCE = (FOLDER / "records" / "repair.py").read_text(encoding="utf-8")


def write_system(folder: Path) -> Path:
    """Copy the system into a folder; return the system's own folder there."""
    return shutil.copytree(FOLDER, folder / "works")


def load_record(path: Path) -> Record:
    """Return the record that a file declares; ``DeclarationError`` says what is wrong with it."""
    return load_checked(path, "RECORD", Record, problems)


def load_repair() -> Record:
    """Return the record as the system's file declares it."""
    return load_record(FOLDER / "records" / "repair.py")
