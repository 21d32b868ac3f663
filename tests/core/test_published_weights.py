"""Files of weights: tensors alone are read, by their names, and nobody is asked in vain."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from survkit.errors import ConfigError, DataError
from survkit.published_weights import check_reachable, file_state, hub_files, load_strictly


@pytest.mark.parametrize("key", [None, "state_dict", "model"])
def test_a_state_dict_is_found_where_trainings_put_it(tmp_path: Path, key: str | None) -> None:
    """By itself, or beside an epoch; the tensors are those of the file."""
    state = nn.Linear(3, 2).state_dict()
    torch.save(state if key is None else {key: state, "epoch": 7}, tmp_path / "weights.pt")
    save_file(state, tmp_path / "weights.safetensors")

    for name in ("weights.pt", "weights.safetensors"):
        found = file_state(tmp_path / name)
        assert found.keys() == state.keys()
        assert all(torch.equal(found[each], state[each]) for each in state)


def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path) -> None:
    """A name of another kind, an absent file, an object, and texts."""
    with pytest.raises(ConfigError, match="weights is 'pretrained', null"):
        file_state(Path("weights.onnx"))
    with pytest.raises(DataError, match="there is no file"):
        file_state(tmp_path / "weights.pt")
    torch.save(nn.Linear(2, 2), tmp_path / "object.pt")
    with pytest.raises(DataError, match="objects other than tensors, which are never run"):
        file_state(tmp_path / "object.pt")
    torch.save({"name": "text"}, tmp_path / "text.pt")
    with pytest.raises(DataError, match="does not hold a state dict"):
        file_state(tmp_path / "text.pt")


def test_every_difference_is_named() -> None:
    """And the network keeps what it had."""
    network = nn.Linear(3, 2)
    before = network.weight.detach().clone()
    other = {"weight": torch.zeros(2, 4), "gain": torch.zeros(1)}

    with pytest.raises(DataError) as raised:
        load_strictly(network, other, "weights: x.pt")

    assert "1 missing: bias; 1 unknown: gain; 1 of another shape: weight (2, 4) instead" in str(
        raised.value
    )
    assert torch.equal(network.weight, before)


def test_a_revision_is_part_of_an_address() -> None:
    """As timm writes it; without a name of the file the usual ones are tried."""
    assert hub_files({"hf_hub_id": "a/b@v2", "hf_hub_filename": "w.bin"}) == (
        "a/b",
        "v2",
        ["w.bin"],
    )
    usual = ["model.safetensors", "pytorch_model.bin"]
    assert hub_files({"hf_hub_id": "a/b"}) == ("a/b", None, usual)


def test_nobody_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port is said at once, with the cure."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(DataError, match=r"'tiny' are not in the cache .*or draw them$"):
        check_reachable("http://127.0.0.1:9/x", "tiny", cure="draw them")
