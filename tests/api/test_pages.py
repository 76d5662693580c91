"""The docs page and the page at / in a real browser: they work, alone, under a strict policy.

The page is tried with the service and its own table, and with stubs that describe tables of other shapes.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from api.answers import pages
from api.errors import SettingsError
from tests.api.page.stub import Stub, described, serving, wide
from tests.browser import Browser
from tests.california import FEATURES
from tests.running import Serve, Service

PATHS = ("/", "/docs", "/docs/openapi.json", "/static/table.json", "/static/page.js", "/static/swagger-ui-bundle.js")
BOX = {name: f"#field-{FEATURES.index(name)}" for name in FEATURES}
LOANS = described("loans")
COLUMN = {feature["name"]: i for i, feature in enumerate(LOANS["features"])}

CONTRAST = """
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
function behind(node) {
  for (let at = node; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour[3] !== 0) return colour;
  }
}
const found = [];
for (const node of document.body.querySelectorAll("*")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  const control = node.matches("input:not([type=checkbox]), select") && !node.disabled;
  if (!(own || control) || !node.checkVisibility() || node.closest("noscript, option, datalist")) continue;
  const style = getComputedStyle(node);
  const drawn = node.namespaceURI.endsWith("svg");
  const paper = [behind(node), ...(drawn ? [parse(getComputedStyle(document.getElementById("land")).fill)] : [])];
  const ink = parse(drawn ? style.fill : style.color);
  found.push([node.textContent.slice(0, 40), Math.min(...paper.map((one) => ratio(ink, one)))]);
}
return found;
"""
"""Every visible text of the page with its contrast to what lies behind it, by WCAG's formula."""


@pytest.fixture(scope="module")
def loans() -> Iterator[Stub]:
    """Classes, categories, missing values and names that break careless programs."""
    with serving(LOANS) as stub:
        yield stub


@pytest.fixture(scope="module")
def california() -> Iterator[Stub]:
    with serving(described("california")) as stub:
        yield stub


def shown_value(browser: Browser) -> str:
    return browser.find("#value").text


def fill(browser: Browser, **values: str) -> None:
    for name, value in values.items():
        write(browser, BOX[name], value)


def write(browser: Browser, selector: str, value: str) -> None:
    # Over what stood there: an empty box on the way would be asked about.
    browser.find(selector).send_keys(Keys.CONTROL + "a" + Keys.NULL + (value or Keys.DELETE))


def says(browser: Browser, selector: str, words: str) -> None:
    browser.wait(f"{selector} says {words}", lambda: words in browser.find(selector).text)


def predicted(service: Service, browser: Browser) -> dict[str, Any]:
    """What the service answers to the page's inputs."""
    boxes = {name: float(browser.find(box).get_attribute("value") or "nan") for name, box in BOX.items()}
    with service.client() as client:
        answer: dict[str, Any] = client.post("/explain", json=boxes).raise_for_status().json()
    return answer


def await_answer(browser: Browser, stub: Stub, change: Any) -> dict[str, Any]:
    """Do what changes the form; returns the answer that follows."""
    before = len(stub.answers)
    change()
    browser.wait("an answer", lambda: len(stub.answers) > before)
    return stub.answers[-1]


def opened(browser: Browser, stub: Stub, **screen: Any) -> dict[str, Any]:
    """Open a stub's page; returns the first answer, which the page shows."""
    answer = await_answer(browser, stub, lambda: browser.open(f"{stub.url}/", **screen))
    browser.find("#bars tr")
    return answer


def dollars(value: float) -> str:
    return f"${value * 100_000:,.0f}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_docs_page_predicts(service: Service, browser: Browser, scheme: str) -> None:
    """In /docs, light or dark: open the operation, "Try it out", execute, read; no complaint and no other host."""
    browser.open(f"{service.url}/docs", scheme=scheme)
    operation = "#operations-predictions-predict"
    browser.find(f"{operation} button.opblock-summary-control").click()
    browser.find(f"{operation} .try-out__btn").click()
    browser.find(f"{operation} .execute").click()
    answer = json.loads(browser.find(f"{operation} .live-responses-table .response-col_description pre").text)
    with service.client() as client:
        document = client.get("/docs/openapi.json").json()
        properties = document["components"]["schemas"]["Features"]["properties"]
        example = {name: field["examples"][0] for name, field in properties.items()}
        assert answer == client.post("/predict", json=example).json()
    assert browser.find(f"{operation} .live-responses-table tbody .response-col_status").text.startswith("200")
    red, green, blue = browser.run("return getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g)")[
        :3
    ]
    assert browser.run("return document.documentElement.classList.contains('dark-mode')") is (scheme == "dark")
    assert scheme == "light" or int(red) + int(green) + int(blue) < 150
    assert browser.driver.title == f"{document['info']['title']} API"
    assert browser.complaints() == []
    assert browser.hosts() == {urlsplit(service.url).netloc}


def test_examples_of_the_document_have_names(service: Service) -> None:
    """No example in the OpenAPI document is called by its number."""
    with service.client() as client:
        document = client.get("/docs/openapi.json").text
    assert re.findall(r'"[\w-]*example-\d+"', document) == []


def test_page_predicts_as_the_service_does(service: Service, browser: Browser) -> None:
    """The page at / shows the prediction in dollars, its interval, and bars that add up, from this host alone."""
    browser.open(f"{service.url}/")
    before = browser.wait("a first prediction", lambda: re.match(r"\$", shown_value(browser)) and shown_value(browser))
    fill(browser, MedInc="3.5", HouseAge="20", Population="1200")
    browser.find("#form button[type=submit]").click()
    answer = predicted(service, browser)
    browser.wait("another prediction", lambda: shown_value(browser) == dollars(answer["median_house_value"]) != before)
    interval = answer["interval"]
    assert f"{dollars(interval['low'])} to {dollars(interval['high'])}" in browser.find("#likely").text
    assert answer["unit"] in browser.find("#unit").text
    pushes = {
        row.get_attribute("data-feature"): float(row.get_attribute("data-push") or "nan")
        for row in browser.shown("#bars tr[data-feature]")
    }
    assert pushes == {name: pytest.approx(push) for name, push in answer["contributions"].items()}
    amounts = [cell.text for cell in browser.shown("#bars td.amount")]
    assert "-" not in "".join(amounts)
    start, *middle, end = (int(re.sub(r"[$,]", "", amount).replace("\N{MINUS SIGN}", "-")) for amount in amounts)
    assert start + sum(middle) == pytest.approx(end, abs=10)  # each is rounded to a dollar
    assert browser.complaints() == []
    assert browser.hosts() == {urlsplit(service.url).netloc}


def test_every_input_has_a_label_a_unit_and_a_range(service: Service, browser: Browser) -> None:
    """Each of the eight inputs is labelled, says its unit, what it means and what the model has seen."""
    browser.open(f"{service.url}/")
    with service.client() as client:
        features = client.get("/static/table.json").json()["features"]
    for feature in features:
        box = browser.find(BOX[feature["name"]])
        label = browser.find(f"label[for={box.get_attribute('id')}]").text
        assert feature["title"] in label
        assert feature["unit"] in label
        assert box.accessible_name.startswith(feature["title"])
        described_by = [f"#{one}" for one in (box.get_attribute("aria-describedby") or "").split()]
        words = " ".join(
            browser.run("return document.querySelector(arguments[0]).textContent", one) for one in described_by
        )
        assert feature["description"] in words
        assert "Seen in training: " in words
    # Units of ten thousand are counted out.
    fill(browser, MedInc="3.25")
    says(browser, f"{BOX['MedInc']}-sum", "= 32,500 USD")


def test_descriptions_of_the_table_agree(service: Service) -> None:
    """The stub's California is what the service says of its table."""
    with service.client() as client:
        answered = client.get("/static/table.json").json()
    stubbed = described("california")
    assert stubbed["map"]["outline"] == answered["map"]["outline"]
    for description in (answered, stubbed):
        for feature in description["features"]:
            del feature["range"]  # the model's own
    assert stubbed == answered


def test_map_is_used_by_mouse_and_by_keyboard(service: Service, browser: Browser) -> None:
    """A click on the map sets latitude and longitude, arrow keys move them, and the prediction follows."""

    def place() -> list[float]:
        return [float(browser.find(BOX[name]).get_attribute("value") or "nan") for name in ("Latitude", "Longitude")]

    def follows() -> bool:
        return shown_value(browser) == dollars(predicted(service, browser)["median_house_value"])

    browser.open(f"{service.url}/")
    chart = browser.find("#map")
    webdriver.ActionChains(browser.driver).move_to_element(chart).click().perform()
    clicked = place()
    # The middle of the map lies in the Central Valley.
    assert clicked == [pytest.approx(37.2, abs=0.3), pytest.approx(-119.3, abs=0.5)]
    browser.wait("the clicked place's prediction", follows)
    assert browser.run("return getComputedStyle(arguments[0]).outlineStyle", chart) == "none"
    chart.send_keys(Keys.ARROW_UP, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    chart.send_keys(Keys.SHIFT + Keys.ARROW_DOWN)
    assert browser.run("return getComputedStyle(arguments[0]).outlineStyle", chart) == "solid"
    assert place() == [pytest.approx(clicked[0] + 0.05 - 0.5), pytest.approx(clicked[1] - 0.1)]
    browser.wait("the next place's prediction", follows)
    assert browser.shown("#doubts") == []


def test_doubt_stands_where_the_number_is(service: Service, browser: Browser) -> None:
    """A place outside the outline and a value beyond the training data are flagged beside the number they spoil."""
    browser.open(f"{service.url}/")
    browser.wait("a prediction", lambda: shown_value(browser).startswith("$"))
    sure = browser.run("return getComputedStyle(document.getElementById('value')).color")
    fill(browser, Latitude="33", Longitude="-124")
    says(browser, "#doubts", "outside the map")
    assert "does not hold" in browser.find("#likely").text
    assert browser.run("return getComputedStyle(document.getElementById('value')).color") != sure
    gap = browser.find("#doubts").rect["y"] - browser.find("#value").rect["y"]
    assert 0 < gap < 150
    fill(browser, Latitude="37", Longitude="-120", Population="1000000")
    says(browser, "#doubts", "Population")
    assert "outside the map" not in browser.find("#doubts").text
    assert shown_value(browser).startswith("$")
    browser.find("#doubts a").click()
    assert browser.driver.switch_to.active_element == browser.find(BOX["Population"])


def test_wide_interval_is_a_doubt(california: Stub, browser: Browser) -> None:
    """An interval that is wider than the value itself is said to be so, beside the number."""
    row = {feature["name"]: feature["example"] for feature in california.description["features"]}
    changed = ("MedInc", "HouseAge", "AveRooms", "Population", "AveOccup")
    rows = (dict(zip(changed, values, strict=True)) for values in product(range(3, 15), repeat=len(changed)))
    low = next(some for some in rows if 0.75 <= california.answer(row | some)["median_house_value"] < 2)
    opened(browser, california)
    assert browser.shown("#doubts") == []
    fill(browser, **{name: str(value) for name, value in low.items()})
    says(browser, "#doubts", "wider than the value itself")
    assert "Nine times in ten" in browser.find("#likely").text


def test_page_says_what_is_wrong_and_keeps_its_shape(california: Stub, browser: Browser) -> None:
    """A refused value is named beside its input and in the card; nothing else on the page moves."""
    shape = (
        "return [scrollY, document.documentElement.scrollHeight, ...arguments[0].map((one) => "
        "Math.round(document.querySelector(one).getBoundingClientRect().y))]"
    )
    places = ["#pushes", "footer", *BOX.values()]
    opened(browser, california)
    for accepted in ("322", "1000000"):
        fill(browser, Population=accepted)
        browser.wait("an answer", lambda accepted=accepted: california.bodies[-1]["Population"] == float(accepted))
        browser.wait("its doubt", lambda accepted=accepted: bool(browser.shown("#doubts")) == (accepted == "1000000"))
        before = browser.run(shape, places)
        fill(browser, Population="-5", MedInc="8,3")
        browser.wait("two refusals", lambda: len(browser.shown("#failure a")) == 2)
        box = browser.find(BOX["Population"])
        assert box.get_attribute("aria-invalid") == "true"
        assert "Give a number from 0 to" in browser.find(f"{BOX['Population']}-fault").text
        assert browser.run(shape, places) == before
        fill(browser, Population=accepted, MedInc="8.3")
        browser.wait("a prediction", lambda: shown_value(browser).startswith("$"))
        assert box.get_attribute("aria-invalid") == "false"
        assert browser.run(shape, places) == before


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3,5", "Write 3.5, with a point."),
        ("-0,25", "Write -0.25, with a point."),
        ("1,234", "Write 1.234 or 1234: the comma may mean either."),
        ("1,234.5", "Write 1234.5, without commas."),
        ("1,234,567", "Write 1234567, without commas."),
        ("many", "Give a number from 0 to 100."),
        ("", "Give a number from 0 to 100."),
        ("1e999", "Give a number from 0 to 100."),
        ("0x10", "Give a number from 0 to 100."),
        ("Infinity", "Give a number from 0 to 100."),
    ],
)
def test_what_is_no_number_is_never_taken_for_one(california: Stub, browser: Browser, written: str, said: str) -> None:
    """A decimal comma, and whatever else is no number, is sent as it was written, refused, and answered with advice."""
    opened(browser, california)
    fill(browser, MedInc=written)
    browser.wait("the advice", lambda: browser.find(f"{BOX['MedInc']}-fault").text == said)
    assert california.bodies[-1]["MedInc"] == written


def test_numbers_are_read_as_people_write_them(california: Stub, browser: Browser) -> None:
    """A minus that is no hyphen, an exponent, blanks around and a bare point are understood."""
    opened(browser, california)
    values = {"Longitude": "\N{MINUS SIGN}120.5", "MedInc": " 7. ", "HouseAge": ".5", "AveOccup": "25e-1"}
    await_answer(browser, california, lambda: fill(browser, **values))
    read = {"Longitude": -120.5, "MedInc": 7.0, "HouseAge": 0.5, "AveOccup": 2.5}
    browser.wait("all of them", lambda: {name: california.bodies[-1][name] for name in read} == read)


@pytest.mark.parametrize("table", ["california", "loans", "wide"])
def test_page_fits_a_phone(browser: Browser, table: str) -> None:
    """At 390 pixels nothing is scrolled sideways, and the answer is in sight in a tenth of the screen."""
    with serving(wide(200) if table == "wide" else described(table)) as stub:
        opened(browser, stub, width=390, height=844)
        width, height = browser.run("return [document.documentElement.scrollWidth, innerHeight]")
        bar = browser.run("return document.querySelector('.answer').getBoundingClientRect().toJSON()")
    assert width <= 390
    assert bar["bottom"] <= height
    assert bar["y"] > 0
    if table == "california":
        assert bar["height"] < height / 10


@pytest.mark.parametrize("screen", [(1280, 800), (390, 844)])
def test_page_asks_for_the_key_where_it_is_seen(browser: Browser, screen: tuple[int, int]) -> None:
    """Where predictions need an API key, the page asks for it in sight, says if it is wrong, and then predicts."""
    with serving(described("california"), key="secret") as guarded:
        browser.open(f"{guarded.url}/", *screen)
        key = browser.find("#key")
        top, bottom = browser.run(
            "const {top, bottom} = arguments[0].getBoundingClientRect(); return [top, bottom]", key
        )
        assert top >= 0
        assert bottom <= screen[1]
        assert "API key is required" in browser.find("#failure").text
        assert key.accessible_name == "API key"
        key.send_keys("wrong", Keys.ENTER)
        assert guarded.answers == []
        write(browser, "#key", "secret")
        assert guarded.answers == []
        key.send_keys(Keys.ENTER)
        browser.wait("a prediction", lambda: shown_value(browser).startswith("$"))
        assert browser.shown("#key") == []


def test_page_predicts_with_a_key(serve: Serve, browser: Browser, model_directory: Path) -> None:
    """The real service takes the key that the page sends."""
    guarded = serve(MODEL_PATH=str(model_directory), API_KEYS="secret")
    browser.open(f"{guarded.url}/")
    browser.find("#key").send_keys("secret", Keys.ENTER)
    browser.wait("a prediction", lambda: shown_value(browser).startswith("$"))


def test_any_name_is_data(loans: Stub, browser: Browser) -> None:
    """Whatever a column, class or category is called, it is shown as text and sent under that very name."""
    answer = opened(browser, loans)
    features = [feature for feature in LOANS["features"] if feature["example"] is not None]
    assert loans.bodies[-1] == {feature["name"]: feature["example"] for feature in features}
    for i, feature in enumerate(LOANS["features"]):
        assert browser.find(f"label[for=field-{i}]").text.split("\n")[0].startswith(feature["title"])
        assert (browser.find(f"#field-{i}").get_attribute("disabled") is None) == (feature["example"] is not None)
    rows = {row.get_attribute("data-feature"): row.text for row in browser.shown("#bars tr[data-feature]")}
    assert rows.keys() == answer["contributions"].keys()
    for feature in LOANS["features"]:
        assert feature["title"] in rows[feature["name"]].replace("\n", " ")
    assert shown_value(browser) == answer["label"]
    assert browser.driver.title == "Loans: try the model"
    assert browser.complaints() == []
    assert browser.hosts() == {urlsplit(loans.url).netloc}


def test_every_kind_of_control_sends_its_value(loans: Stub, browser: Browser) -> None:
    """Whole numbers, booleans, lists, long lists and what is left out arrive as JSON's own kinds."""
    opened(browser, loans)

    def box(name: str) -> str:
        return f"#field-{COLUMN[name]}"

    def sends(name: str, value: Any) -> None:
        browser.wait(f"{name} {value}", lambda: loans.bodies[-1].get(name) == value)

    write(browser, box("months"), "48")
    sends("months", 48)
    for name, key, value in [
        ("constructor", Keys.ARROW_UP, 'a "quoted" one'),
        ("constructor", Keys.ARROW_UP, ""),
        (list(COLUMN)[7], Keys.ARROW_DOWN, False),
    ]:
        browser.find(box(name)).send_keys(key)
        sends(name, value)
    write(browser, box("branch"), "Łódź")
    sends("branch", "Łódź")
    options = browser.run(
        "return [...document.getElementById(arguments[0]).list.options].map((one) => one.value)", box("branch")[1:]
    )
    assert options == LOANS["features"][COLUMN["branch"]]["categories"]
    for name, value in (("branch", None), ("guarantor", False), ("solde à l'ouverture", -3.5)):
        known = browser.find(f"{box(name)}-absent")
        assert known.accessible_name == f"{LOANS['features'][COLUMN[name]]['title']}: not known"
        known.click()
        sends(name, value)
    # Known now: begins with the lowest that was seen.
    write(browser, box("solde à l'ouverture"), "-2.5")
    sends("solde à l'ouverture", -2.5)
    says(browser, f"{box(list(COLUMN)[2])}-sum", "2,500 EUR")
    browser.find(f"{box('branch')}-absent").click()
    write(browser, box("branch"), "Atlantis")
    says(browser, f"{box('branch')}-fault", "one of Aarhus, Bergen")
    write(browser, box("months"), "3.5")
    says(browser, f"{box('months')}-fault", "a whole number from 1 to 480")
    names = {link.text for link in browser.shown("#failure a")}
    assert names == {"Branch", "Months"}


def test_what_may_not_be_missing_has_no_such_control(loans: Stub, browser: Browser) -> None:
    """Only a feature that may be missing can be left out; the others say that they are required."""
    opened(browser, loans)
    for i, feature in enumerate(LOANS["features"]):
        assert bool(browser.shown(f"#field-{i}-absent")) == feature["missing"]
        assert (browser.find(f"#field-{i}").get_attribute("required") == "true") != feature["missing"]


@pytest.mark.parametrize(
    ("kind", "classes"),
    [("boolean", []), ("category", LOANS["target"]["classes"]), ("category", [*map(str, range(40))])],
)
def test_classes_are_shown_with_their_probabilities(browser: Browser, kind: str, classes: list[str]) -> None:
    """A classifier's answer is its label, a bar for each class with the 90 % set marked, and raw scores that add up."""
    with serving({**LOANS, "target": {**LOANS["target"], "kind": kind, "classes": classes}}) as stub:
        answer = opened(browser, stub)
        label = {True: "yes", False: "no"}.get(answer["label"], answer["label"])
        assert shown_value(browser) == label
        assert f"{100 * answer['probabilities'][label]:.1f}".removesuffix(".0") in browser.find("#likely").text
        rows = {row.text.split("\n")[0]: row.text for row in browser.shown("#classes tr")}
        likely = [name for i, name in enumerate(answer["probabilities"]) if i < 10 or name in answer["set"]]
        rest = len(answer["probabilities"]) - len(likely)
        assert [name for name in rows if " others" not in name] == likely
        assert any(f"{rest} others" in name for name in rows) == (rest > 0)
        assert [name for name, text in rows.items() if "in the 90 % set" in text] == answer["set"]
        assert bool(browser.shown("#doubts")) == (len(answer["set"]) != 1)
        assert "raw score" in browser.find("#pushes caption").text
        start, *pushes, end = (
            float(cell.text.replace("\N{MINUS SIGN}", "-")) for cell in browser.shown("#bars td.amount")
        )
        longest = sorted(answer["contributions"].values(), key=lambda push: -abs(push))
        assert start == answer["base_value"]
        assert pushes == [pytest.approx(push, rel=1e-3) for push in longest]
        assert end == pytest.approx(start + sum(pushes), abs=0.01)


def test_wide_table_stays_usable(browser: Browser) -> None:
    """Of 200 columns each can be found and sent; the longest pushes are shown, the others summed or all of them."""
    with serving(wide(200)) as stub:
        answer = opened(browser, stub)
        assert len(stub.bodies[-1]) == len(browser.shown(".field")) == 200
        named = [link.text for link in browser.shown("#doubts a")]
        assert named == [f"Sensor {i}" for i in range(200) if i % 4 == 1 and i % 90 > 50][:3]
        write(browser, "#filter", "sensor 137")
        titles = [label.text for label in browser.shown(".field > label")]
        beyond = [f"Sensor {i}" for i in range(200) if i % 4 == 1 and i % 90 > 50]
        assert titles == [f"{title} mm" for title in sorted({*beyond, "Sensor 137"}, key=lambda one: int(one[7:]))]
        await_answer(browser, stub, lambda: write(browser, "#field-137", "-41"))
        browser.wait("the value", lambda: stub.bodies[-1]["column 137"] == -41)
        write(browser, "#filter", "of kind boolean")
        assert {"Sensor 3", "Sensor 199"} <= {label.text for label in browser.shown(".field > label")}
        longest = sorted(
            stub.answers[-1]["contributions"], key=lambda name: -abs(stub.answers[-1]["contributions"][name])
        )
        assert answer["contributions"].keys() == set(longest)

        def listed() -> list[str | None]:
            return [row.get_attribute("data-feature") for row in browser.shown("#bars tr[data-feature]")]

        browser.wait("ten pushes", lambda: listed() == longest[:10])
        assert "190 others" in browser.find("#bars").text
        browser.find("#all").click()
        assert listed() == longest
        assert browser.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("table", ["california", "loans"])
def test_text_stands_out(california: Stub, loans: Stub, browser: Browser, scheme: str, table: str) -> None:
    """Light or dark, whether there is an answer, a doubtful one or none: every text has a contrast of 4.5 or more."""
    stub, (column, doubtful) = {
        "california": (california, (BOX["Population"], "1000000")),
        "loans": (loans, (f"#field-{COLUMN['months']}", "130")),
    }[table]
    opened(browser, stub, scheme=scheme)
    faint = [browser.run(CONTRAST)]
    await_answer(browser, stub, lambda: write(browser, column, doubtful))
    browser.find("#doubts")
    faint.append(browser.run(CONTRAST))
    write(browser, column, "-3")
    browser.find("#failure")
    faint.append(browser.run(CONTRAST))
    assert all(len(texts) > 30 for texts in faint)
    assert [text for texts in faint for text in texts if text[1] < 4.5] == []
    background = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(background) < 200) == (scheme == "dark")


def test_answer_is_announced(california: Stub, browser: Browser) -> None:
    """A screen reader is told each answer, with its doubts and failures, and every control has a name."""
    opened(browser, california)
    (region,) = browser.shown("[aria-live=polite][aria-atomic=true]")
    told = browser.run(
        "return ['value', 'likely', 'doubts', 'failure'].every((id) => arguments[0].querySelector('#' + id))", region
    )
    assert told
    controls = browser.shown("input, select, button, svg[tabindex]")
    assert len(controls) == len(FEATURES) + 2
    assert all(control.accessible_name for control in controls)
    assert browser.run("return document.getAnimations().length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_panel_shows_what_the_model_was_asked(loans: Stub, browser: Browser, scheme: str) -> None:
    """Closed it asks for nothing; opened by keyboard it shows counts, shares and what has drifted farthest."""
    opened(browser, loans, scheme=scheme)
    asked = loans.asked
    panel = browser.find("#live summary")
    assert panel.accessible_name or panel.text == "What the model has been asked"
    assert not browser.shown("#live table")
    assert loans.asked == asked
    panel.send_keys(Keys.ENTER)
    says(browser, "#live-rows", "Requests")
    cells = [row.text.split("\n") for row in browser.shown("#live-rows tr")]
    rows = {line[0] if len(line) > 1 else line[0].rsplit(" ", 2)[0]: " ".join(line) for line in cells}
    assert any(f"1,{234 + loans.asked}" in text for text in rows.values())
    text = browser.find("#live-rows").text
    assert "12.5 %" in text
    assert "under 0.1 %" in text
    assert "not known" in text
    drifted = [line for line in text.split("\n") if line.startswith("Drift of ")]
    last = LOANS["features"][-1]["title"]
    assert "no (0.05)" in drifted[0]
    assert drifted[1].startswith(f"Drift of {last}")
    assert "much" in drifted[1]
    assert len(drifted) == 6
    assert [each for each in browser.run(CONTRAST) if each[1] < 4.5] == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.complaints() == []


def test_panel_shows_the_service_itself(service: Service, browser: Browser, example: dict[str, float]) -> None:
    """What the real service counts is what its page shows."""
    with service.client() as client:
        client.post("/predict/batch", json={"rows": [example] * 1000}).raise_for_status()
        browser.open(f"{service.url}/")
        browser.find("#live summary").click()
        says(browser, "#live-rows", "Predictions")
        live = client.get("/model").json()["live"]
    assert live["since_start"]["rows"] >= 1000
    assert "much" in browser.find("#live-rows").text
    assert browser.complaints() == []


def test_page_without_javascript_says_so(service: Service, browser: Browser) -> None:
    """Without JavaScript there is no dead button: the page says what it needs, and leads to what needs none."""
    browser.open(f"{service.url}/", scripts=False)
    links = {str(link.get_attribute("href")) for link in browser.shown("noscript a")}
    assert browser.shown("button, input") == []
    assert links == {f"{service.url}{path}" for path in ("/schema", "/docs/openapi.json")}
    with service.client() as client:
        assert [client.get(link).status_code for link in links] == [200, 200]
    browser.open("about:blank")


def test_page_says_that_the_service_is_gone(browser: Browser) -> None:
    """A page that cannot learn of the table, gets no answer, or one of somebody else, says so."""
    with serving(described("california")) as stub:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/static/table.json"]})
        browser.open(f"{stub.url}/")
        says(browser, "#trouble", "did not answer")
        assert browser.shown("main") == []
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        opened(browser, stub)
        stub.behind_a_broken_proxy = True
        fill(browser, MedInc="1")
        says(browser, "#failure", "The service answered 502.")
    fill(browser, MedInc="2")
    says(browser, "#failure", "did not answer")


def test_page_knows_no_table() -> None:
    """No word of the shipped table stands in the page's own files."""
    table = described("california")
    features = [word for feature in table["features"] for word in (feature["name"], feature["title"])]
    target = [table["target"][key] for key in ("name", "answer", "title")]
    places = [place["name"] for place in table["map"]["places"]]
    words = {*features, *target, *places, table["title"], table["row"], "California", "House", "house", "dollar", "USD"}
    for file in pages.STATIC.iterdir():
        assert [word for word in words if word in file.read_text()] == [], file.name


def test_policy_lets_nothing_else_in(service: Service) -> None:
    """Both pages forbid inline code and style, and every other host."""
    with service.client() as client:
        for path in ("/", "/docs"):
            policy = client.get(path).headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy


def test_documents_can_be_switched_off(serve: Serve, service: Service, model_directory: Path) -> None:
    """DOCS=false leaves no page, document or file of them, nor live figures; predictions and MLflow's paths stay."""
    bare = serve(MODEL_PATH=str(model_directory), DOCS="false")
    with service.client() as client:
        assert [client.get(path).status_code for path in PATHS] == [200] * len(PATHS)
    with bare.client() as client:
        assert [client.get(path).status_code for path in PATHS] == [404] * len(PATHS)
        assert [client.get(path).status_code for path in ("/ping", "/version", "/model")] == [200, 200, 200]
        assert client.get("/model").json()["live"] is None
        assert client.post("/explain", json={}).status_code == 422


def test_missing_swagger_ui_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Swagger UI's package the service does not start with documents, and says what to install."""
    monkeypatch.setattr(pages, "SWAGGER", "no-such-package")
    with pytest.raises(SettingsError, match=r"requirements/docs\.txt.*DOCS=false"):
        pages.pages(b"{}")
