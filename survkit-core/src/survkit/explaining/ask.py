"""Asking a component for what it may offer to be looked at; what goes wrong is its own fault."""

from __future__ import annotations

from typing import Any

import torch

from survkit.errors import PluginError, SurvkitError


def ask(component: Any, method: str, *given: Any, subject: str = "") -> Any:
    """Call a method of a component without gradients.

    Args:
        component: An encoder or a fusion.
        method: Its name.
        given: What it is called with.
        subject: For whom, in the error.

    Raises:
        PluginError: It fails.
    """
    try:
        with torch.no_grad():
            return getattr(component, method)(*given)
    except SurvkitError:
        raise
    except Exception as error:
        whom = f" for subject '{subject}'" if subject else ""
        raise PluginError(
            f"{type(component).__name__}.{method} fails{whom} ({type(error).__name__}: {error}); "
            "tell its authors"
        ) from error
