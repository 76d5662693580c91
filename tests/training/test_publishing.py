"""From the registry to a store: whole, proven, and never changed afterwards."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import boto3
import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost

from api.store.manifest import LATEST, MANIFEST_NAME, PREDICTIONS, Manifest, decode
from tests.buckets import create_bucket
from tests.california import FEATURES, MODEL_NAME, MODELS_PREFIX, SCHEMA, TABLE
from tests.training.conftest import Home
from training.errors import RegistryError, StoreError
from training.publishing import publication, releases, tracking
from training.publishing.local_store import LocalStore
from training.publishing.s3_store import S3Store
from training.publishing.stores import Store, open_store


@pytest.fixture
def bucket(moto_url: str, request: pytest.FixtureRequest) -> str:
    """An empty bucket for one test."""
    return create_bucket("models-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12])


@pytest.fixture(params=["directory", "bucket"])
def store(request: pytest.FixtureRequest, home: Home) -> Store:
    """An empty store of either kind."""
    return open_store(
        "models" if request.param == "directory" else f"s3://{request.getfixturevalue('bucket')}", MODEL_NAME
    )


@pytest.fixture(scope="session")
def published(first_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published directory of version 1; not to be changed."""
    place = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{first_home.path}/mlflow.db")
        with tracking.connected():
            publication.publish(MODEL_NAME, "1", LocalStore(place, MODEL_NAME))
    return place / MODELS_PREFIX / "1"


@pytest.fixture
def second(published: Path, tmp_path: Path) -> Path:
    """A complete model directory that says it is version 2."""
    folder = tmp_path / "second"
    shutil.copytree(published, folder)
    manifest = (folder / MANIFEST_NAME).read_text().replace('"model_version": "1"', '"model_version": "2"')
    (folder / MANIFEST_NAME).write_text(manifest)
    return folder


def test_manifest_describes_every_file(published: Path, home: Home) -> None:
    """The manifest lists every other file with its digest and size, and carries the run's facts."""
    manifest = decode((published / MANIFEST_NAME).read_bytes())
    on_disk = {path.name: path.read_bytes() for path in published.iterdir() if path.name != MANIFEST_NAME}
    assert {name: (file.sha256, file.size) for name, file in manifest.files.items()} == {
        name: (hashlib.sha256(content).hexdigest(), len(content)) for name, content in on_disk.items()
    }
    facts = home.trained.facts
    assert manifest.schema == SCHEMA
    assert manifest.metrics == facts.metrics
    assert manifest.ranges == facts.ranges
    assert manifest.interval == facts.interval is not None
    assert set(manifest.distribution) == {*FEATURES, PREDICTIONS}
    assert manifest.table_sha256 == facts.table_sha256
    assert (manifest.model_version, manifest.run_id) == ("1", facts.run_id)


def test_directory_is_what_mlflow_wrote(published: Path) -> None:
    """The directory has everything that MLflow's clients look for, and the card."""
    names = {path.name for path in published.iterdir()}
    assert names >= {"MLmodel", "model.ubj", "requirements.txt", "conda.yaml", "python_env.yaml"}
    assert names >= {"input_example.json", "registered_model_meta", "MODEL_CARD.md"}


def test_known_answers_are_xgboosts(published: Path) -> None:
    """XGBoost alone, from the published file, reproduces the known answers to the bit."""
    manifest = decode((published / MANIFEST_NAME).read_bytes())
    booster = xgboost.Booster(model_file=published / "model.ubj")
    assert booster.feature_names == list(FEATURES)
    predicted = booster.inplace_predict(np.array(manifest.known_answers.rows, np.float32))
    assert [[value] for value in predicted.tolist()] == manifest.known_answers.predictions
    assert len({value for [value] in manifest.known_answers.predictions}) == 10


def test_mlflow_loads_it(published: Path) -> None:
    """A user of MLflow loads the published directory and gets the same numbers."""
    manifest = decode((published / MANIFEST_NAME).read_bytes())
    rows = pd.DataFrame(manifest.known_answers.rows, columns=list(FEATURES))
    predicted = mlflow.pyfunc.load_model(str(published)).predict(rows)
    assert [[value] for value in predicted.tolist()] == manifest.known_answers.predictions


def test_card_tells_the_figures(published: Path, home: Home) -> None:
    """The model card has the cleaning rules with their counts, the errors, the interval and the limits."""
    card = (published / "MODEL_CARD.md").read_text()
    metrics = home.trained.facts.metrics
    for rule in TABLE.cleaning:
        assert f"| `{rule.name}` | `{rule.drop}` | {home.trained.facts.removed[rule.name]} |" in card
    for key in ("test_rmse", "plain_test_rmse", "constant_test_mae", "cv_score", "groups_cv_rmse"):
        assert f"{metrics[key]:.4f}" in card
    assert f"{metrics['interval_coverage']:.1%} of the held-out rows" in card
    assert "Not meant for" in card


def test_publish_and_promote(store: Store, published: Path) -> None:
    """Publishing leaves `latest` alone; promoting makes its manifest the version's, byte for byte."""
    with tracking.connected():
        publication.publish(MODEL_NAME, "1", store)
    assert store.manifest("1") == (published / MANIFEST_NAME).read_bytes()
    assert store.manifest(LATEST) is None
    releases.promote("1", store)
    assert store.manifest(LATEST) == store.manifest("1")


def test_publishing_again(store: Store, second: Path, home: Home) -> None:
    """The same version again is fine when it is identical, and refused when it is not."""
    with tracking.connected():
        first = publication.publish(MODEL_NAME, "1", store)
        assert publication.publish(MODEL_NAME, "1", store) == first
    other = open_store("other", MODEL_NAME)
    assert isinstance(other, LocalStore)
    other.add("1", second)
    with tracking.connected(), pytest.raises(StoreError, match="another model as version 1"):
        publication.publish(MODEL_NAME, "1", other)
    assert other.manifest("1") == (second / MANIFEST_NAME).read_bytes()


def test_forward_and_back(store: Store, published: Path, second: Path) -> None:
    """`latest` moves to a newer version and back, and the list tells which versions there are."""
    store.add("1", published)
    store.add("2", second)
    for version in ("1", "2", "1"):
        releases.promote(version, store)
        assert live(store).model_version == version
    assert [found.model_version for found in releases.published(store)] == ["1", "2"]


def test_unpublished_version(store: Store, published: Path) -> None:
    """Promoting what is not there names what is, and changes nothing."""
    store.add("1", published)
    releases.promote("1", store)
    with pytest.raises(StoreError, match="Version 7 is not published there; published are: 1"):
        releases.promote("7", store)
    assert live(store).model_version == "1"


def test_unregistered_version(store: Store) -> None:
    """Publishing a version that MLflow does not have names it."""
    with tracking.connected(), pytest.raises(RegistryError, match="Version 7 of california-housing"):
        publication.publish(MODEL_NAME, "7", store)
    assert store.versions() == []


def test_full_disk_leaves_no_trace(home: Home, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local publish that breaks off leaves neither a version nor a temporary directory."""
    store = LocalStore(Path("models"), MODEL_NAME)

    def full(source: Path, target: Path) -> None:
        Path(target).mkdir()
        (Path(target) / "MLmodel").write_bytes((Path(source) / "MLmodel").read_bytes())
        raise OSError(28, "No space left on device")

    store.folder.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copytree", full)
        with pytest.raises(OSError, match="No space left"):
            store.add("1", published)
    assert list(store.folder.iterdir()) == []


def test_killed_publish_can_be_repeated(home: Home, published: Path) -> None:
    """What a killed local publish left behind is not a version, and does not stop the next one."""
    store = LocalStore(Path("models"), MODEL_NAME)
    shutil.copytree(published, store.folder / ".1.partial")
    assert store.versions() == []
    store.add("1", published)
    assert [path.name for path in store.folder.iterdir()] == ["1"]


def test_interrupted_upload(bucket: str, published: Path, second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that breaks off leaves `latest` whole and no manifest; publishing again completes it."""
    store = S3Store(bucket, "", MODEL_NAME)
    store.add("1", published)
    releases.promote("1", store)

    put = store.client.put_object

    def break_off(**arguments: Any) -> None:
        if arguments["Key"].endswith(MANIFEST_NAME):
            raise KeyboardInterrupt
        put(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store.client, "put_object", break_off)
        with pytest.raises(KeyboardInterrupt):
            store.add("2", second)
    assert store.versions() == ["1", "2"]
    assert [found.model_version for found in releases.published(store)] == ["1"]
    assert live(store).model_version == "1"
    store.add("2", second)
    assert [found.model_version for found in releases.published(store)] == ["1", "2"]


def test_interrupted_promotion(bucket: str, published: Path, second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A promotion that breaks off keeps the old manifest in `latest`; repeating it, either way, makes it whole."""
    store = S3Store(bucket, "", MODEL_NAME)
    store.add("1", published)
    store.add("2", second)
    releases.promote("1", store)
    copy = store.client.copy_object

    def break_off(**arguments: Any) -> None:
        if arguments["Key"].endswith(MANIFEST_NAME):
            raise KeyboardInterrupt
        copy(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store.client, "copy_object", break_off)
        with pytest.raises(KeyboardInterrupt):
            releases.promote("2", store)
    assert live(store).model_version == "1"
    releases.promote("1", store)
    objects = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{MODELS_PREFIX}/{LATEST}/")["Contents"]
    assert {Path(found["Key"]).name for found in objects} == {path.name for path in published.iterdir()}


def test_two_publishers(bucket: str, published: Path, second: Path) -> None:
    """Of two who upload the same version at once, the second is told and the first one's manifest stays."""
    store = S3Store(bucket, "", MODEL_NAME)
    store.add("1", published)
    with pytest.raises(StoreError, match="at the same time"):
        store.add("1", second)
    assert store.manifest("1") == (published / MANIFEST_NAME).read_bytes()


def test_damaged_manifest(home: Home, published: Path) -> None:
    """A manifest that cannot be read is named."""
    store = LocalStore(Path("models"), MODEL_NAME)
    store.add("1", published)
    (store.folder / "1" / MANIFEST_NAME).write_text("{")
    with pytest.raises(StoreError, match="The manifest of 1 is damaged"):
        releases.published(store)


@pytest.mark.parametrize(
    "location",
    [
        *("", "models:old", "s3://", "s3:/bucket", "s3:bucket", "S3://bucket", "gs://bucket", "file:///models"),
        *("s3:///inside", "s3://bucket//inside", "s3://bucket/../inside"),
    ],
)
def test_bad_location(location: str) -> None:
    """What is neither a bucket nor a plain path is refused, with what a store may be."""
    with pytest.raises(StoreError, match=r"give s3://BUCKET, s3://BUCKET/PREFIX or the path of a directory"):
        open_store(location, MODEL_NAME)


@pytest.mark.parametrize("location", [f"s3://bucket/{MODELS_PREFIX}/", f"models/{MODELS_PREFIX}/1"])
def test_location_inside_a_store(location: str) -> None:
    """The path of a model instead of the store's is told from a store."""
    with pytest.raises(StoreError, match="give what stands before mlflow/models"):
        open_store(location, MODEL_NAME)


def live(store: Store) -> Manifest:
    """The manifest of `latest`."""
    found = releases.read(store, LATEST)
    assert found
    return found
