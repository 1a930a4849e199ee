"""What unit and integration tests share: wheels written from drafts."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheels.forge import Draft, Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a draft to a directory of its own and return its path."""

    def write_draft(draft: Draft) -> Path:
        directory = tmp_path / "input"
        directory.mkdir(exist_ok=True)
        path = directory / draft.file_name
        path.write_bytes(draft.build())
        return path

    return write_draft
