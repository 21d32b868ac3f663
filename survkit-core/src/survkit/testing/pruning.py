"""The conformance tests of encoders that leave tokens out of their computation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from survkit.flow import Encoding, ModalityInput, map_tensors, select
from survkit.prunes_tokens import PrunesTokens
from survkit.testing.encoder import EncoderConformance
from survkit.testing.kit import assert_close


class PrunesTokensConformance(EncoderConformance):
    """What an encoder must keep that offers :class:`survkit.prunes_tokens.PrunesTokens`."""

    def test_tokens_count_by_shares(self) -> None:
        """Importance is not negative, sums to one per subject, and is each subject's own."""
        encoder, values = self._with_values()

        together = encoder.token_importance(values)

        assert isinstance(self.build(), PrunesTokens)
        assert together.shape == (self.subjects, encoder.encoding.tokens)
        assert bool((together >= 0).all())
        torch.testing.assert_close(together.sum(dim=1), torch.ones_like(together[:, 0]))
        alone = [encoder.token_importance(values[row : row + 1]) for row in range(self.subjects)]
        torch.testing.assert_close(torch.cat(alone), together)

    def test_keeping_all_changes_nothing(self) -> None:
        """Said as a choice, or taken back after another one, to the last bit."""
        encoder = self.build()
        batch = self.batch(encoder)
        expected = encoder(batch)
        some = some_tokens(1, int(encoder.encoding.tokens))[0]

        for kept in (torch.ones_like(some), None):
            encoder.keep_tokens(some)
            encoder.keep_tokens(kept)
            torch.testing.assert_close(encoder(batch).summary, expected.summary, rtol=0, atol=0)

    def test_left_out_tokens_are_zeros_and_masked(self) -> None:
        """The encoding keeps its shape; importance stays that of all tokens."""
        encoder, values = self._with_values()
        batch = ModalityInput(values, torch.ones(self.subjects, dtype=torch.bool))
        importance, plain = encoder.token_importance(values), encoder(batch)
        kept = some_tokens(1, int(encoder.encoding.tokens))[0]

        encoder.keep_tokens(kept)
        found: Encoding = encoder(batch)

        assert found.tokens.shape == plain.tokens.shape
        assert found.token_mask is not None
        assert not bool((found.token_mask & ~kept).any())
        assert not bool((found.tokens * ~found.token_mask[..., None]).any())
        torch.testing.assert_close(encoder.token_importance(values), importance, rtol=0, atol=0)

    def test_choices_of_single_subjects_are_each_alone(self) -> None:
        """A subject with a choice of its own is encoded as it is alone with that choice."""
        encoder, values = self._with_values()
        batch = ModalityInput(values, torch.ones(self.subjects, dtype=torch.bool))
        kept = some_tokens(self.subjects, int(encoder.encoding.tokens))

        encoder.keep_tokens(kept)
        together = encoder(batch)

        for row in range(self.subjects):
            encoder.keep_tokens(kept[row])
            alone = encoder(select(batch, torch.tensor([row])))
            found = map_tensors(together, lambda tensor, row=row: tensor[row : row + 1])  # type: ignore[misc]
            assert_close(_shown(alone), _shown(found))

    def test_a_choice_for_everybody_is_saved(self) -> None:
        """A fresh encoder with the saved state leaves the same tokens out."""
        encoder, fresh = self.build(), self.build(seed=5, fitted=False)
        batch = self.batch(encoder)
        encoder.keep_tokens(some_tokens(1, int(encoder.encoding.tokens))[0])

        fresh.load_state_dict(encoder.state_dict(), strict=True)

        torch.testing.assert_close(_shown(fresh(batch)), _shown(encoder(batch)), rtol=0, atol=0)

    def _with_values(self) -> tuple[Any, Tensor]:
        encoder = self.build().double()
        return encoder, self.batch(encoder).values.double()


def some_tokens(subjects: int, tokens: int) -> Tensor:
    """Return which tokens to keep, another number of each subject; bool (batch, token)."""
    generator = torch.Generator().manual_seed(7)
    order = torch.rand(subjects, tokens, generator=generator).argsort(dim=1)
    counts = 1 + torch.arange(subjects) % max(1, tokens - 1)
    return order < counts[:, None]


def _shown(encoding: Encoding) -> dict[str, Tensor]:
    found = {"summary": encoding.summary, "tokens": encoding.tokens}
    if encoding.attention_weights is not None:
        found["attention_weights"] = encoding.attention_weights
    if encoding.token_mask is not None:
        found["token_mask"] = encoding.token_mask
    return found
