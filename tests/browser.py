"""A real browser: headless Chromium, with what it logged and asked for."""

import json
import shutil
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PROGRAMS = ("chromium", "chromedriver")
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


class Browser:
    """Chromium, with what it logged and asked for since the last page was opened."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which(PROGRAMS[0]))
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1200"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Driver(str(shutil.which(PROGRAMS[1]))))

    def open(
        self, url: str, width: int = 1280, height: int = 1200, *, scheme: str = "light", scripts: bool = True
    ) -> None:
        """Open a page on a screen of this size, for a reader who has chosen light or dark, with or without scripts."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.driver.get("about:blank")
        self.complaints(), self.hosts()
        self.driver.get(url)

    def find(self, selector: str) -> WebElement:
        """The first visible element that matches, waited for."""

        def visible(_: Any) -> WebElement | Literal[False]:
            found = [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]
            return found[0] if found else False

        return WebDriverWait(self.driver, 30).until(visible, f"nothing visible matches {selector}")

    def shown(self, selector: str) -> list[WebElement]:
        """The visible elements that match, now."""
        return [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]

    def run(self, script: str, *arguments: Any) -> Any:
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

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
