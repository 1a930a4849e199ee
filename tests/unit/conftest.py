"""Fixtures of the unit tests: machines served from recorded files."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost
from variantbuild.host import LocalHost


@pytest.fixture
def recorded_host() -> Callable[[str], RecordedHost]:
    """Load a machine of tests/hosts by its folder's name."""
    return RecordedHost.load


@pytest.fixture
def local_host() -> LocalHost:
    """The machine that the tests run on."""
    return LocalHost(env=os.environ)
