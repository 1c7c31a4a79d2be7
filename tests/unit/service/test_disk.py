"""A disk is low below 2 GiB, a small one below a tenth; each is named once."""

from pathlib import Path

import pytest

from service.disk import GIB, Disk, disks, from_setting


@pytest.mark.parametrize(
    ("total_gib", "free_gib", "low"),
    [(252, 2.1, False), (252, 1.9, True), (1, 0.11, False), (1, 0.09, True), (1, 0, True)],
)
def test_when_a_disk_is_low(total_gib: float, free_gib: float, low: bool) -> None:
    assert Disk(Path("/"), int(total_gib * GIB), int(free_gib * GIB)).low is low


def test_folders_of_one_disk_are_one_and_one_to_be_made_counts(tmp_path: Path) -> None:
    (found,) = disks([tmp_path, tmp_path / "to" / "be" / "made"])
    assert found.path == tmp_path
    assert 0 < found.free <= found.total
    assert found.words().endswith(f"GiB free at {tmp_path}")


def test_the_setting_names_them_like_path() -> None:
    assert from_setting("") == []
    assert [str(disk.path) for disk in from_setting("/:/")] == ["/"]
