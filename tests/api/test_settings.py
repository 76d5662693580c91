"""The environment that the service is started with."""

import os
import re
from typing import Any

import msgspec
import pytest

from api.errors import SettingsError
from api.settings import Settings, from_environment
from tests.running import ROOT, Serve, Service


def test_every_setting_is_read() -> None:
    """Each variable sets its field."""
    text = {
        "model_path": "mlflow/models/california-housing/latest",
        "model_bucket": "models",
        "model_sha256": "0" * 64,
        "host": "0.0.0.0",
        "port": "80",
        "metrics_port": "90",
        "api_keys": "one,two",
        "allow_unverified": "true",
        "docs": "false",
        "keep_alive_seconds": "7",
        "shutdown_seconds": "8",
        "start_seconds": "9",
        "max_waiting": "10",
        "log_format": "text",
        "log_requests": "errors",
        "model_metrics": "features",
        "model_metrics_features": "5",
        "service_name": "houses",
        "capture_percent": "2.5",
        "capture_port": "9002",
        "trusted_proxies": "1",
    }
    assert set(text) == set(Settings.__struct_fields__)
    settings = from_environment({name.upper(): value for name, value in text.items()})
    assert {name: str(getattr(settings, name)).lower() for name in text} == text


def test_only_the_model_is_required() -> None:
    """Everything else has a default, which an empty variable leaves as it is."""
    names = [name.upper() for name in Settings.__struct_fields__]
    empty = dict.fromkeys(names, "") | {"MODEL_PATH": "here"}
    assert from_environment(empty) == from_environment({"MODEL_PATH": "here"}) == Settings(model_path="here")


@pytest.mark.parametrize(
    ("text", "keys"),
    [("", ()), ("a", (b"a",)), ("a,b", (b"a", b"b")), (" a ,\n b \r\n", (b"a", b"b")), ("a\tb", (b"a", b"b"))],
)
def test_keys_are_split(text: str, keys: tuple[bytes, ...]) -> None:
    """Keys are separated by commas, spaces or lines, as a secret happens to be written."""
    assert from_environment({"MODEL_PATH": "x", "API_KEYS": text}).keys == keys


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_SHA256", "abc"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("HOST", " "),
        ("METRICS_PORT", "8000"),
        ("DOCS", "maybe"),
        ("KEEP_ALIVE_SECONDS", "0"),
        ("START_SECONDS", "-1"),
        ("START_SECONDS", "1.5"),
        ("MAX_WAITING", "0"),
        ("TRUSTED_PROXIES", "all"),
        ("LOG_FORMAT", "xml"),
        ("ALLOW_UNVERIFIED", "perhaps"),
        ("API_KEYS", " ,\n"),
        ("LOG_REQUESTS", "some"),
        ("MODEL_METRICS", "true"),
        ("MODEL_METRICS_FEATURES", "-1"),
        ("CAPTURE_PERCENT", "101"),
        ("CAPTURE_PERCENT", "nan"),
        ("CAPTURE_PORT", "0"),
    ],
)
def test_names_the_wrong_variable(name: str, value: str) -> None:
    """A value that cannot be is refused by its variable's name."""
    with pytest.raises(SettingsError, match=name):
        from_environment({"MODEL_PATH": "x", name: value})


@pytest.mark.parametrize("name", ["PORT", "METRICS_PORT"])
def test_service_is_not_its_own_relay(name: str) -> None:
    """Captured rows go to another process: its port cannot be one of the service's own, if rows are captured at all."""
    environment = {"MODEL_PATH": "x", name: "9001"}
    assert from_environment(environment).capture_port == 9001
    with pytest.raises(SettingsError, match="CAPTURE_PORT=9001"):
        from_environment(environment | {"CAPTURE_PERCENT": "1"})


def test_lists_all_that_is_wrong_and_no_secret() -> None:
    """One message names every wrong variable, and never shows a key."""
    with pytest.raises(SettingsError) as caught:
        from_environment({"PORT": "high", "DOCS": "yes and no", "API_KEYS": "secret-key"})
    assert all(name in str(caught.value) for name in ("MODEL_PATH", "PORT='high'", "DOCS="))
    assert "secret-key" not in str(caught.value)


def last_line(service: Service) -> dict[str, Any]:
    """The last thing that an ended service has said."""
    assert service.process.wait(60) == 1
    return service.lines()[-1]


def test_wrong_settings_end_the_start(serve: Serve) -> None:
    """The process says what is wrong in one line of its log and exits with 1."""
    line = last_line(serve(MODEL_PATH="", DOCS="maybe"))
    assert line["level"] == "CRITICAL"
    assert "MODEL_PATH" in line["message"]
    assert "DOCS" in line["message"]


def test_bytes_that_are_no_text_are_refused() -> None:
    """A variable that is not UTF-8 is named, not shown."""
    with pytest.raises(SettingsError, match="MODEL_PATH: holds bytes that are not UTF-8"):
        from_environment({"MODEL_PATH": os.fsdecode(b"/models/\xff")})


def test_every_setting_is_documented() -> None:
    """The table in docs/service.md has each variable with its default, and no other."""
    table = re.findall(r"^\| `([A-Z_0-9]+)` \| (\S+) \|", (ROOT / "docs" / "service.md").read_text(), re.MULTILINE)
    documented = {name: default.strip("`*") for name, default in table}
    expected = {}
    for field in msgspec.structs.fields(Settings):
        default = "required" if field.required else str(field.default)
        expected[field.name.upper()] = {"": "none", "True": "true", "None": "local"}.get(default, default)
    assert documented == expected
