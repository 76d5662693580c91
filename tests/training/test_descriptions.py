"""A table's description is checked as a whole."""

import pytest

from training.errors import DescriptionError
from training.tables import loading

SHORTEST = 'name = "flats"\n[target]\ncolumn = "price"\n[features.size]\n'


def faults(text: str) -> str:
    """What is said of a description that is refused."""
    with pytest.raises(DescriptionError) as caught:
        loading.load_text(text, "flats.toml")
    return str(caught.value)


def test_columns_and_target_are_enough() -> None:
    """Everything else has a default."""
    table = loading.load_text(SHORTEST, "flats.toml")
    assert (table.features["size"].kind, table.target.kind, table.target.answer) == ("number", "number", "prediction")


def test_all_unknown_keys_in_one_message() -> None:
    """Every key that there is not is named with the nearest that there is, each on its line."""
    said = faults(
        SHORTEST.replace('"price"\n', '"price"\nkindd = "number"\n') + "unitt = 'm'\n[searching]\nfolds = 3\n"
    )
    assert set(said.splitlines()[1:]) == {
        "  - searching: no such key; did you mean search?",
        "  - target.kindd: no such key; did you mean kind?",
        "  - features.size.unitt: no such key; did you mean unit?",
    }


def test_all_contradictions_in_one_message() -> None:
    """Every value that contradicts another is named, each on its line."""
    said = faults(SHORTEST + "low = 3\nhigh = 1\n[features.town]\nkind = 'category'\n")
    assert all(f"  - features.{name}" in said for name in ("size", "town")), said


def test_unknown_keys_and_contradictions_in_one_message() -> None:
    """A part with a fault of its own is left out of what is compared, and so is what refers to it."""
    said = faults(
        SHORTEST.replace('"flats"', '"../flats"') + "low = 3\nhigh = 1\n[features.town]\nkind = 'categroy'\n"
        "[split]\nby = 'time'\n[page.map]\nlatitude = 'town'\nlongitude = 'town'\n"
    )
    named = sorted(line.removeprefix("  - ").split(":")[0] for line in said.splitlines()[1:])
    assert named == [
        "features.size.low, high = 3, 1",
        "features.town.kind = 'categroy'",
        "name = '../flats'",
        "split.by = 'time', split.column = ''",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "flats.toml"),
        (SHORTEST.replace("flats", "../flats"), "name"),
        (SHORTEST.replace("[features.size]", "[features.price]"), "price"),
        (SHORTEST + "[features.size]\n", "size"),
        (SHORTEST.replace('"price"\n', '"price"\nanswer = "interval"\n'), "interval"),
        (SHORTEST + 'kind = "category"\ncategories = ["a", "a"]\n', "categories"),
    ],
)
def test_one_fault(text: str, words: str) -> None:
    """What is no TOML, a name that is no folder's, a target among the features, a name that every answer has."""
    assert words in faults(text)
