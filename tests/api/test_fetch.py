"""Reading a published model from a directory: whole, or not at all."""

import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from api.errors import ModelRefused, ModelUnavailable
from api.store import fetch as fetching
from api.store.fetch import fetch
from api.store.manifest import FORMAT, MANIFEST_NAME, decode, identity
from api.store.opening import open_store
from tests.manifests import rewrite


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for instead of made."""
    asked: list[float] = []
    monkeypatch.setattr("api.store.fetch.time.sleep", asked.append)
    return asked


def test_reads_the_files_that_predictions_need(model_directory: Path, pauses: list[float]) -> None:
    """The description and the trees are read and verified, without a pause; nothing else is fetched."""
    fetched = fetch(open_store("", str(model_directory)))
    manifest = decode((model_directory / MANIFEST_NAME).read_bytes())
    assert fetched.manifest == manifest
    assert {name: hashlib.sha256(content).hexdigest() for name, content in fetched.files.items()} == {
        name: manifest.files[name].sha256 for name in ("MLmodel", "model.ubj")
    }
    assert pauses == []


def test_pinned_model_is_the_only_one_taken(model_directory: Path) -> None:
    """With a digest, that manifest and no other is accepted."""
    store = open_store("", str(model_directory))
    digest = identity((model_directory / MANIFEST_NAME).read_bytes())
    assert fetch(store, digest).manifest is not None
    with pytest.raises(ModelRefused, match="is not the model that was deployed"):
        fetch(store, "0" * 64)


def test_pinned_model_needs_its_manifest(damaged_directory: Path) -> None:
    """With a digest, a directory without a manifest is not taken for a plain one."""
    (damaged_directory / MANIFEST_NAME).unlink()
    with pytest.raises(ModelUnavailable, match="is missing"):
        fetch(open_store("", str(damaged_directory)), "0" * 64)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "one bit": lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:]),
    "half of it": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "a byte more": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "nothing in it": lambda file: file.write_bytes(b""),
    "no file": lambda file: file.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["model.ubj", "MLmodel"])
def test_damaged_file_is_retried_then_refused(
    damaged_directory: Path, pauses: list[float], caplog: pytest.LogCaptureFixture, damage: str, name: str
) -> None:
    """A file unlike its manifest may be in the middle of being replaced: it is read again, then refused."""
    DAMAGE[damage](damaged_directory / name)
    with pytest.raises(ModelRefused, match=rf"{name} is .* publish it again"):
        fetch(open_store("", str(damaged_directory)))
    assert len(pauses) == fetching.ATTEMPTS - 1
    assert sum(pauses) < 20
    assert [record.levelname for record in caplog.records] == ["WARNING"] * len(pauses)
    assert all(f"attempt {i} of" in record.getMessage() for i, record in enumerate(caplog.records, 1))


def test_file_that_heals_is_taken(
    damaged_directory: Path, monkeypatch: pytest.MonkeyPatch, model_directory: Path
) -> None:
    """A read torn by a publication succeeds once that is done."""
    file = damaged_directory / "model.ubj"
    file.write_bytes(b"half")
    monkeypatch.setattr("api.store.fetch.time.sleep", lambda _: shutil.copy(model_directory / "model.ubj", file))
    assert fetch(open_store("", str(damaged_directory))).manifest is not None


def test_torn_latest_is_read_from_its_version(damaged_directory: Path, pauses: list[float]) -> None:
    """While `latest` is being replaced, the version that its manifest names is read instead: the same bytes."""
    latest = damaged_directory.with_name("latest")
    shutil.copytree(damaged_directory, latest)
    (latest / "model.ubj").write_bytes(b"of the next version")
    fetched = fetch(open_store("", str(latest)))
    assert fetched.where == str(damaged_directory)
    assert pauses == []


def test_torn_latest_never_takes_another_version(damaged_directory: Path) -> None:
    """The version directory counts only if its manifest is the same to the byte."""
    latest = damaged_directory.with_name("latest")
    shutil.copytree(damaged_directory, latest)
    (latest / "model.ubj").unlink()
    rewrite(damaged_directory, run_id="another")
    with pytest.raises(ModelRefused, match="missing"):
        fetch(open_store("", str(latest)))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"manifest"', b"\xff\xfe", b"[" * 50_000])
def test_manifest_that_is_none_is_refused(damaged_directory: Path, raw: bytes) -> None:
    """A manifest that cannot be read as one is refused, after it had the time to arrive whole."""
    (damaged_directory / MANIFEST_NAME).write_bytes(raw)
    with pytest.raises(ModelRefused, match="not a manifest"):
        fetch(open_store("", str(damaged_directory)))


HOSTILE_NAMES = [
    "../1/MLmodel",
    "/etc/passwd",
    "a/../../secret",
    "./MLmodel",
    "a//b",
    "",
    ".",
    "..",
    "a\\b",
    "nul\0",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_paths_never_leave_the_directory(damaged_directory: Path, name: str) -> None:
    """A file name that is not a plain relative path is refused before anything is read."""
    manifest = decode((damaged_directory / MANIFEST_NAME).read_bytes())
    rewrite(damaged_directory, files={**manifest.files, name: manifest.files["MLmodel"]})
    with pytest.raises(ModelRefused, match="not a path inside its directory"):
        fetch(open_store("", str(damaged_directory)))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b.ubj"])
def test_mlmodel_never_leaves_the_directory(damaged_directory: Path, name: str) -> None:
    """The same holds for the model file that MLmodel names."""
    (damaged_directory / MANIFEST_NAME).unlink()
    (damaged_directory / "MLmodel").write_text(f"flavors: {{xgboost: {{data: {name!r}}}}}")
    with pytest.raises(ModelRefused, match="not a path inside its directory"):
        fetch(open_store("", str(damaged_directory)), allow_unverified=True)


@pytest.mark.parametrize("version", ["../1", "", ".", "..", "a/b", "1\n2", "x" * 100])
def test_version_is_a_name(damaged_directory: Path, version: str) -> None:
    """A version that could lead to another directory is none."""
    rewrite(damaged_directory, model_version=version)
    with pytest.raises(ModelRefused, match="names a version"):
        fetch(open_store("", str(damaged_directory)))


def test_claim_of_10_gb_is_refused_unread(damaged_directory: Path) -> None:
    """A manifest that claims 10 GB is refused by its claim."""
    manifest = decode((damaged_directory / MANIFEST_NAME).read_bytes())
    claim = msgspec.structs.replace(manifest.files["model.ubj"], size=10 * 2**30)
    rewrite(damaged_directory, files={**manifest.files, "model.ubj": claim})
    with pytest.raises(ModelRefused, match="claims more than"):
        fetch(open_store("", str(damaged_directory)))


@pytest.mark.parametrize("name", ["model.ubj", "MLmodel", MANIFEST_NAME])
def test_file_of_10_gb_is_refused_unread(damaged_directory: Path, name: str) -> None:
    """A file of 10 GB (a hole, on this disk) is refused by its size."""
    if name != MANIFEST_NAME:
        (damaged_directory / MANIFEST_NAME).unlink()
    os.truncate(damaged_directory / name, 10 * 2**30)
    with pytest.raises(ModelRefused, match="not a file of at most"):
        fetch(open_store("", str(damaged_directory)), allow_unverified=True)


@pytest.mark.parametrize("number", [1, FORMAT + 1])
def test_other_format_is_refused(damaged_directory: Path, number: int) -> None:
    """A manifest of an earlier or a later format is not guessed at."""
    rewrite(damaged_directory, format=number)
    with pytest.raises(ModelRefused, match=f"format {number}, and this program reads {FORMAT}"):
        fetch(open_store("", str(damaged_directory)))


def test_manifest_without_mlmodel_is_refused(damaged_directory: Path) -> None:
    """A manifest of something else is refused."""
    rewrite(damaged_directory, files={})
    with pytest.raises(ModelRefused, match="lists no MLmodel"):
        fetch(open_store("", str(damaged_directory)))


def test_model_file_must_be_published(damaged_directory: Path) -> None:
    """A model file that MLmodel names and the manifest does not list is refused: nothing vouches for it."""
    manifest = decode((damaged_directory / MANIFEST_NAME).read_bytes())
    rewrite(damaged_directory, files={"MLmodel": manifest.files["MLmodel"]})
    with pytest.raises(ModelRefused, match=r"'model\.ubj', which is not among the published files"):
        fetch(open_store("", str(damaged_directory)))


def replace_by(kind: str, file: Path) -> None:
    """Put something else in a file's place."""
    file.unlink()
    if kind == "a link to a secret":
        secret = file.parent.parent / "secret"
        secret.write_text("secret")
        file.symlink_to(secret)
    elif kind == "a link to a device":
        file.symlink_to("/dev/zero")
    elif kind == "a link to itself":
        file.symlink_to(file)
    elif kind == "a pipe":
        os.mkfifo(file)
    else:
        file.mkdir()


@pytest.mark.parametrize(
    "kind", ["a link to a secret", "a link to a device", "a link to itself", "a pipe", "a directory"]
)
def test_only_files_inside_are_read(damaged_directory: Path, kind: str) -> None:
    """Links that lead elsewhere, pipes and directories are refused, and nothing waits for them."""
    replace_by(kind, damaged_directory / "model.ubj")
    with pytest.raises((ModelRefused, ModelUnavailable), match=r"model\.ubj (is|cannot)") as caught:
        fetch(open_store("", str(damaged_directory)))
    assert "is not the file that was published" not in str(caught.value)


def test_latest_may_be_a_link(damaged_directory: Path) -> None:
    """`latest` itself is a link in a local store, followed once."""
    latest = damaged_directory.with_name("latest")
    latest.symlink_to(damaged_directory.name)
    assert fetch(open_store("", str(latest))).where == str(damaged_directory)


@pytest.mark.parametrize("path", ["nowhere", "store", "store/1/MLmodel"])
def test_no_model_says_where_and_what_to_do(damaged_directory: Path, path: str) -> None:
    """Where there is no model, the message says so, and how one gets there."""
    with pytest.raises(ModelUnavailable, match="MODEL_PATH") as caught:
        fetch(open_store("", str(damaged_directory.parent.parent / path)))
    assert "training publish" in str(caught.value)


@pytest.fixture
def plain(damaged_directory: Path) -> Path:
    """The directory as MLflow wrote it, under a name that no store gives."""
    (damaged_directory / MANIFEST_NAME).unlink()
    return damaged_directory.rename(damaged_directory.with_name("regressor"))


def test_plain_mlflow_directory_is_taken(plain: Path, pauses: list[float]) -> None:
    """A local directory without a manifest is read as MLflow left it, unless that is forbidden."""
    store = open_store("", str(plain))
    fetched = fetch(store)
    assert fetched.manifest is None
    assert set(fetched.files) == {"MLmodel", "model.ubj"}
    assert pauses == []
    with pytest.raises(ModelUnavailable, match="nothing vouches"):
        fetch(store, allow_unverified=False)


@pytest.mark.parametrize("name", ["latest", "7", "007"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_stores_directory_must_have_its_manifest(plain: Path, pauses: list[float], name: str, linked: bool) -> None:
    """`latest` and what has a version for a name are not served unverified just because a manifest is missing."""
    published = plain.with_name(name)
    if linked:
        published.symlink_to(plain)
    else:
        plain.rename(published)
    store = open_store("", str(published))
    with pytest.raises(ModelUnavailable, match=r"manifest\.json is missing.*ALLOW_UNVERIFIED=true"):
        fetch(store)
    assert len(pauses) == fetching.ATTEMPTS - 1
    assert fetch(store, allow_unverified=True).manifest is None


def test_a_link_to_a_version_must_have_its_manifest(damaged_directory: Path) -> None:
    """A link of any name to one of a store's versions leads to a published model or to none."""
    (damaged_directory / MANIFEST_NAME).unlink()
    link = damaged_directory.with_name("production")
    link.symlink_to(damaged_directory)
    with pytest.raises(ModelUnavailable, match="nothing vouches"):
        fetch(open_store("", str(link)))


def test_a_copy_in_progress_is_awaited(
    damaged_directory: Path, model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that somebody is copying, its manifest last, is served once it is whole."""
    (damaged_directory / MANIFEST_NAME).unlink()
    copy = functools.partial(shutil.copy, model_directory / MANIFEST_NAME, damaged_directory)
    monkeypatch.setattr("api.store.fetch.time.sleep", lambda _: copy())
    assert fetch(open_store("", str(damaged_directory))).manifest is not None
