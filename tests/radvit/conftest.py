"""What the tests of the plugin share."""

from __future__ import annotations

from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures
