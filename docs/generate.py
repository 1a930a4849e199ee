"""Write the parts of the documentation that the code knows: `python docs/generate.py [--check]`.

With `--check` nothing is written; the exit code is 1 where a file would change.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from variantbuild.config import Setting, settings

ROOT = Path(__file__).resolve().parent.parent


def render_settings() -> str:
    """Return the table of settings as Markdown."""
    rows = ["| key | values | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{setting.key}` | {setting.values} | {_default(setting)} | {setting.doc} |"
        for setting in settings()
    ]
    return "\n".join(rows)


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


def replace_part(text: str, name: str, part: str) -> str:
    """Return `text` with what stands between the marks of `name` replaced by `part`."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"the marks {begin} and {end} are missing")
    return f"{head}{begin}\n{part}\n{end}{tail}"


def main(arguments: list[str]) -> int:
    """Update the README, or compare it."""
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = replace_part(before, "settings", render_settings())
    if before == after:
        return 0
    if "--check" in arguments:
        print("README.md is not what docs/generate.py writes: run it", file=sys.stderr)
        return 1
    readme.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
