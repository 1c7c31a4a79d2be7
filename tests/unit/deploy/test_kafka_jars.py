"""Kafka's jars are used only when each is, byte for byte, the one that the repository names."""

from hashlib import sha256
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.native import kafka


@pytest.fixture
def fetched(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with two files, and the list that names them."""
    folder, names = tmp_path / "jars", tmp_path / "list.sha256"
    folder.mkdir()
    for name in ("a.jar", "b.jar"):
        (folder / name).write_text(name)
    names.write_text(
        "".join(f"{sha256(n.encode()).hexdigest()}  {n}\n" for n in ("a.jar", "b.jar"))
    )
    return folder, names


def test_what_is_named_is_taken(fetched: tuple[Path, Path]) -> None:
    kafka.check(*fetched)


@pytest.mark.parametrize(
    ("name", "content"), [("a.jar", "other"), ("a.jar", None), ("c.jar", "new")]
)
def test_one_that_is_changed_missing_or_too_many_is_named(
    fetched: tuple[Path, Path], name: str, content: str | None
) -> None:
    if content is None:
        (fetched[0] / name).unlink()
    else:
        (fetched[0] / name).write_text(content)
    with pytest.raises(DeployError, match=name):
        kafka.check(*fetched)


def test_the_list_is_of_the_version_that_is_fetched() -> None:
    names = {line.split()[1] for line in kafka.CHECKSUMS.read_text().splitlines()}
    assert {f"kafka_2.13-{kafka.VERSION}.jar", f"kafka-clients-{kafka.VERSION}.jar"} <= names
