"""Settings come from the environment; secrets stay out of sight."""

from pathlib import Path

import pytest

from service.settings import Settings


def test_environment_overrides_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYOPS_KAFKA", "127.0.0.1:19092")
    monkeypatch.setenv("CITYOPS_TOPIC_PREFIX", "t1")
    settings = Settings()
    assert settings.kafka == "127.0.0.1:19092"
    assert settings.topic_prefix == "t1"


def test_the_key_comes_from_variable_or_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("ck_from_file\n")
    monkeypatch.setenv("CITYOPS_API_KEY_FILE", str(file))
    assert Settings().key() == "ck_from_file"
    monkeypatch.setenv("CITYOPS_API_KEY", "ck_from_env")
    assert Settings().key() == "ck_from_env"


def test_no_key_is_an_empty_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CITYOPS_API_KEY", raising=False)
    monkeypatch.delenv("CITYOPS_API_KEY_FILE", raising=False)
    assert Settings().key() == ""


def test_secrets_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYOPS_DSN", "postgresql://u:planted@127.0.0.1/x")
    monkeypatch.setenv("CITYOPS_API_KEY", "ck_planted")
    shown = repr(Settings()) + str(Settings())
    assert "planted" not in shown
    assert Settings().database().endswith("planted@127.0.0.1/x")
