"""Pages in a real browser: Chromium lays them out for a telephone and for a screen.

A script that is added to a copy of a page measures it there; the page itself has none. Skipped
where Chromium is not installed (Debian: ``apt install chromium``).
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import her2sim as h2
from her2sim.report.timeline_page import html_page
from her2sim.report.trial_page import page_text
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

MEASURE = """
<script>
function parsed(text) { return (text.match(/[\\d.]+/g) || []).map(Number); }
function luminance(c) {
  const l = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
  return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
}
function behind(e) {
  for (; e; e = e.parentElement) {
    const c = parsed(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  }
  return [255, 255, 255];
}
const found = {width: innerWidth, needed: document.documentElement.scrollWidth, contrast: 21,
  letters: 100, worst: "", hidden_rows: 0, unnamed: 0, overflowing: []};
for (const e of document.querySelectorAll("h1,h2,p,li,td,th,caption,summary,svg text")) {
  const box = e.getBoundingClientRect();
  if (!box.width || !e.textContent.trim()) continue;
  const style = getComputedStyle(e);
  const inPicture = e.tagName === "text";
  const colour = parsed(inPicture ? style.fill : style.color);
  const [a, b] = [luminance(colour), luminance(behind(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < found.contrast) { found.contrast = ratio; found.worst = e.textContent.trim(); }
  const svg = e.closest("svg");
  const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
  const size = parseFloat(style.fontSize) * scale;
  found.letters = Math.min(found.letters, size);
  const inside = e.closest(".wide");
  if (!inside && box.right > innerWidth + 1) found.overflowing.push(e.textContent.slice(0, 40));
}
for (const e of document.querySelectorAll("[role=img],img")) {
  if (!(e.getAttribute("aria-label") || e.getAttribute("alt"))) found.unnamed += 1;
}
parent.document.getElementById("measured").textContent = JSON.stringify(found);
</script>
"""


def measured(page: str, width: int, folder: Path) -> dict:
    """What the browser made of a page at a width in pixels.

    It lies in a frame of that width: a window of Chromium is never narrower than 500.
    """
    path = folder / f"{width}.html"
    inner = html.escape(page.replace("</body>", MEASURE + "</body>"))
    frame = f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{inner}"></iframe>'
    path.write_text(f'<pre id="measured"></pre>{frame}', encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width + 100},1000",
            "--dump-dom", path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'<pre id="measured">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-500:]
    told: dict = json.loads(html.unescape(found[1]))
    return told


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    patient = ROOT / "examples" / "patient_mbc.toml"
    readings = ROOT / "examples" / "readings_mbc.csv"
    real = h2.course(patient, "thp", 60, readings=readings, seed=1)
    simulated = h2.course(patient, "thp", 30, seed=1)
    trial = h2.run_trial("emilia", 60, 1)
    return {
        "course": html_page(real.timeline),
        "simulated course": html_page(simulated.timeline),
        "trial": page_text([trial.report]),
        "validation": h2.validate(100, 1).html(),
    }


@pytest.mark.parametrize("width", [420, 1400])
@pytest.mark.parametrize("name", ["course", "simulated course", "trial", "validation"])
def test_a_page_fits_and_can_be_read(name: str, width: int, pages, tmp_path: Path) -> None:
    """Nothing is cut off or scrolls sideways but wide pictures in their frames; 4.5 to 1."""
    found = measured(pages[name], width, tmp_path)
    assert found["width"] == width
    assert found["needed"] <= width
    assert found["overflowing"] == []
    assert found["contrast"] >= 4.5, found["worst"]
    assert found["unnamed"] == 0
    assert found["letters"] >= (6.4 if "course" in name else 6.0)  # numbers at decisions


def test_a_page_prints_with_everything_open(pages, tmp_path: Path) -> None:
    """A PDF of some pages; the records that are folded on the screen are in it."""
    path = tmp_path / "course.html"
    path.write_text(pages["course"], encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}",
            f"--print-to-pdf={tmp_path / 'course.pdf'}", path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0
    pdf = (tmp_path / "course.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    sheets = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 2 <= sheets <= 8
