"""Fetches a published model and verifies it against its manifest, patiently but not for ever."""

import logging
import random
import re
import time
from dataclasses import dataclass

import msgspec

from api.errors import ModelRefused, ModelUnavailable
from api.store import manifest as manifests
from api.store.directory import MAX_FILE_BYTES, Store, TransientError, check_name
from api.store.manifest import MANIFEST_NAME, FileDigest, FormatError, Manifest
from api.store.mlmodel import MAX_MLMODEL_BYTES, MLMODEL, data_path, decode_mlmodel

log = logging.getLogger(__name__)

ATTEMPTS = 6
MAX_MANIFEST_BYTES = 2**20
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_VERSION = re.compile(r"[\w+-][\w.+-]{0,63}")


class TornReadError(Exception):
    """A file is not the one its manifest describes: it is being replaced, or it is corrupt."""


class NoManifestError(Exception):
    """The manifest, which is written last, is missing: the model is being copied, or nobody published it."""


@dataclass(frozen=True)
class FetchedModel:
    """A model's files in memory; `manifest` is None for a plain MLflow directory, whose files could not be verified."""

    where: str
    files: dict[str, bytes]
    manifest: Manifest | None


def fetch(store: Store, sha256: str = "", allow_unverified: bool | None = None) -> FetchedModel:
    """Read the model directory; with a `sha256`, only the model whose manifest has that digest.

    A directory without a manifest is read if `allow_unverified`, or where that is None and the store may have such.

    Raises:
        ModelUnavailable: it is missing, access is denied, or the store failed on every attempt.
        ModelRefused: a file is corrupt, or the manifest is not one.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _read(store, sha256, not store.must_be_published if allow_unverified is None else allow_unverified)
        except (TransientError, TornReadError, NoManifestError) as error:
            problem = error
        if attempt < ATTEMPTS:
            # Exponential back-off with jitter, so that tasks that start together do not ask together.
            delay = 0.25 * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 (not a secret)
            log.warning("%s; attempt %d of %d, trying again in %.1f s", problem, attempt, ATTEMPTS, delay)
            time.sleep(delay)
    if isinstance(problem, TornReadError):
        raise ModelRefused(f"{problem}; the model is corrupt: publish it again, or deploy another version")
    if isinstance(problem, NoManifestError):
        advice = "deploy again" if sha256 else "or set ALLOW_UNVERIFIED=true to serve it as it is"
        raise ModelUnavailable(f"{problem}, so nothing vouches for this model: publish it to the end, {advice}")
    raise ModelUnavailable(f"{problem}; gave up after {ATTEMPTS} attempts: the store does not answer as it should")


def _read(store: Store, sha256: str, allow_unverified: bool) -> FetchedModel:
    try:
        raw = store.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        if allow_unverified and not sha256:
            return _read_plain(store)
        _read_mlmodel(store)
        raise NoManifestError(f"{store.where(MANIFEST_NAME)} is missing, though {MLMODEL} is there") from None
    manifest = _decode(store, raw)
    if sha256 and manifests.identity(raw) != sha256:
        raise ModelRefused(
            f"{store.where(MANIFEST_NAME)} is not the model that was deployed: its sha256 is "
            f"{manifests.identity(raw)}, not {sha256}; deploy again to take the model that is there now"
        )
    try:
        return FetchedModel(store.where(), _verified_files(store, manifest), manifest)
    except TornReadError:
        # `latest` is being replaced: the manifest's own version has the same bytes and never changes.
        sibling = store.sibling(manifest.model_version)
        if sibling.where() == store.where() or not _has(sibling, raw):
            raise
        return FetchedModel(sibling.where(), _verified_files(sibling, manifest), manifest)


def _has(store: Store, raw_manifest: bytes) -> bool:
    try:
        return store.read(MANIFEST_NAME) == raw_manifest
    except (FileNotFoundError, ModelUnavailable):
        return False


def _decode(store: Store, raw: bytes) -> Manifest:
    try:
        manifest = manifests.decode(raw)
    except FormatError as error:
        raise ModelRefused(f"{store.where(MANIFEST_NAME)}: {error}") from error
    except UNDECODABLE as error:
        raise TornReadError(f"{store.where(MANIFEST_NAME)} is not a manifest: {error}") from error
    if not _VERSION.fullmatch(manifest.model_version):
        raise ModelRefused(f"{store.where(MANIFEST_NAME)} names a version {manifest.model_version!r}, which is not one")
    if MLMODEL not in manifest.files or manifest.files[MLMODEL].size > MAX_MLMODEL_BYTES:
        raise ModelRefused(f"{store.where(MANIFEST_NAME)} lists no {MLMODEL} of at most {MAX_MLMODEL_BYTES} bytes")
    if sum(file.size for file in manifest.files.values()) > MAX_FILE_BYTES:
        raise ModelRefused(
            f"{store.where(MANIFEST_NAME)} claims more than {MAX_FILE_BYTES} bytes; no model has as many"
        )
    for name in manifest.files:
        check_name(name)
    return manifest


def _verified_files(store: Store, manifest: Manifest) -> dict[str, bytes]:
    """The files that predictions need; what else lies beside them is not fetched."""
    mlmodel = _verified(store, MLMODEL, manifest)
    data = data_path(decode_mlmodel(mlmodel))
    if data not in manifest.files:
        raise ModelRefused(f"{store.where(MLMODEL)} names {data!r}, which is not among the published files")
    return {MLMODEL: mlmodel, data: _verified(store, data, manifest)}


def _verified(store: Store, name: str, manifest: Manifest) -> bytes:
    expected = manifest.files[name]
    try:
        content = store.read(name)
    except FileNotFoundError:
        raise TornReadError(f"{store.where(name)} is missing, though the manifest lists it") from None
    if FileDigest.of(content) != expected:
        raise TornReadError(
            f"{store.where(name)} is not the file that was published: {len(content)} bytes of {expected.size}, and "
            "another sha256"
        )
    return content


def _read_plain(store: Store) -> FetchedModel:
    """A directory as MLflow wrote it: MLmodel, and the model file that it names."""
    mlmodel = _read_mlmodel(store)
    data = data_path(decode_mlmodel(mlmodel))
    try:
        return FetchedModel(store.where(), {MLMODEL: mlmodel, data: store.read(data)}, None)
    except FileNotFoundError as error:
        raise _no_model(store, error) from None


def _read_mlmodel(store: Store) -> bytes:
    try:
        return store.read(MLMODEL, MAX_MLMODEL_BYTES)
    except FileNotFoundError as error:
        raise _no_model(store, error) from None


def _no_model(store: Store, missing: FileNotFoundError) -> ModelUnavailable:
    return ModelUnavailable(
        f"no model at {store.where()}: {missing}. Publish one with `python -m training publish`, or correct "
        "MODEL_BUCKET and MODEL_PATH"
    )
