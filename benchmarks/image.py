"""`make image-report`: what the image adds to its base, how soon it is ready, and how much memory it takes."""

import http.client
import json
import sys
import time

import click

from api.manifest import MODELS_PREFIX
from api.schemas import EXAMPLE
from tests.container import engine

PORT = 8766
REQUESTS = 3_000
PACKAGES = "import pathlib, json; print(json.dumps({p.name: sum(f.stat().st_size for f in p.rglob('*') if f.is_file()) \
for p in pathlib.Path('/opt/venv/lib').glob('python3*/site-packages/*') if p.is_dir()}))"


@click.command()
@click.argument("image")
@click.argument("base")
@click.argument("store", type=click.Path(exists=True))
def main(*, image: str, base: str, store: str) -> None:
    """Report on IMAGE, built on BASE, serving the latest model of the directory STORE."""
    if not engine.answers():
        raise click.ClickException(engine.NO_ENGINE)
    ours, theirs = (json.loads(engine.docker("inspect", tag))[0]["Size"] for tag in (image, base))
    click.echo(
        f"{image}: {ours / 1e6:.0f} MB, of which {base} {theirs / 1e6:.0f} MB and ours {(ours - theirs) / 1e6:.0f}"
    )
    listing = engine.docker("run", "--rm", "--network", "none", image, "python", "-c", PACKAGES)
    sizes: dict[str, int] = json.loads(listing)
    for name in sorted(sizes, key=lambda name: -sizes[name])[:10]:
        click.echo(f"  {sizes[name] / 1e6:6.1f} MB  {name}")
    model = f"{store}/{MODELS_PREFIX}"
    flags = ["--network", "host", "--read-only", "--tmpfs", "/tmp", "--cpus", "1", "--memory", "512m"]
    flags += ["--volume", f"{model}:/models:ro", "--env", "MODEL_PATH=/models/latest", "--env", f"PORT={PORT}"]
    started = time.monotonic()
    with engine.running(image, *flags) as container:
        _ready()
        click.echo(f"first 200 on /ready {time.monotonic() - started:.2f} s after `docker run`, on one core")
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        for _ in range(REQUESTS):
            connection.request("POST", "/predict", json.dumps(EXAMPLE), {"Content-Type": "application/json"})
            connection.getresponse().read()
        connection.close()
        click.echo(f"memory after {REQUESTS:,} predictions: {container.memory_mib():.0f} MiB")


def _ready() -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise click.ClickException("the service did not become ready")


if __name__ == "__main__":
    sys.exit(main())
