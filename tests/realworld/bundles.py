"""Bundle packages from PyPI at v1, v3 and v4: `python tests/realworld/bundles.py [NAME…]`.

    --resume         skip packages that have a result for the pinned version
    --directory DIR  keep sdists, logs and wheels in DIR
    --render         only write the table again

Each package is built once with `bundle = ["v1", "v3", "v4"]`, repaired to a manylinux wheel,
audited for v1, installed by pip and by uv, and checked at each level, where the copies of that
level must be loaded. Its loop and its import are timed at v3 against the package's own build.
Results are stored in bundles.json, and the table in docs/bundle.md is written from them. Without
names the packages with `bundle = true` in packages.toml are built. The exit code is 1 if one does
not pass.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realworld.building import Workshop, add_directory
from realworld.bundling import BundleOutcome, attempt_bundle, read_bundles, store_bundle
from realworld.recipes import Recipe, load_recipes
from realworld.run import REPO, build_ours, find_uv

PAGE = REPO / "docs" / "bundle.md"
BEGIN, END = "<!-- realworld: generated -->\n", "<!-- realworld: end -->\n"


def main(arguments: list[str] | None = None) -> int:
    args = _parse(arguments)
    recipes = load_recipes()
    unknown = [name for name in args.names if name not in recipes]
    if unknown:
        print(f"packages.toml has no package {', '.join(unknown)}", file=sys.stderr)
        return 2
    chosen = [recipes[name] for name in args.names] or [r for r in recipes.values() if r.bundle]
    if args.resume:
        known = read_bundles()
        chosen = [r for r in chosen if r.name not in known or known[r.name].version != r.version]
    passed = True
    if chosen and not args.render:
        passed = _work(chosen, Path(args.directory).resolve())
    write_table(read_bundles())
    return 0 if passed else 1


def _work(chosen: list[Recipe], directory: Path) -> bool:
    ours = build_ours(directory / "ours" / str(os.getpid()))
    passed = True
    for recipe in chosen:
        shop = Workshop(directory=directory / "bundles" / recipe.name, ours=ours, uv=find_uv())
        outcome = attempt_bundle(recipe, shop, directory / "sdists", partial(_say, recipe.name))
        store_bundle(recipe.name, outcome)
        _say(recipe.name, outcome.problem or "passes")
        passed &= not outcome.problem
    return passed


def _say(name: str, words: str) -> None:
    print(f"{name}: {words}", file=sys.stderr, flush=True)


def write_table(outcomes: Mapping[str, BundleOutcome], page: Path = PAGE) -> None:
    """Replace the table between the marks in `page`."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(before + BEGIN + render_table(outcomes) + END + after, encoding="utf-8")


def render_table(outcomes: Mapping[str, BundleOutcome]) -> str:
    """Return the table of packages, those that gain the most first."""
    rows = [
        "| package | kind | copies | speed at v3 | size | import |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in sorted(outcomes.items(), key=lambda pair: (-pair[1].ratio, pair[0])):
        if each.problem:
            rows.append(f"| {name} | {each.kind} | **{each.problem}** | – | – | – |")
            continue
        copies = f"{each.modules} × {', '.join(each.copies)} ({each.method})"
        speed = f"{each.ratio:.2f} ×" if each.ratio else "–"
        size = f"{each.plain_size / 1024:.0f} → {each.size / 1024:.0f} KiB"
        times = f"{each.plain_imported:.1f} → {each.imported:.1f} ms"
        rows.append(f"| {name} | {each.kind} | {copies} | {speed} | {size} | {times} |")
    return "\n".join(rows) + "\n"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    about, _, options = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=options, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--render", action="store_true")
    add_directory(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
