"""The page in a real browser: on a phone nothing overflows, and nothing is asked of a network."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PHONE = 390
PROBE = """
<!doctype html><body style="margin:0">
<iframe id="page" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>
<pre id="found"></pre><script>
document.getElementById("page").onload = () => {{
  const page = document.getElementById("page").contentDocument, root = page.documentElement;
  const shown = element => element.getClientRects().length > 0;
  const found = {{
    width: root.clientWidth, content: root.scrollWidth,
    wide: [...page.querySelectorAll("main *, header *, nav *")].filter(element => shown(element)
      && !element.closest(".scroll, pre") && element.getBoundingClientRect().right > {width} + 1
    ).map(element => element.outerHTML.slice(0, 80)),
    pictures: [...page.images].map(image => [image.alt.length, image.naturalWidth > 0]),
    bodies: [...page.querySelectorAll(".fold > .body")].map(shown),
    requests: page.defaultView.performance.getEntriesByType("resource").map(entry => entry.name)
      .filter(name => !name.startsWith("data:")),
  }};
  document.getElementById("found").textContent = JSON.stringify(found);
}};
</script>
"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed")
    return found


def looked_at(browser: str, page: str, folder: Path, *, width: int) -> dict[str, Any]:
    """Open a page at a width and return what a script in the frame around it measured."""
    probe = folder / "probe.html"
    probe.write_text(PROBE.format(width=width, page=html.escape(page)), encoding="utf-8")
    flags = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={folder / 'profile'}", f"--window-size={max(width, 500)},900"),
        *("--hide-scrollbars", "--virtual-time-budget=20000", "--dump-dom"),
    ]
    done = subprocess.run(
        [browser, *flags, probe.as_uri()], capture_output=True, text=True, timeout=120
    )
    measured = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert measured is not None, f"{sys.platform}: {done.stderr[-2000:]}"
    return dict(json.loads(html.unescape(measured[1])))


@pytest.mark.parametrize("opened", [False, True], ids=["as it comes", "all opened"])
def test_a_phone_shows_it_without_sideways_scrolling(
    browser: str, full_page: Path, tmp_path: Path, opened: bool
) -> None:
    """Results are open, the other sections to be opened; wide tables scroll in their own frame."""
    page = full_page.read_text(encoding="utf-8")
    if opened:
        page = page.replace('class="toggle"', 'class="toggle" checked')
        page = page.replace("<details", "<details open")
    found = looked_at(browser, page, tmp_path, width=PHONE)

    assert found["width"] == PHONE
    assert found["content"] == PHONE
    assert found["wide"] == []
    assert all(found["bodies"]) if opened else found["bodies"].count(True) == 2


def test_a_desktop_shows_everything(browser: str, full_page: Path, tmp_path: Path) -> None:
    """Nothing is folded away, every picture is drawn and has words, no network is asked."""
    page = full_page.read_text(encoding="utf-8")
    found = looked_at(browser, page, tmp_path, width=1280)

    assert all(found["bodies"])
    assert found["wide"] == []
    assert len(found["pictures"]) > 8
    assert all(words > 30 and drawn for words, drawn in found["pictures"])
    assert found["requests"] == []


def test_the_probe_sees_what_is_wrong(browser: str, tmp_path: Path) -> None:
    """A measurement that cannot fail would prove nothing."""
    page = (
        '<!doctype html><meta name="viewport" content="width=device-width">'
        '<main><div style="width:900px">wide</div><img src="file:///nowhere.png"></main>'
    )
    found = looked_at(browser, page, tmp_path, width=PHONE)

    assert found["content"] > PHONE
    assert len(found["wide"]) == 1
    assert found["pictures"] == [[0, False]]
    assert len(found["requests"]) <= 1
