"""Stores while more than one publishes or promotes, and when one of them is killed: what is published stays whole."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Lock, Thread
from typing import Any

import msgspec
import pytest

from api.store.directory import LocalDirectory
from api.store.fetch import fetch
from api.store.manifest import LATEST, MANIFEST_NAME, FileDigest, Manifest, decode, encode
from api.store.mlmodel import MLMODEL
from api.store.s3 import S3Prefix
from tests.buckets import create_bucket
from tests.california import MODEL_NAME, MODELS_PREFIX
from tests.running import ROOT
from training.errors import StoreError
from training.publishing import releases
from training.publishing.local_store import PARTIAL, LocalStore
from training.publishing.s3_store import S3Store
from training.publishing.stores import Store


@pytest.fixture
def bucket(moto_url: str, request: pytest.FixtureRequest) -> str:
    """An empty bucket for one test."""
    return create_bucket("races-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12])


@pytest.fixture(params=["directory", "bucket", "prefix"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "directory":
        return LocalStore(tmp_path / "models", MODEL_NAME)
    return S3Store(request.getfixturevalue("bucket"), "team/a" if request.param == "prefix" else "", MODEL_NAME)


@pytest.fixture
def model(model_directory: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes complete model directories of other runs: none of their files but the model's own are the same."""

    def make(run: str, version: str = "1") -> Path:
        folder = tmp_path / f"{run}-{version}"
        if folder.exists():
            return folder
        shutil.copytree(model_directory, folder)
        described = decode((folder / MANIFEST_NAME).read_bytes())
        for name in described.files.keys() - {"model.ubj"}:
            with (folder / name).open("a") as file:
                file.write(f"\n# of {run}\n")
        files = {name: FileDigest.of((folder / name).read_bytes()) for name in described.files}
        changed = msgspec.structs.replace(described, files=files, run_id=run, model_version=version)
        (folder / MANIFEST_NAME).write_bytes(encode(changed))
        return folder

    return make


def content(store: Store, name: str) -> dict[str, bytes]:
    """Everything in a version's directory."""
    if isinstance(store, LocalStore):
        return {path.name: path.read_bytes() for path in (store.folder / name).iterdir()}
    assert isinstance(store, S3Store)
    listed = store.client.list_objects_v2(Bucket=store.bucket, Prefix=f"{store.folder}/{name}/").get("Contents", [])
    found = {each["Key"]: store.client.get_object(Bucket=store.bucket, Key=each["Key"]) for each in listed}
    return {key.rpartition("/")[2]: answer["Body"].read() for key, answer in found.items()}


def files_of(folder: Path) -> dict[str, bytes]:
    """What a complete model directory holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def served(store: Store, name: str) -> Manifest:
    """What the service makes of a version or of `latest`: the manifest, after every file has been verified."""
    if isinstance(store, S3Store):
        found = fetch(S3Prefix(store.bucket, f"{store.folder}/{name}"))
    else:
        assert isinstance(store, LocalStore)
        found = fetch(LocalDirectory(store.folder / name))
    assert found.manifest
    return found.manifest


def at_once(*calls: Callable[[], object]) -> list[BaseException]:
    """Run calls in threads that start together; returns what they raised."""
    start = Barrier(len(calls), timeout=60)
    raised: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        start.wait()
        try:
            call()
        except (Exception, SystemExit) as error:  # noqa: BLE001 (told to the test)
            raised.append(error)

    threads = [Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_a_published_version_is_never_touched(shop: Store, model: Callable[..., Path]) -> None:
    """A second publisher with another model for the same version is refused, and every file stays as it was."""
    shop.add("1", model("first"))
    with pytest.raises(StoreError, match="Someone else published version 1 at the same time"):
        shop.add("1", model("second"))
    assert content(shop, "1") == files_of(model("first"))
    shop.add("1", model("first"))
    assert served(shop, "1").run_id == "first"


def one_by_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulated S3 check a condition and write in one step, as S3 does."""
    if isinstance(store, S3Store):
        put, lock = store.client.put_object, Lock()

        def alone(**arguments: Any) -> Any:
            with lock:
                return put(**arguments)

        monkeypatch.setattr(store.client, "put_object", alone)


def test_two_publishers_at_once(shop: Store, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who publish different models as one version at the same moment, one gets it whole and one is told."""
    one_by_one(shop, monkeypatch)
    folders = {run: model(run) for run in ("first", "second")}
    [error] = at_once(*(lambda folder=folder: shop.add("1", folder) for folder in folders.values()))
    assert isinstance(error, StoreError)
    assert content(shop, "1") == files_of(folders[served(shop, "1").run_id])


def test_the_same_model_published_twice_at_once(
    shop: Store, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who publish the same model as the same version all succeed."""
    one_by_one(shop, monkeypatch)
    folder = model("first")
    assert at_once(*[lambda: shop.add("1", folder)] * 3) == []
    assert content(shop, "1") == files_of(folder)


def break_off(store: S3Store, monkeypatch: pytest.MonkeyPatch, method: str, after: int) -> None:
    """Let the client's calls of one kind end the process, as it were, after some have succeeded."""
    original, calls = getattr(store.client, method), iter(range(after))

    def call(**arguments: Any) -> Any:
        if next(calls, None) is None:
            raise SystemExit
        return original(**arguments)

    monkeypatch.setattr(store.client, method, call)


@pytest.mark.parametrize("after", range(10))
def test_upload_that_broke_off(
    bucket: str, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Wherever an upload dies there is no version; the same model completes it, another one is told how to go on."""
    store, folder = S3Store(bucket, "", MODEL_NAME), model("first")
    assert len(files_of(folder)) == 10
    with monkeypatch.context() as patch:
        break_off(store, patch, "put_object", after)
        with pytest.raises(SystemExit):
            store.add("1", folder)
    left = content(store, "1")
    assert len(left) == after
    assert store.manifest("1") is None
    if after:
        with pytest.raises(StoreError, match=rf"aws s3 rm --recursive s3://{bucket}/{MODELS_PREFIX}/1/"):
            store.add("1", model("second"))
    assert content(store, "1") == left
    store.add("1", folder)
    assert content(store, "1") == files_of(folder)


def test_first_object_claims_the_version(bucket: str, model: Callable[..., Path]) -> None:
    """What is uploaded first is the file that no other model shares."""
    store = S3Store(bucket, "", MODEL_NAME)
    store.client.put_object(Bucket=bucket, Key=f"{store.folder}/1/{MLMODEL}", Body=b"of a third")
    with pytest.raises(StoreError, match="is of another publish"):
        store.add("1", model("first"))
    assert content(store, "1") == {MLMODEL: b"of a third"}


@pytest.mark.parametrize("after", range(20))
def test_promotion_that_broke_off(
    bucket: str, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Wherever a promotion dies, readers get one of the two versions whole, and repeating it ends it."""
    store = S3Store(bucket, "", MODEL_NAME)
    for version in ("1", "2"):
        store.add(version, model(f"run-{version}", version))
    releases.promote("1", store)
    with monkeypatch.context() as patch:
        break_off(store, patch, "copy_object", after)
        try:
            releases.promote("2", store)
        except SystemExit:
            pass
        else:
            assert after == 19
    assert served(store, LATEST).model_version == ("1" if after < 10 else "2")
    if after >= 10:
        assert content(store, LATEST) == files_of(model("run-2", "2"))
    releases.promote("2", store)
    assert content(store, LATEST) == files_of(model("run-2", "2"))


def test_two_promotions_at_once(shop: Store, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two promotions whose copies alternate leave `latest` one version, not a mix of two."""
    for version in ("1", "2"):
        shop.add(version, model(f"run-{version}", version))
    if isinstance(shop, S3Store):
        copy, turns, seen = shop.client.copy_object, Barrier(2, timeout=60), []

        def alternate(**arguments: Any) -> Any:
            seen.append(arguments["Key"])
            if len(seen) <= 20:  # ten objects each
                turns.wait()
            return copy(**arguments)

        monkeypatch.setattr(shop.client, "copy_object", alternate)
    assert at_once(*(lambda version=version: shop.promote(version) for version in ("1", "2"))) == []
    winner = served(shop, LATEST).model_version
    assert content(shop, LATEST) == files_of(model(f"run-{winner}", winner))


KILLED = """
import os, signal, sys
from pathlib import Path
from training.publishing import local_store

calls, sync = int(sys.argv[1]), local_store._sync

def kill(path):
    global calls
    calls -= 1
    if calls < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(path)

local_store._sync = kill
local_store.LocalStore(Path(sys.argv[2]), sys.argv[4]).add("1", Path(sys.argv[3]))
"""


@pytest.mark.parametrize("after", [0, 5, 11])
def test_killed_local_publish(model: Callable[..., Path], tmp_path: Path, after: int) -> None:
    """A local publish that is killed leaves nothing or everything; the next one, of any model, clears up after it."""
    store = LocalStore(tmp_path / "models", MODEL_NAME)
    arguments = [str(after), str(tmp_path / "models"), str(model("first")), MODEL_NAME]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    whole = after == 11  # killed after the rename
    assert len([*store.folder.glob(f".*{PARTIAL}")]) == (0 if whole else 1)
    assert store.versions() == (["1"] if whole else [])
    if whole:
        assert content(store, "1") == files_of(model("first"))
    store.add("2", model("second", "2"))
    assert sorted(path.name for path in store.folder.iterdir()) == (["1", "2"] if whole else ["2"])


def test_living_publisher_is_left_alone(model: Callable[..., Path], tmp_path: Path) -> None:
    """Clearing up spares what a process that lives is making."""
    store = LocalStore(tmp_path / "models", MODEL_NAME)
    store.folder.mkdir(parents=True)
    with store._partial("1") as living:
        store.add("2", model("second", "2"))
        assert living.is_dir()
    assert [path.name for path in store.folder.iterdir()] == ["2"]


def test_directory_without_manifest(model: Callable[..., Path], tmp_path: Path) -> None:
    """A version's directory that somebody half copied is named, and not touched."""
    store = LocalStore(tmp_path / "models", MODEL_NAME)
    (store.folder / "1").mkdir(parents=True)
    (store.folder / "1" / MLMODEL).write_text("half")
    with pytest.raises(StoreError, match="is there without a manifest: remove what is left of it"):
        store.add("1", model("first"))
    assert content(store, "1") == {MLMODEL: b"half"}


def test_latest_that_is_no_link(model: Callable[..., Path], tmp_path: Path) -> None:
    """A store that was copied from S3 has a directory as `latest`: that is said, and it stays."""
    store = LocalStore(tmp_path / "models", MODEL_NAME)
    store.add("1", model("first"))
    shutil.copytree(store.folder / "1", store.folder / LATEST)
    with pytest.raises(StoreError, match="is a directory, not the link"):
        store.promote("1")
    assert content(store, LATEST) == files_of(model("first"))
