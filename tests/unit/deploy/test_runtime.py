"""Which runtime is chosen, and what it says when it cannot be."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy import runtime
from deploy.errors import DeployError
from deploy.paths import Layout
from deploy.runtime import choose_runtime

PORTS = {"kafka": 19092, "postgres": 15432}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for name in ("KAFKA", "DSN", "ADMIN_DSN", "ADMIN_PASSWORD_FILE", "RUNTIME"):
        monkeypatch.delenv(f"CITYOPS_{name}", raising=False)
    return Layout(tmp_path)


@pytest.mark.parametrize(("engine", "name"), [(True, "compose"), (False, "native")])
def test_an_engine_that_answers_means_compose(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, engine: bool, name: str
) -> None:
    monkeypatch.setattr(runtime, "compose_answers", lambda: engine)
    chosen = choose_runtime(layout, PORTS)
    assert chosen.name == name
    assert chosen.planned().kafka == "127.0.0.1:19092"
    assert conninfo_to_dict(chosen.planned().dsn)["port"] == "15432"


def test_addresses_of_the_environment_count_only_when_they_are_meant(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "compose_answers", lambda: True)
    monkeypatch.setenv("CITYOPS_KAFKA", "broker:9092")
    monkeypatch.setenv("CITYOPS_DSN", "postgresql://me@db/city")
    with pytest.raises(DeployError, match="CITYOPS_RUNTIME=external"):
        choose_runtime(layout, PORTS)
    monkeypatch.setenv("CITYOPS_RUNTIME", "external")
    chosen = choose_runtime(layout, PORTS)
    assert chosen.name == "external"
    assert chosen.prepare() == []
    assert chosen.planned().dsn == "postgresql://me@db/city"
    monkeypatch.setenv("CITYOPS_RUNTIME", "native")
    assert choose_runtime(layout, PORTS).name == "native"


def test_an_administrators_address_gives_a_role_and_database_of_our_own(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("a b=c/\n")
    monkeypatch.setenv("CITYOPS_RUNTIME", "external")
    monkeypatch.setenv("CITYOPS_KAFKA", "broker:9092")
    monkeypatch.setenv("CITYOPS_ADMIN_DSN", "postgresql://postgres@db:5433/postgres")
    monkeypatch.setenv("CITYOPS_ADMIN_PASSWORD_FILE", str(secret))
    found = choose_runtime(layout, PORTS).planned()
    admin, own = conninfo_to_dict(found.admin), conninfo_to_dict(found.dsn)
    assert (admin["user"], admin["password"]) == ("postgres", "a b=c/")
    assert (own["user"], own["dbname"], own["host"], own["port"]) == (
        *("cityops", "cityops", "db", "5433"),
    )
    assert own["password"] not in ("", admin["password"])
    assert choose_runtime(layout, PORTS).planned().dsn == found.dsn  # kept, not made anew


@pytest.mark.parametrize("wish", ["external", "podman"])
def test_a_wish_that_cannot_be_met_is_named(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    monkeypatch.setenv("CITYOPS_RUNTIME", wish)
    with pytest.raises(DeployError, match="CITYOPS_RUNTIME"):
        choose_runtime(layout, PORTS)
