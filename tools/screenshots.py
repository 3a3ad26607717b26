"""The four pictures of the page that README and docs show; it needs chromium and its driver.

python tools/screenshots.py
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PORT = 8139
TARGET = Path(__file__).parents[1] / "docs"
PATIENCE_SECONDS = 240.0
PICTURES = (
    ("web-trial.png", "/", "Hit or miss", 1400, 1000, "light"),
    ("web-patient.png", "/patient", "What the rules did", 1400, 1220, "light"),
    ("web-grid.png", "/grid?name=emilia&seed=1", "The same again", 1400, 1000, "dark"),
    ("web-phone.png", "/patient", "What the rules did", 360, 800, "dark"),
)
"""File, address, what stands there when it is drawn, width, height, light or dark."""


def driver() -> Any:
    """Chromium without a screen."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def picture(browser: Any, path: str, until: str, size: tuple[int, int], scheme: str) -> bytes:
    """A view as PNG, once it is drawn."""
    from PIL import Image

    scheme_now = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 500}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme_now)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(f"http://localhost:{PORT}{path}")
    end = time.monotonic() + PATIENCE_SECONDS
    while until not in browser.execute_script("return document.body.innerText"):
        if time.monotonic() > end:
            raise SystemExit(f"{path}: {until!r} did not come")
        time.sleep(0.3)
    time.sleep(1.5)
    few = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB").quantize(64)
    kept = io.BytesIO()
    few.save(kept, "png", optimize=True)
    return kept.getvalue()


def main() -> None:
    """Serve the page, and take all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "her2sim", "web", "--no-open", "--port", str(PORT)]
        server = subprocess.Popen([*command, "--folder", folder], stdout=subprocess.DEVNULL)
        time.sleep(12)
        browser = driver()
        try:
            for name, path, until, width, height, scheme in PICTURES:
                found = picture(browser, path, until, (width, height), scheme)
                (TARGET / name).write_bytes(found)
                print(f"{name}: {len(found) / 1000:.0f} kB")
        finally:
            browser.quit()
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
