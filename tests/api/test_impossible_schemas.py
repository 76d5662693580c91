"""Schemas and manifests that make no sense: each is refused in one sentence, or harmless; never a traceback."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.app import create_app
from api.errors import ModelRefused
from api.http.output import Output
from api.model.model import Model
from api.settings import Settings
from api.store.fetch import FetchedModel
from api.store.manifest import MANIFEST_NAME, decode
from tests.api.tables import publish_table
from tests.running import Serve

WRONG: list[Any] = [None, -1, 1e308, "", 'a"b\\c', [], ["a", "a"]]


@pytest.fixture(scope="module", params=["claims", "species"])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_table(request.param, tmp_path_factory.mktemp("impossible") / "1").folder


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_table("claims", tmp_path_factory.mktemp("impossible") / "1").folder


def start(folder: Path, document: Any) -> None:
    """Everything that a start does with a manifest, once it has been fetched."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST_NAME}
    model = Model.load(FetchedModel(str(folder), files, decode(json.dumps(document).encode())))
    create_app(Settings(model_path=str(folder)), model, 0.0, Output(1))


def places(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value of a document, of long lists to the first."""
    items = document.items() if isinstance(document, dict) else enumerate(document[:1])
    for key, value in items:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from places(value, (*above, key))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy that has another value there."""
    copied = copy.deepcopy(document)
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copied


def test_any_field_wrong_is_refused_or_harmless(published: Path) -> None:
    """Whatever stands in the place of any field, the start ends with a refusal in a sentence, or serves."""
    document = json.loads((published / MANIFEST_NAME).read_bytes())
    # Fetching has refused another version or format before.
    for name in ("files", "model_version", "format"):
        del document[name]
    fetched = {"files": {}, "model_version": "1", "format": 2}
    start(published, document | fetched)
    refusals = []
    for place in places(document):
        for value in WRONG:
            try:
                start(published, changed(document, place, value) | fetched)
            except (ModelRefused, msgspec.ValidationError) as refusal:
                refusals.append(str(refusal))
    assert len(refusals) > len(WRONG)
    assert not [refusal for refusal in refusals if "\n" in refusal]


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("schema", "name"), "a/b", "the name 'a/b'"),
        (("schema", "name"), "", "the name ''"),
        (("schema", "features", 0, "name"), "", "no name"),
        (("schema", "features", 0, "name"), "rooms", "one twice"),
        (("schema", "features", 0, "low"), 1000, "bounds of 'size' are 1000 to 100"),
        (("schema", "features", 0, "example"), "big", "the example 'big'"),
        (("schema", "features", 0, "example"), 1e6, "the example 1000000.0, which is not a number from -100 to 100"),
        (("schema", "features", 5, "example"), 2, "which is not true or false"),
        (("schema", "features", 7, "example"), "nowhere", "the example 'nowhere'"),
        (("schema", "features", 7, "categories"), ["a", "a"], "a category twice"),
        (("schema", "features", 7, "categories"), [], "has 0 categories"),
        (("schema", "target", "answer"), "interval", "'interval'"),
        (("schema", "target", "answer"), 'a "b"', "not a plain word"),
        (("schema", "target", "high"), -5, "bounds of the target"),
        (("schema", "target", "kind"), "boolean", "predicts a number"),
        (("schema", "page"), {"map": {"latitude": "size", "longitude": "x"}}, "the map"),
        (("label_threshold",), 1.5, "no probability"),
        (("ranges", "size"), [2, 1], "range of size"),
        (("interval", "low", 0), -1, "negative width"),
        (("interval", "edges"), [2, 1], "each of its bins"),
        (("known_answers", "rows", 0, 0), 99.0, "serve wrong numbers"),
    ],
)
def test_says_what_is_wrong(claims: Path, place: tuple[Any, ...], value: Any, words: str) -> None:
    """A refusal names the part that is wrong, and its value."""
    document = json.loads((claims / MANIFEST_NAME).read_bytes())
    with pytest.raises(ModelRefused) as refused:
        start(claims, changed(document, place, value))
    assert words in str(refused.value)


def test_a_manifest_of_the_first_format(serve: Serve, claims: Path) -> None:
    """A model that was published before tables were described is refused with what to do."""
    path = claims / MANIFEST_NAME
    raw = path.read_bytes()
    document = json.loads(raw)
    del document["format"]
    try:
        path.write_text(json.dumps(document))
        ended = serve(MODEL_PATH=str(claims))
    finally:
        path.write_bytes(raw)
    assert ended.process.wait(30) == 1
    assert "format 1" in ended.lines()[-1]["message"]
    assert "publish the model again" in ended.lines()[-1]["message"]
