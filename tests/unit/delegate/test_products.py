"""What earlier builds left among the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.delegate.products import Tracked, has_products


def put(tree: Path, name: str) -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def index(*names: str, version: int = 2) -> bytes:
    """Return the parts of a git index that matter: signature, version, paths."""
    entries = b"".join(b"\1" * 62 + name.encode() + b"\0" for name in names)
    return b"DIRC" + version.to_bytes(4, "big") + len(names).to_bytes(4, "big") + entries


@pytest.mark.parametrize(
    "name",
    [
        "src/a.o",
        "a.lo",
        ".cache/3f/ab.o",
        "demo/_m.cpython-311-x86_64-linux-gnu.so",
        "demo/_m.cp311-win_amd64.pyd",
        "demo/_m.abi3.so",
        "demo/_m.pypy310-pp73-x86_64-linux-gnu.so",
        "lib/build/a.o",
    ],
)
def test_found(name: str, tmp_path: Path) -> None:
    put(tmp_path, name)
    assert has_products(tmp_path)
    assert has_products(tmp_path, modules=False) is ("/_m." not in name)


@pytest.mark.parametrize(
    "name",
    [
        "lib/libfoo.so",
        "lib/libfoo.a",
        "a.c",
        "build/temp.linux/a.o",
        "build/variantbuild-v3-0/x.o",
        "target/CACHEDIR.TAG",
        "venv/pyvenv.cfg",
        ".git/a.o",
        "out/CMakeCache.txt",
    ],
)
def test_not_a_product_of_a_build_among_the_sources(name: str, tmp_path: Path) -> None:
    put(tmp_path, name)
    if name.endswith(("TAG", "cfg", "txt")):
        put(tmp_path, str(Path(name).with_name("b.o")))
    assert not has_products(tmp_path)


def test_files_under_version_control_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "data/a.o")
    put(tmp_path, ".git/index").write_bytes(index("data/a.o"))
    assert not has_products(tmp_path)
    assert not has_products(tmp_path / "data")
    put(tmp_path, "data/b.o")
    assert has_products(tmp_path)


@pytest.mark.parametrize("kind", ["none", "empty", "worktree", "version 4"])
def test_index(kind: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    file = put(tree, "a.o")
    match kind:
        case "empty":
            put(tree, ".git/config")
        case "worktree":
            put(tmp_path, "main/.git/worktrees/tree/index").write_bytes(index("a.o"))
            put(tree, ".git").write_text("gitdir: ../main/.git/worktrees/tree\n")
        case "version 4":
            put(tree, ".git/index").write_bytes(index("x", version=4))
    tracked = Tracked(tree)
    assert tracked.known is (kind == "worktree")
    assert (file in tracked) is (kind in ("worktree", "version 4"))
    assert put(tree, "b.o") not in tracked or kind == "version 4"
