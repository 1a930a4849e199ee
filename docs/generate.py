"""Write the files and parts of files that are derived from code: `docs/generate.py [--check]`.

With `--check` nothing is written, and the exit code is 1 if a file would change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from marks import render_table, replace_part
from variantbuild.config import Setting, settings
from variantbuild.config.overrides import AXES, EARLY_AXIS, MACHINE_AXES
from variantbuild.config.schema import render_schema

ROOT = Path(__file__).resolve().parent.parent


def render_settings() -> str:
    """Return the table of settings as Markdown."""
    rows = [
        (f"`{setting.key}`", setting.values, _default(setting), setting.doc)
        for setting in settings()
    ]
    return render_table(("key", "values", "default", "meaning"), rows)


def render_conditions() -> str:
    """Return what overrides can test and change, as Markdown."""
    early = ", ".join(f"`{setting.key}`" for setting in settings() if setting.early)
    machine = " and ".join(f"`if.{axis}`" for axis in MACHINE_AXES)
    late = ", ".join(f"`if.{axis}`" for axis in AXES if axis != EARLY_AXIS)
    return (
        f"The conditions are `if.{EARLY_AXIS}`, {late}. The user's and the machine's files also "
        f"have {machine}: the machine that builds (see [clusters](clusters.md)). pyproject.toml "
        "does not, because a project must give the same wheel wherever it is built. A table can "
        "set every key except `overrides`. These take part in choosing the variant, so only "
        f"conditions that are known before can be used with them (`if.{EARLY_AXIS}`, {machine}): "
        f"{early}."
    )


def _default(setting: Setting) -> str:
    match setting.default:
        case None:
            return "none"
        case bool(value):
            return f"`{str(value).lower()}`"
        case str(word):
            return f"`{word}`"
        case items:
            return f"`{json.dumps(items)}`"


def generated_files() -> Iterator[tuple[Path, str]]:
    """Yield each file with the text that it should have."""
    page = ROOT / "docs" / "settings.md"
    text = replace_part(page.read_text(encoding="utf-8"), "settings", render_settings())
    yield page, replace_part(text, "conditions", render_conditions())
    example = ROOT / "example_project"
    measured = (example / "benchmark.txt").read_text(encoding="utf-8")
    readme = example / "README.md"
    text = replace_part(readme.read_text(encoding="utf-8"), "benchmark", f"```\n{measured}```")
    yield readme, text
    schema = ROOT / "backend" / "variantbuild" / "data" / "settings.schema.json"
    yield schema, json.dumps(render_schema(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files that differ, or with `--check` name them."""
    status = 0
    for path, after in generated_files():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before == after:
            continue
        if "--check" in arguments:
            name = path.relative_to(ROOT)
            print(f"{name} is out of date: run python docs/generate.py", file=sys.stderr)
            status = 1
        else:
            path.write_text(after, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
