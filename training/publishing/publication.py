"""From the registry to the store: the model directory, its card and its manifest, proven and then copied."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from api.store import manifest
from api.store.manifest import MANIFEST_NAME, FileDigest, Manifest
from training.errors import RegistryError, StoreError
from training.fitting import proof
from training.fitting.facts import Facts
from training.publishing import registry, releases
from training.publishing.stores import Store
from training.rows.encoding import numbers

log = logging.getLogger(__name__)


def publish_champion(name: str, store: Store) -> str:
    """Publish the champion and make it latest, unless it is; returns its version.

    Raises:
        RegistryError: there is no champion.
    """
    champion = registry.champion(name)
    while champion is not None:
        if not releases.is_live(champion, registry.run_of(name, champion), store):
            publish(name, champion, store)
            releases.promote(champion, store)
        # Another one may have become champion meanwhile, and its publish may have been faster than this one.
        before, champion = champion, registry.champion(name)
        if champion == before:
            return champion
    raise RegistryError(
        f"No version of {name} is champion: run `python -m training train`, or choose one with --version N --force."
    )


def publish(name: str, version: str, store: Store) -> Manifest:
    """Copy a registered version into the store, whole or not at all; `latest` stays what it is.

    Raises:
        RegistryError: MLflow has no such version.
        ProofError: the service would not predict what XGBoost predicts.
        StoreError: the store has another model under this version, or part of one.
    """
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        facts = registry.export(name, version, folder)
        present = releases.read(store, version)
        if present is not None:
            if (present.model_version, present.run_id) != (version, facts.run_id):
                raise StoreError(
                    f"The store already has another model as version {version}; a published version never changes. "
                    "Train again for a new version, with the MLflow registry that the store's models came from."
                )
            log.info("Version %s is published already: %s", version, store.where(version))
            return present
        schema = facts.table.schema()
        proof.prove(folder, numbers(registry.dataset(facts.run_id), schema), schema)
        registry.copy_card(facts.run_id, folder)
        described = describe(version, facts, folder)
        add(described, folder, store)
    return described


def add(described: Manifest, folder: Path, store: Store) -> None:
    """Write the manifest of a directory that is otherwise complete, and copy all of it into the store.

    Raises:
        StoreError: the store has another model under this version, or part of one.
    """
    encoded, version = manifest.encode(described), described.model_version
    (folder / MANIFEST_NAME).write_bytes(encoded)
    store.add(version, folder)
    digest = manifest.identity(encoded)
    log.info("Version %s is published: %s, manifest sha256 %s", version, store.where(version), digest)


def digests(folder: Path) -> dict[str, FileDigest]:
    """Of every file in a directory, by its path there."""
    return {
        path.relative_to(folder).as_posix(): FileDigest.of(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def describe(version: str, facts: Facts, folder: Path) -> Manifest:
    """The manifest of a model directory that is otherwise complete."""
    return Manifest(
        schema=facts.table.schema(),
        model_version=version,
        run_id=facts.run_id,
        trained_at=facts.trained_at,
        xgboost_version=facts.xgboost_version,
        table_sha256=facts.table_sha256,
        ranges=facts.ranges,
        known_answers=facts.known_answers,
        metrics=facts.metrics,
        interval=facts.interval,
        label_threshold=facts.label_threshold,
        distribution=facts.distribution,
        files=digests(folder),
    )
