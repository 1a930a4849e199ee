"""Fixtures of the build cache's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheels.forge import Draft


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return the path of a sound wheel on disk."""
    draft = Draft()
    path = tmp_path / draft.file_name
    path.write_bytes(draft.build())
    return path
