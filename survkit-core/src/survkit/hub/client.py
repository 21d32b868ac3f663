"""The Hub's client, and its errors in one sentence each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from survkit.errors import HubError, HubUnavailableError, UserError

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError


def client(token: str | None = None) -> HfApi:
    """Return a client of the Hub that ``HF_ENDPOINT`` names.

    Args:
        token: Instead of that of ``HF_TOKEN`` or of ``hf auth login``.
    """
    from huggingface_hub import HfApi

    return HfApi(token=token, library_name="survkit")


def endpoint() -> str:
    """Return the address of the Hub that is asked."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def is_offline() -> bool:
    """Whether the user forbade the network (``HF_HUB_OFFLINE``)."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


@contextmanager
def hub_errors(name: str, revision: str | None = None) -> Iterator[None]:
    """Turn what the client raises inside the block into one sentence with its cure.

    Raises:
        HubError: The repository, revision or right is not there.
        HubUnavailableError: The Hub cannot be reached, fails, or hangs up.
    """
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except (UserError, HubUnavailableError):
        raise
    except HfHubHTTPError as error:
        raise _answered(error, name, revision) from error
    except RuntimeError as error:
        raise _broken_upload(error, name) from error.__cause__
    except LocalTokenNotFoundError as error:
        raise HubError(f"{name}: no token is known; log in with hf auth login") from error
    except json.JSONDecodeError as error:
        raise HubUnavailableError(
            f"{name}: {endpoint()} answers as no Hub does; look at HF_ENDPOINT and at the proxy"
        ) from error
    except ValueError as error:  # what the Hub says of a README.md, and what the client checks
        raise HubError(f"{name}: refused: {_one_line(error)}") from error
    except _no_answer() as error:
        reason = _one_line(error.__cause__ or error) or type(error).__name__
        raise HubUnavailableError(
            f"{name}: {endpoint()} cannot be reached ({reason}); look at the network, or try later"
        ) from error


def _answered(
    error: HfHubHTTPError, name: str, revision: str | None
) -> HubError | HubUnavailableError:
    """Return what an answer other than the one hoped for means."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, RevisionNotFoundError):
        return HubError(f"{name}: has no branch, tag or commit '{revision or 'main'}' on the Hub")
    if isinstance(error, GatedRepoError):
        return HubError(
            f"{name}: its owners give it to those who ask; ask at {endpoint()}/{name}, and log in "
            "with hf auth login"
        )
    if isinstance(error, RepositoryNotFoundError):
        return HubError(
            f"{name}: no such folder is here, and {endpoint()} has no such model, or it is private "
            "and the token may not see it; correct the name, or log in with hf auth login"
        )
    status = error.response.status_code
    if status == 401:
        return HubError(
            f"{name}: the Hub does not know the token; make a new one at "
            f"{endpoint()}/settings/tokens and log in with hf auth login"
        )
    if status == 403:
        return HubError(
            f"{name}: the token has no right to this; use one that may write to "
            f"{name.partition('/')[0]}"
        )
    if status in (408, 429) or status >= 500:
        return HubUnavailableError(
            f"{name}: {endpoint()} fails (HTTP {status}); nothing is wrong here, try later"
        )
    said = _one_line(error.server_message or "") or "no reason was given"
    return HubError(f"{name}: the Hub refuses this (HTTP {status}): {said}")


def _broken_upload(error: RuntimeError, name: str) -> Exception:
    """Return why an upload broke, which the client wraps; other such errors as they are."""
    from huggingface_hub.errors import HfHubHTTPError

    cause = error.__cause__
    if cause is None:
        return error
    if isinstance(cause, HfHubHTTPError):
        return _answered(cause, name, None)
    return HubUnavailableError(
        f"{name}: {_one_line(error)} ({_one_line(cause)}); nothing was published, try again"
    )


def _no_answer() -> tuple[type[Exception], ...]:
    """Return what says that nobody answered, or nobody who is a Hub."""
    from huggingface_hub.errors import (
        FileMetadataError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    # The client's HTTP library has changed its name; its errors share the base of this one.
    (of_http,) = (base for base in HfHubHTTPError.__bases__ if base is not OSError)
    return FileMetadataError, LocalEntryNotFoundError, OfflineModeIsEnabled, of_http


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
