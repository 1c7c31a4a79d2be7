"""What is missing is named at once; what is installed and not found is named as that."""

import os
import re
import shutil
from pathlib import Path

import pytest

from deploy.errors import DeployError, MissingPackagesError
from deploy.native import packages
from deploy.paths import ROOT


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who may not install packages."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("user")
def test_all_that_is_missing_is_in_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.PROGRAMS, "no-such-program", "no-such-package")
    with pytest.raises(MissingPackagesError, match="apt-get install -y no-such-package other-one"):
        packages.ensure(["no-such-program"], ["other-one", "no-such-package"])


@pytest.mark.usefixtures("user")
def test_a_program_that_is_installed_and_not_on_the_path_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = shutil.which("dpkg-query")
    assert asked
    (tmp_path / "dpkg-query").symlink_to(asked)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(packages.PROGRAMS, "perl", "perl-base")
    with pytest.raises(DeployError, match=f"perl is not on the PATH: {tmp_path}"):
        packages.ensure(["perl"])


def test_the_browser_has_what_its_driver_is_linked_with() -> None:
    assert "libatomic1" in packages.BROWSER
    assert set(packages.BROWSER) <= set(packages.TEST_EXTRAS)


def test_every_package_that_a_test_asks_for_is_set_up_before_the_first_test() -> None:
    """`make test` names them at once; an ordinary user is not told one after the other."""
    known = {*packages.TEST_EXTRAS, *(packages.PROGRAMS[n] for n in packages.TEST_PROGRAMS)}
    asked: set[str] = set()
    for file in (ROOT / "tests").rglob("*.py"):
        for given in re.findall(r"packages\.ensure\w*\(([^)]*)\)", file.read_text()):
            asked |= {n for n in re.findall(r'"([a-z0-9-]+)"', given) if "no-such" not in n}
    assert {packages.PROGRAMS.get(name, name) for name in asked - {"other-one", "perl"}} <= known
