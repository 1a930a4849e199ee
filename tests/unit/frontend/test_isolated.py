"""The environment and the log of the processes that an isolated build starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from variantbuild.frontend.isolated import _logging_runner
from variantbuild.frontend.situation import FRONTEND_VARIABLE
from variantbuild.messages import MESSAGES_VARIABLE

PRINT_ENV = "import json, os; print(json.dumps(dict(os.environ)))"


def test_hooks_get_the_environment_that_was_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THIS_PROCESS", "1")
    log, messages = tmp_path / "log", tmp_path / "messages"
    run = _logging_runner(log, messages, {"GIVEN": "1", "CHANGED": "before"})
    run([sys.executable, "-c", PRINT_ENV], extra_environ={"CHANGED": "by build"})
    seen = json.loads(log.read_text(encoding="utf-8"))
    assert (seen["GIVEN"], seen["CHANGED"]) == ("1", "by build")
    assert (seen[FRONTEND_VARIABLE], seen[MESSAGES_VARIABLE]) == ("variantbuild", str(messages))
    assert "OF_THIS_PROCESS" not in seen


def test_both_streams_go_to_the_log_and_a_failure_is_raised(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = _logging_runner(log, tmp_path / "messages", {})
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    with pytest.raises(subprocess.CalledProcessError):
        run([sys.executable, "-c", code], cwd=str(tmp_path))
    assert log.read_text(encoding="utf-8") == "out\nerr\n"
