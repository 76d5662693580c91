"""What the service can be told, all of it by environment variables of the same names in capitals."""

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from api.errors import SettingsError

Seconds = Annotated[int, Meta(ge=1, le=3600)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the model lies and how to serve it."""

    model_path: Annotated[str, Meta(min_length=1)]
    """Key prefix of the model directory in the bucket, or a local directory where no bucket is named."""
    model_bucket: str = ""
    """S3 bucket that training publishes to; empty: `model_path` is a local directory."""
    allow_unverified: bool | None = None
    """Whether a model without a manifest may serve; unset: only from a local directory that is no store's."""
    model_sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    """Digest of the model's manifest: no other model is served, whatever the path holds by now."""
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Port of the Prometheus metrics, one that no load balancer exposes; 0: no metrics."""
    api_keys: str = ""
    """Keys that may predict, separated by commas or white space; empty: everybody may."""
    docs: bool = True
    """Whether `/docs`, the OpenAPI document, the page at `/` and, in `/model`, live figures are served."""
    keep_alive_seconds: Seconds = 75
    """How long an idle connection is kept: longer than the load balancer's idle timeout, or clients meet 502s."""
    shutdown_seconds: Seconds = 20
    """How long SIGTERM waits for requests: shorter than the container's stop timeout."""
    start_seconds: Seconds = 60
    """How long the model may take to arrive and load before the process gives up."""
    max_waiting: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    """Rows waiting for their prediction above which requests are answered 503 at once."""
    log_format: Annotated[str, Meta(pattern="^(auto|json|text)$")] = "auto"
    """Of the lines on standard output: `json`, `text`, or `auto`: text on a terminal, JSON elsewhere."""
    log_requests: Annotated[str, Meta(pattern="^(all|errors)$")] = "all"
    """Which requests have a line each: `all`, or `errors`: 4xx, 5xx, slow ones and one in a hundred of the others."""
    model_metrics: Annotated[str, Meta(pattern="^(none|model|features)$")] = "none"
    """What is written once a minute in CloudWatch's embedded metric format: `none`, the `model`, `features` too."""
    model_metrics_features: Annotated[int, Meta(ge=0, le=1000)] = 20
    """How many features have metrics of their own, the first ones; each has up to three, at 0.30 USD a month."""
    service_name: Annotated[str, Meta(max_length=255)] = ""
    """Value of these metrics' dimension `Service`; empty: the model's name."""
    capture_percent: Annotated[float, Meta(ge=0, le=100)] = 0
    """Share of the prediction requests whose rows and answers are sent to the relay: they may be people's data."""
    capture_port: Annotated[int, Meta(ge=1, le=65535)] = 9001
    """Port on 127.0.0.1 where `python -m api.relay` listens for them."""
    trusted_proxies: Annotated[int, Meta(ge=0, le=10)] = 0
    """Proxies in front that append to X-Forwarded-For; 0: the header is not believed."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The API keys, one by one."""
        return tuple(key.encode() for key in re.split(r"[\s,]+", self.api_keys) if key)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one or more variables are wrong or missing; the message names each with its value and its rule.
    """
    values: dict[str, Any] = {}
    faults = []
    for field in msgspec.structs.fields(Settings):
        name = field.name.upper()
        text = environment.get(name)
        if text is None or (text == "" and not field.required):
            if field.required:
                faults.append(f"{name} is missing: set it to the model directory, such as mlflow/models/…/latest")
            continue
        try:
            # Whatever the locale's encoding is, and has made of it.
            text = os.fsencode(text).decode()
            values[field.name] = msgspec.convert(text.strip(), field.type, strict=False)
        except UnicodeError:
            faults.append(f"{name}: holds bytes that are not UTF-8")
        except msgspec.ValidationError as error:
            shown = "(not shown)" if field.name == "api_keys" else repr(text)
            faults.append(f"{name}={shown}: {error}")
    if faults:
        raise SettingsError("wrong settings in the environment: " + "; ".join(faults))
    settings = Settings(**values)
    if environment.get("API_KEYS") and not settings.keys:
        raise SettingsError("API_KEYS holds no key, only separators: set keys, or leave it empty to let everybody call")
    if settings.metrics_port and settings.metrics_port == settings.port:
        raise SettingsError(f"METRICS_PORT={settings.metrics_port} is also PORT: give the metrics a port of their own")
    if settings.capture_percent and settings.capture_port in (settings.port, settings.metrics_port):
        raise SettingsError(
            f"CAPTURE_PORT={settings.capture_port} is also PORT or METRICS_PORT: it is where the relay listens"
        )
    return settings
