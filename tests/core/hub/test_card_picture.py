"""The calibration figure of a card: what was measured, one picture, nothing but pixels."""

from __future__ import annotations

import json
import struct
import zlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.core.hub.measured import calibrated, cross_validation, evaluation, final_model
from tests.hub_server.leaks import published
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import contents, save_small_model

from survkit.errors import RunError
from survkit.hub import pull, push_to_hub, write_card
from survkit.hub.description import ModelDescription
from survkit.hub.model_card import model_card
from survkit.hub.png_file import MOST_BYTES, SIGNATURE, check_png
from survkit.report.calibration_figure import draw_calibration
from survkit.report.calibration_sheet import calibration_sheet
from survkit.report.figure import canvas

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)


def two_causes(relapse: dict[str, Any]) -> dict[str, Any]:
    return {"death": calibrated(), "relapse": relapse}


def unobserved() -> dict[str, Any]:
    """Return a calibration of which nothing could be observed."""
    reason = {"reason": "follow-up ends at 1, before the horizon 2", "n": 40, "events": 3}
    return {"calibration": [{"predicted": 0.2, "observed": reason}], "calibration_curve": reason}


def size(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels, as the file states them."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width: int, height: int) -> bytes:
    """Return a small file that unpacks to 400 megabytes, whatever it states."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(400)) + packer.flush()
    head = struct.pack(">II5B", width, height, 8, 0, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_what_is_drawn_is_what_was_measured() -> None:
    """Points, bars and the curve stand where the file of numbers says."""
    held = calibrated()
    with canvas(4, 4) as figure:
        axes = figure.subplots()
        draw_calibration(axes, held["calibration"], held["calibration_curve"])
        points = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
        lines = [line.get_xydata().tolist() for line in axes.lines if line.get_linestyle() == "-"]
        bars = [
            one.get_segments()[0].tolist()
            for one in axes.collections
            if hasattr(one, "get_segments")
        ]

    assert points == [[[0.2, 0.25]], [[0.6, 0.55]]]
    assert [[0.1, 0.2], [0.4, 0.4], [0.8, 0.7]] in lines
    assert [[0.2, 0.15], [0.2, 0.35]] in bars


def test_the_same_numbers_give_the_same_picture() -> None:
    """Other numbers another one; each is a clean PNG."""
    first, again = (
        calibration_sheet({"death": calibrated()}),
        calibration_sheet({"death": calibrated()}),
    )
    other = calibration_sheet({"death": calibrated(shift=0.1)})

    assert first is not None
    assert other is not None
    assert first == again != other
    for png in (first, other):
        check_png(png, "it")


def test_each_cause_has_a_panel() -> None:
    """Two that are drawn stand side by side; one that could not be observed is left out."""
    one = calibration_sheet({"death": calibrated()})
    both = calibration_sheet(two_causes(calibrated(0.1)))
    half = calibration_sheet(two_causes(unobserved()))

    assert one is not None
    assert both is not None
    assert half is not None
    assert size(both) == (pytest.approx(2 * size(one)[0], abs=2), size(one)[1])
    assert size(half) == size(one)
    assert calibration_sheet({"death": unobserved()}) is None


def test_a_cause_that_cannot_be_drawn_has_the_reason(tmp_path: Path) -> None:
    """In the card's words; the others are drawn."""
    found = evaluation()
    found["causes"]["death"] |= unobserved()
    run = cross_validation(tmp_path / "cv", found)
    card = write_card(run, "org/name", fold=1).read_text()

    assert "**No figure**, because nothing could be observed by the horizon:" in card
    assert "- `death`: not drawn: follow-up ends at 1, before the horizon 2\n" in card
    assert "calibration.png" not in card
    assert not (run / "fold-1" / "calibration.png").exists()


def test_causes_are_told_one_by_one(tmp_path: Path) -> None:
    """Subjects, events, groups and method of each; the reason where there is none."""
    found = evaluation()
    death = found["causes"]["death"]
    found["causes"] = {"death": death, "relapse": deepcopy(death) | unobserved()}
    run = cross_validation(tmp_path / "cv", found)
    config = run / "fold-1" / "config.json"
    changed = json.loads(config.read_text())
    changed["outcome"]["causes"] = ["death", "relapse"]
    changed["components"]["head"]["settings"] = {}
    config.write_text(json.dumps(changed))
    description = ModelDescription.from_json(changed)
    card = model_card(run / "fold-1", description, "org/name")

    assert card.picture is not None
    assert (
        "- `death`: n 40, E 18 by 2 days, in 2 groups; observed by Aalen–Johansen at 95%; "
        in card.text
    )
    assert "smoothed curve: spline, n 40, E 18\n- `relapse`: not drawn: follow-up ends" in card.text


def test_the_card_and_its_picture_are_written_and_replaced_together(tmp_path: Path) -> None:
    """A later card without a figure takes away the one of before."""
    folder = final_model(tmp_path / "final", "refit")
    write_card(folder, "org/name")
    picture = (folder / "calibration.png").read_bytes()
    with pytest.raises(RunError, match="is there already"):
        write_card(folder, "org/name")
    (folder / "metrics.json").unlink()

    assert picture == calibration_sheet({"death": calibrated()})
    write_card(folder, "org/name", overwrite=True)
    assert not (folder / "calibration.png").exists()


def test_it_is_published_and_fetched_with_the_card(tmp_path: Path, hub: Hub) -> None:
    """One file more than before, that of the card; a pulled folder has it too."""
    folder = final_model(tmp_path / "final", "refit")
    push_to_hub(folder, "org/name")
    sent = published(hub)
    pull("org/name", tmp_path / "pulled")

    assert set(sent) == {*contents(folder), "README.md", "calibration.png"}
    assert sent["calibration.png"] == calibration_sheet({"death": calibrated()})
    assert (tmp_path / "pulled" / "calibration.png").read_bytes() == sent["calibration.png"]
    assert b"](calibration.png)" in sent["README.md"]


def test_that_of_an_earlier_model_does_not_stay(tmp_path: Path, hub: Hub) -> None:
    """The next model was not measured, so its card shows nothing."""
    push_to_hub(final_model(tmp_path / "final", "refit"), "org/name")
    push_to_hub(save_small_model(tmp_path / "next"), "org/name")

    assert set(published(hub)) == {"config.json", "model.safetensors", "README.md"}


def test_the_picture_of_a_card_that_somebody_edited_stays_with_it(tmp_path: Path, hub: Hub) -> None:
    """Words and picture belong together."""
    folder = final_model(tmp_path / "final", "refit")
    card = write_card(folder, "org/name")
    card.write_text(card.read_text().replace("For research.", "For research at our clinic."))
    push_to_hub(folder, "org/name")
    before = published(hub)["calibration.png"]
    push_to_hub(save_small_model(tmp_path / "next"), "org/name")

    assert published(hub)["calibration.png"] == before


def test_a_picture_that_no_card_shows_is_not_published(tmp_path: Path, hub: Hub) -> None:
    """Neither beside another card, nor where the card is made anew."""
    folder = save_small_model(tmp_path / "model")
    (folder / "calibration.png").write_bytes(b"a scan of P-001")
    push_to_hub(folder, "org/name")
    (folder / "README.md").write_text("# Mine\n")
    push_to_hub(folder, "org/name")

    assert set(published(hub)) == {"config.json", "model.safetensors", "README.md"}
    assert all(b"P-001" not in body for body in hub.bodies)


def test_another_picture_under_its_name_is_refused(tmp_path: Path, hub: Hub) -> None:
    """A missing one, one of other numbers, a scan, and words hidden in the file."""
    folder = final_model(tmp_path / "final", "refit")
    card = write_card(folder, "org/name")
    picture = folder / "calibration.png"
    own = picture.read_bytes()
    other = calibration_sheet({"death": calibrated(0.1)})
    assert other is not None

    picture.write_bytes(other)
    with pytest.raises(RunError, match=r"was written with another calibration\.png"):
        push_to_hub(folder, "org/name")
    picture.unlink()
    with pytest.raises(RunError, match=r"shows calibration\.png, which is not there"):
        push_to_hub(folder, "org/name")
    card.write_text("# Mine\n\n![ours](calibration.png)\n")
    for content, said in [
        (b"\xff\xd8\xff JPEG", "is no PNG"),
        (own[:-20], "a damaged PNG"),
        (own + b"P-001", "5 bytes stand behind the end"),
        (own[:33] + chunk(b"tEXt", b"Author\0P-001") + own[33:], "holds 'tEXt' beside its pixels"),
        (own[:33] + chunk(b"pHYs", b"P-001 died 2019") + own[33:], "holds 'pHYs' beside"),
        (own[:33] + 2 * chunk(b"tRNS", b"P-001") + own[33:], "holds 'tRNS' beside its pixels"),
        (own[:-12] + chunk(b"IEND", b"P-001"), "holds 'IEND' beside its pixels"),
        (own[:-12] + chunk(b"IDAT", b"P-001") + own[-12:], "holds bytes beside those of its"),
        (bomb(20_000, 20_000), "a PNG of 20000 x 20000 that is not drawn here"),
        (bomb(10, 10), "holds bytes beside those of its 10 x 10"),
        (SIGNATURE + own[33:], "a damaged PNG"),
        (SIGNATURE + bytes(MOST_BYTES), "bytes are more than"),
    ]:
        picture.write_bytes(content)
        with pytest.raises(RunError, match=said):
            push_to_hub(folder, "org/name")
    assert hub.log == []
    picture.write_bytes(own)
    push_to_hub(folder, "org/name")
    assert published(hub)["calibration.png"] == own


def test_a_damaged_calibration_is_refused(tmp_path: Path) -> None:
    """Rather than a figure that leaves half of it out."""
    found = evaluation()
    del found["causes"]["death"]["calibration"][0]["predicted"]

    with pytest.raises(RunError, match=r"its calibration is damaged .*'predicted'"):
        write_card(final_model(tmp_path / "final", "refit", found), "org/name")
