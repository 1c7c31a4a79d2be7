"""The receivers file: what an installation declares, registered anew at each start."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from alerts.delivery.receivers import Receiver
from catalog.errors import FatalError


class ReceiversFile(BaseModel):
    """``[[receivers]]`` tables of a TOML file."""

    model_config = ConfigDict(extra="forbid")

    receivers: list[Receiver] = []


def read_file(path: Path) -> list[Receiver]:
    """Return the receivers of a TOML file; ``FatalError`` that says what is wrong with it."""
    try:
        return ReceiversFile.model_validate(tomllib.loads(path.read_text())).receivers
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise FatalError(f"{path.name}: {error}", code="receivers", stage="delivering") from error
