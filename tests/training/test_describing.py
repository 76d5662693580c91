"""What `describe` makes of files as people have them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training.errors import DataError
from training.rows.checks import check
from training.rows.drafting import draft
from training.rows.files import read
from training.tables import loading
from training.tables.description import Table

ROWS = pd.DataFrame(
    {
        "size [m²]": [40.5 + 3.25 * (i % 17) for i in range(60)],
        "self": [i % 9 for i in range(60)],
        "Self": [["yes", "no"][i * 7 % 3 % 2] for i in range(60)],
        "town": ["Bern", "Chur", "Zürich"] * 20,
        "price": [100.25 + 7.5 * (i * 11 % 50) for i in range(60)],
    }
)


def described(file: Path, target: str = "price") -> Table:
    """The description that is drafted of a file, as the other commands read it."""
    return loading.load_text(draft(read(file), target, file), "draft.toml")


WRITTEN: dict[str, dict[str, Any]] = {
    "commas.csv": {},
    "tabs.tsv": {"sep": "\t"},
    "decimal commas.csv": {"sep": ";", "decimal": ","},
    "mark.csv": {"encoding": "utf-8-sig"},
    "latin.CSV": {"encoding": "cp1252"},
    "packed.csv.gz": {},
    "quoted.csv": {"quoting": 1},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_table_however_it_is_written(name: str, tmp_path: Path) -> None:
    """Separators, decimal commas, marks, encodings, quotes and gzip change nothing of what is recognised."""
    ROWS.to_csv(tmp_path / name, index=False, **WRITTEN[name])
    table = described(tmp_path / name)
    assert {column: says.kind for column, says in table.features.items()} == {
        "size [m²]": "number",
        "self": "integer",
        "Self": "boolean",
        "town": "category",
    }
    assert table.features["town"].categories == ("Bern", "Chur", "Zürich")
    assert (table.target.column, table.target.kind, table.target.low) == ("price", "number", 0)


def test_nullable_and_categorical_columns(tmp_path: Path) -> None:
    """Parquet's own types are told apart, and what is missing may be missing."""
    rows = ROWS.astype({"self": "Int64", "town": "category"}).assign(Self=(ROWS["Self"] == "yes").astype("boolean"))
    rows.loc[::7, ["self", "Self", "town"]] = pd.NA
    rows.to_parquet(tmp_path / "rows.parquet")
    features = described(tmp_path / "rows.parquet").features
    kinds = {name: (says.kind, says.missing) for name, says in features.items()}
    assert kinds == {
        "size [m²]": ("number", False),
        "self": ("integer", True),
        "Self": ("boolean", True),
        "town": ("category", True),
    }


@pytest.mark.parametrize(
    ("target", "kind", "classes"),
    [
        ("town", "category", ("Bern", "Chur", "Zürich")),
        ("Self", "boolean", ()),
        ("self", "category", tuple("012345678")),
    ],
)
def test_targets(tmp_path: Path, target: str, kind: str, classes: tuple[str, ...]) -> None:
    """Yes or no and classes are told from the target's values."""
    ROWS.to_csv(tmp_path / "rows.csv", index=False)
    said = described(tmp_path / "rows.csv", target).target
    assert (said.kind, said.classes) == (kind, classes)


@pytest.mark.parametrize("decimal", [".", ","])
def test_decimal_commas_beside_texts(decimal: str, tmp_path: Path) -> None:
    """A time such as 9.12 and a code such as 3,4 do not make points, or commas, of the numbers of the other columns.

    Yes and no are told where a spreadsheet, or pandas for the sake of a missing value, has made decimals of them.
    """
    rows = ROWS.assign(
        released=["NA", "13:30", "9.12", "17:05"] * 15,
        code=["3,4", "a", "b"] * 20,
        member=[0.0, 1.0, float("nan"), 1.0, 0.0] * 12,
    )
    rows.to_csv(tmp_path / "rows.csv", index=False, sep=";", decimal=decimal)
    features = described(tmp_path / "rows.csv").features
    assert {name: says.kind for name, says in features.items()} == {
        "size [m²]": "number",
        "self": "integer",
        "Self": "boolean",
        "town": "category",
        "released": "category",
        "code": "category",
        "member": "boolean",
    }


@pytest.mark.parametrize("written", [{}, {"sep": ";", "decimal": ","}], ids=["points", "commas"])
def test_classes_are_as_the_file_writes_them(written: dict[str, Any], tmp_path: Path) -> None:
    """Classes that are written 1.0 are read again as they were drafted, in the order of the numbers."""
    file = tmp_path / "rows.csv"
    rows = pd.DataFrame({"size": [i * 7 % 97 + 0.5 for i in range(120)], "grade": [2.0 + i % 9 for i in range(120)]})
    rows.to_csv(file, index=False, **written)
    table = described(file, "grade")
    point = written.get("decimal", ".")
    assert table.target.classes == tuple(f"{number}{point}0" for number in range(2, 11))
    assert check(read(file), table, "rows.csv")["grade"].nunique() == 9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "rows.csv is empty"),
        (b"price\n1\n2\n", "one column: separate values by commas, semicolons or tabs"),
        (b"a,price\n", "has no rows below the columns' names"),
        (b"a,b\n1,2\n", "has no column 'price'; it has a, b"),
        (b"a,price,price\n1,2,3\n", "more than one column named price"),
        (b"a,price\n1,2\n2,\n", "price has no value in 1 of 2 rows"),
        (b"a,price\n1,2,9\n3,4,5\n", "row 1 has more values than the first line has names"),
        (b"a,price\n1,5\n1,6\n", "a is '1' in every row: it teaches nothing"),
        (b"a,price\n1,5\n2,5\n", "price is '5' in every row: there is nothing to learn"),
        (b"a;price\n1,5;1.234,5\n7,5;2.345,5\n", "price, row 1: '1.234,5' is written with separators of thousands"),
        (b"a;price\n1.234,5;1,5\n2.345,5;2,5\n", "a holds numbers but for 2 values, .* separators of thousands"),
        (b"day,price\n2024-01-01,1.5\n2024-01-02,2.5\n", "day holds dates: give what matters of them as numbers"),
        (b"a,price\n\x81,2\n", "neither in UTF-8 nor in Latin-1"),
    ],
)
def test_what_cannot_be_described(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that nothing can be learned from is refused with the column and what to do about it."""
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        described(tmp_path / "rows.csv")


def test_an_index_of_any_numbers_is_no_feature(tmp_path: Path) -> None:
    """A column without a name, as R and pandas write rows' labels, is left out whatever it holds."""
    ROWS.set_axis([61_617 + 3 * i + i % 2 for i in range(60)]).to_csv(tmp_path / "rows.csv")
    assert list(described(tmp_path / "rows.csv").features) == ["size [m²]", "self", "Self", "town"]


def test_what_only_looks_like_something_else(tmp_path: Path) -> None:
    """Numbers with signs or with odd words among them, identifiers of any numbers, and names that stand twice."""
    rows = ROWS.assign(
        share=[f"{i % 5} %" for i in range(60)],
        cost=[f"${i},200.50" for i in range(60)],
        rough=[f"{i / 7:.2f}" if i % 6 else ["", "?"][i > 0] for i in range(60)],
        account=[9_007_199_254_740_993 + 7919 * i for i in range(60)],
        inhabitants=[1000 + 7919 * i for i in range(60)],
    )
    rows.columns = pd.Index(["twice" if name in ("Self", "town") else name for name in rows.columns])
    rows.to_csv(tmp_path / "rows.csv", index=False)
    text = draft(read(tmp_path / "rows.csv"), "price", tmp_path / "rows.csv")
    features = loading.load_text(text, "draft.toml").features
    assert list(features) == ["size [m²]", "self", "share", "inhabitants"]
    assert features["share"].kind == "category"
    for name, why in {
        "cost": "holds numbers with a sign, such as '$0,200.50': write them without",
        "rough": "holds numbers but for 9 values, such as row 7: '?' is not a finite number",
        "account": "has another, very large number in every row: an identifier teaches nothing",
        "twice": "stands in the file more than once: keep one of each",
    }.items():
        assert f"# [features.{name}] is left out: it {why}" in text
    assert (
        "# share holds numbers with a sign, such as '0 %': write them without to have numbers.\n[features.share]"
        in text
    )
    assert (
        "# inhabitants has another value in every row: leave it out if it is an identifier.\n[features.inhabitants]"
        in text
    )


def test_remarks_for_a_person(tmp_path: Path) -> None:
    """Identifiers, free text, constants and what gives the target away are left out, each with the reason."""
    rows = ROWS.assign(
        id=range(60), note=[f"called {i}" for i in range(60)], land="CH", double=ROWS["price"] * 2, day="2024-05-06"
    )
    rows["day"] = [f"2024-05-{1 + i % 28:02}" for i in range(60)]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    text = draft(read(tmp_path / "rows.csv"), "price", tmp_path / "rows.csv")
    assert list(loading.load_text(text, "draft.toml").features) == ["size [m²]", "self", "Self", "town"]
    for name, why in {
        "id": "counts the rows",
        "note": "free text",
        "land": "in every row",
        "double": "gives the target away",
        "day": "holds dates",
    }.items():
        assert any(f"features.{name}]" in line and why in line for line in text.splitlines()), name
