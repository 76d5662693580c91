"""The docs page and the page at / in a real browser: they work, alone, under a strict policy."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from api.answers import pages
from api.errors import SettingsError
from tests.california import FEATURES
from tests.running import Serve, Service

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATHS = ("/", "/docs", "/docs/openapi.json", "/static/page.js", "/static/swagger-ui-bundle.js")


class Browser:
    """Chromium, with what it logged and asked for since the last page was opened."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1200"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Driver(str(shutil.which("chromedriver"))))

    def open(self, url: str, width: int = 1280) -> None:
        """Open a page, as wide as the given screen."""
        screen = {"width": width, "height": 1200, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.get("about:blank")
        self.complaints(), self.hosts()
        self.driver.get(url)

    def find(self, selector: str) -> WebElement:
        """The first visible element that matches, waited for."""

        def visible(_: Any) -> WebElement | Literal[False]:
            found = [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]
            return found[0] if found else False

        return WebDriverWait(self.driver, 30).until(visible, f"nothing visible matches {selector}")

    def wait(self, what: str, condition: Any) -> Any:
        """Wait until a condition holds; returns its value."""
        return WebDriverWait(self.driver, 30).until(lambda _: condition(), f"waited in vain: {what}")

    def complaints(self) -> list[str]:
        """What the console says, such as errors and broken policies."""
        return [entry["message"] for entry in self._log("browser")]

    def hosts(self) -> set[str]:
        """The hosts that were asked for anything."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).netloc for url in urls if url.startswith("http")}

    def _log(self, kind: str) -> list[Any]:
        entries: list[Any] = self.driver.execute(Command.GET_LOG, {"type": kind})["value"]
        return entries


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.driver.quit()


def shown_value(browser: Browser) -> str:
    return browser.find("#value").text


def fill(browser: Browser, **values: str) -> None:
    for name, value in values.items():
        box = browser.find(f"#{name}")
        box.clear()
        box.send_keys(value)


def predicted(service: Service, browser: Browser) -> dict[str, Any]:
    """What the service answers to the page's inputs."""
    boxes = {name: float(browser.find(f"#{name}").get_attribute("value") or "nan") for name in FEATURES}
    with service.client() as client:
        answer: dict[str, Any] = client.post("/explain", json=boxes).raise_for_status().json()
    return answer


def dollars(value: float) -> str:
    return f"${value * 100_000:,.0f}"


def test_docs_page_predicts(service: Service, browser: Browser) -> None:
    """In /docs: open the operation, "Try it out", execute, read the prediction; no complaint and no other host."""
    browser.open(f"{service.url}/docs")
    operation = "#operations-predictions-predict"
    browser.find(f"{operation} button.opblock-summary-control").click()
    browser.find(f"{operation} .try-out__btn").click()
    browser.find(f"{operation} .execute").click()
    answer = json.loads(browser.find(f"{operation} .live-responses-table .response-col_description pre").text)
    with service.client() as client:
        schema = client.get("/docs/openapi.json").json()["components"]["schemas"]["Features"]
        example = {name: field["examples"][0] for name, field in schema["properties"].items()}
        assert answer == client.post("/predict", json=example).json()
    assert browser.find(f"{operation} .live-responses-table tbody .response-col_status").text.startswith("200")
    assert browser.complaints() == []
    assert browser.hosts() == {urlsplit(service.url).netloc}


def test_page_predicts_as_the_service_does(service: Service, browser: Browser) -> None:
    """The page at / shows the prediction in dollars, its interval, and bars that add up, from this host alone."""
    browser.open(f"{service.url}/")
    before = browser.wait("a first prediction", lambda: re.match(r"\$", shown_value(browser)) and shown_value(browser))
    fill(browser, MedInc="3.5", HouseAge="20", Population="1200")
    browser.find("button[type=submit]").click()
    answer = predicted(service, browser)
    browser.wait("another prediction", lambda: shown_value(browser) == dollars(answer["median_house_value"]) != before)
    interval = answer["interval"]
    assert f"{dollars(interval['low'])} to {dollars(interval['high'])}" in browser.find("#interval").text
    assert answer["unit"] in browser.find("#unit").text
    pushes = {
        row.get_attribute("data-feature"): float(row.get_attribute("data-push") or "nan")
        for row in browser.driver.find_elements(By.CSS_SELECTOR, "#bars tr[data-feature]")
    }
    assert pushes == {name: pytest.approx(push) for name, push in answer["contributions"].items()}
    amounts = [
        int(re.sub(r"[$,]", "", cell.text)) for cell in browser.driver.find_elements(By.CSS_SELECTOR, "#bars td.push")
    ]
    start, *middle, end = amounts
    assert start + sum(middle) == pytest.approx(end, abs=10)  # each is rounded to a dollar
    assert browser.complaints() == []
    assert browser.hosts() == {urlsplit(service.url).netloc}


def test_every_input_has_a_label_a_unit_and_a_range(service: Service, browser: Browser) -> None:
    """Each of the eight inputs is labelled, says its unit and what the model has seen, and bounds what may be given."""
    browser.open(f"{service.url}/")
    with service.client() as client:
        model = client.get("/model").json()
        schema = client.get("/docs/openapi.json").json()["components"]["schemas"]["Features"]["properties"]
    for name in FEATURES:
        box = browser.find(f"#{name}")
        label = browser.find(f"label[for={name}]").text
        assert schema[name]["title"] in label
        assert schema[name]["x-unit"] in label
        assert "The model has seen" in browser.find(f"#{name}-hint").text
        assert [float(box.get_attribute(end) or "nan") for end in ("min", "max")] == model["bounds"][name]
        assert box.accessible_name.startswith(schema[name]["title"])


def test_map_is_used_by_mouse_and_by_keyboard(service: Service, browser: Browser) -> None:
    """A click on the map sets latitude and longitude, arrow keys move them, and the prediction follows."""
    browser.open(f"{service.url}/")
    browser.find("#Latitude")
    chart = browser.find("#map")
    webdriver.ActionChains(browser.driver).move_to_element(chart).click().perform()
    place = [float(browser.find(f"#{name}").get_attribute("value") or "nan") for name in ("Latitude", "Longitude")]
    # The middle of the map lies in the Central Valley.
    assert place == [pytest.approx(37.2, abs=0.3), pytest.approx(-119.3, abs=0.5)]
    browser.wait(
        "the clicked place's prediction",
        lambda: shown_value(browser) == dollars(predicted(service, browser)["median_house_value"]),
    )
    chart.send_keys(Keys.ARROW_UP, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    chart.send_keys(Keys.SHIFT + Keys.ARROW_DOWN)
    moved = [float(browser.find(f"#{name}").get_attribute("value") or "nan") for name in ("Latitude", "Longitude")]
    assert moved == [pytest.approx(place[0] + 0.05 - 0.5), pytest.approx(place[1] - 0.1)]
    browser.wait(
        "the next place's prediction",
        lambda: shown_value(browser) == dollars(predicted(service, browser)["median_house_value"]),
    )
    assert browser.driver.find_elements(By.CSS_SELECTOR, "#sea:not([hidden])") == []
    fill(browser, Latitude="33", Longitude="-124")
    assert "outside California" in browser.find("#sea").text


def test_page_says_what_is_wrong_and_what_is_a_guess(service: Service, browser: Browser) -> None:
    """A refused value is named beside its input; a value beyond the training data is flagged with the prediction."""
    browser.open(f"{service.url}/")
    fill(browser, Population="-5")
    assert "Population" in browser.find("#failure").text
    assert browser.find("#Population").get_attribute("aria-invalid") == "true"
    assert "a number from 0 to" in browser.find("#Population-fault").text
    fill(browser, Population="1000000")
    assert "Population" in browser.find("#extrapolated").text
    assert browser.find("#Population").get_attribute("aria-invalid") == "false"
    assert shown_value(browser).startswith("$")


def test_page_fits_a_phone(service: Service, browser: Browser) -> None:
    """At 390 pixels nothing has to be scrolled sideways, and the prediction is in sight while the form is filled."""
    browser.open(f"{service.url}/", width=390)
    browser.wait("a prediction", lambda: shown_value(browser).startswith("$"))
    script = "return [document.documentElement.scrollWidth, innerHeight]"
    width, height = browser.driver.execute_script(script)
    assert width <= 390
    place = browser.find("#value").rect
    assert 0 <= place["y"] < height


def test_page_asks_for_the_key_of_a_guarded_service(serve: Serve, browser: Browser, model_directory: Path) -> None:
    """Where predictions need an API key, the page asks for it and then predicts."""
    guarded = serve(MODEL_PATH=str(model_directory), API_KEYS="secret")
    browser.open(f"{guarded.url}/")
    key = browser.find("#key")
    assert "API key is required" in browser.find("#failure").text
    key.send_keys("secret")
    browser.wait("a prediction", lambda: shown_value(browser).startswith("$"))


def test_policy_lets_nothing_else_in(service: Service) -> None:
    """Both pages forbid inline code and style, and every other host."""
    with service.client() as client:
        for path in ("/", "/docs"):
            policy = client.get(path).headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy


def test_documents_can_be_switched_off(serve: Serve, service: Service, model_directory: Path) -> None:
    """DOCS=false leaves no page, document or file of them; predictions and MLflow's endpoints stay."""
    bare = serve(MODEL_PATH=str(model_directory), DOCS="false")
    with service.client() as client:
        assert [client.get(path).status_code for path in PATHS] == [200] * len(PATHS)
    with bare.client() as client:
        assert [client.get(path).status_code for path in PATHS] == [404] * len(PATHS)
        assert [client.get(path).status_code for path in ("/ping", "/version", "/model")] == [200, 200, 200]
        assert client.post("/explain", json={}).status_code == 422


def test_missing_swagger_ui_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Swagger UI's package the service does not start with documents, and says what to install."""
    monkeypatch.setattr(pages, "SWAGGER", "no-such-package")
    with pytest.raises(SettingsError, match=r"requirements/docs\.txt.*DOCS=false"):
        pages.pages()
