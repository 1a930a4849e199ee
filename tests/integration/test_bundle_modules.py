"""What modules do still works when a chooser stands in their place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundles import INCLUDE, SUFFIX, Binary, make_wheels, module, run_python, unpack
from workshop import SOURCES, run

pytestmark = pytest.mark.compile

HERE = str(SOURCES / "bundle")
INC = f"-I{INCLUDE}"
SHAPES = ("-L.", "-l:libshapes.so", "-Wl,-rpath,$ORIGIN", "-lstdc++")
BINARIES = [
    module("demo.core"),
    module("demo.space.inner.nested"),
    module("outer.core"),
    Binary(f"demo/single{SUFFIX}", "single.c", (INC,)),
    Binary("demo/limited.abi3.so", "limited.c", (INC,)),
    Binary("demo/libshapes.so", "shapes.cpp", ("-Wl,-soname,libshapes.so", "-lstdc++")),
    Binary(f"demo/thrower{SUFFIX}", "thrower.cpp", (INC, *SHAPES)),
    Binary(f"demo/catcher{SUFFIX}", "catcher.cpp", (INC, *SHAPES)),
    Binary(f"demo/fortran{SUFFIX}", "fortran.c", (INC, f"{HERE}/total.f90", "-lgfortran")),
]
FILES = {"demo/table.txt": b"data beside the modules"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    wheels = make_wheels(folder, BINARIES, ("v1", "v3"), FILES)
    words = ("bundle", *map(str, wheels), "-o", str(folder / "out"), "--method", "stub")
    done = run(sys.executable, "-m", "variantbuild", *words, cwd=folder, env=os.environ).ok()
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(wheel, tmp_path_factory.mktemp("site"))


KINDS = {
    "C++ exceptions and RTTI over the borders of modules": """
import demo.thrower as t, demo.catcher as c
assert c.caught(t.thrower()) == 'too round', c.caught(t.thrower())
assert c.side(t.square(3)) == (3.0, 9.0), c.side(t.square(3))""",
    "modules of the same name in two packages": """
import demo.core, outer.core
assert demo.core is not outer.core
assert demo.core.work(3) == outer.core.work(3) == 66.0""",
    "the stable ABI": """
import demo.limited
assert demo.limited.level().split()[1] == '1381760', demo.limited.level()""",
    "Fortran": """
import demo.fortran
assert demo.fortran.total() == 328350.0""",
    "a namespace package": """
import demo.space, demo.space.inner.nested as n
assert demo.space.__spec__.origin is None
assert n.__name__ == 'demo.space.inner.nested'""",
    "the path of the module": """
import demo.core as c, os
assert os.path.basename(c.__file__) == os.path.basename(c.__spec__.origin)
assert os.path.exists(c.__file__)
assert c.__file__.endswith('.so')""",
    "data beside a module's own file": """
import demo.single as s, os
assert os.path.exists(os.path.join(os.path.dirname(s.own_path()), 'table.txt'))""",
    "reload": """
import importlib, demo.core as c, demo.single as s
assert importlib.reload(c).work(3) == 66.0
assert importlib.reload(s).Point(1, 2).y == 2.0""",
    "a module removed and imported again": """
import sys, demo.core as c, demo.single as s
del sys.modules['demo.core'], sys.modules['demo.single']
import importlib
assert importlib.import_module('demo.core').work(3) == 66.0
assert importlib.import_module('demo.single').Point(1, 2).x == 1.0""",
    "pickling of an extension type": """
import pickle, demo.single as s
p = pickle.loads(pickle.dumps(s.Point(3, 4)))
assert type(p) is s.Point and (p.x, p.y) == (3.0, 4.0)""",
    "fork": """
import os, warnings, demo.core as c
pid = os.fork()
if pid == 0:
    import demo.single
    os._exit(0 if c.work(3) == 66.0 and demo.single.Point(1, 2).x == 1.0 else 1)
assert os.waitpid(pid, 0)[1] == 0""",
    "sub-interpreters": """
try:
    import _interpreters as i
    run = lambda number, code: i.exec(number, code)
except ImportError:
    import _xxsubinterpreters as i
    run = i.run_string
number = i.create()
code = f"import sys; sys.path[:] = {sys.path!r}; import demo.core; assert demo.core.work(3) == 66.0"
run(number, code)
i.destroy(number)
import demo.core
assert demo.core.work(3) == 66.0""",
    "threads that import at once": """
import threading, importlib
names = ['demo.core', 'demo.single', 'demo.limited', 'outer.core'] * 4
found = []
load = lambda name: found.append(importlib.import_module(name))
threads = [threading.Thread(target=load, args=(name,)) for name in names]
[t.start() for t in threads]; [t.join() for t in threads]
assert len(found) == 16 and len(set(map(id, found))) == 4""",
    "global symbols, where Python loads with them": """
import os
sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
import demo.core, ctypes
assert ctypes.CDLL(None).PyInit_core""",
    "modules that are found are those of the project": """
import pkgutil, demo
names = {m.name for m in pkgutil.iter_modules(demo.__path__)}
assert names == {
    'core', 'single', 'limited', 'thrower', 'catcher', 'fortran', 'libshapes'}, names""",
    "no search path of the user is needed": """
import os
os.chdir('/')
import demo.thrower as t, demo.core
assert t.square(2)""",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_modules_work_as_before(kind: str, site: Path) -> None:
    done = run_python(site, KINDS[kind])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("cpu", ["Nehalem", "Haswell"])
def test_every_module_takes_its_copy(cpu: str, site: Path) -> None:
    code = """
import demo.core, demo.single, demo.limited, outer.core
print(demo.core.level(), demo.single.level(), demo.limited.level()[:2], outer.core.level())"""
    done = run_python(site, code, "qemu-x86_64", "-cpu", cpu)
    level = "v3" if cpu == "Haswell" else "v1"
    assert done.stdout.split() == [level] * 4, done.stderr


def test_spawn(site: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing as m\n"
        "def f(n):\n    import demo.core\n    return demo.core.work(n)\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as pool:\n"
        "        assert pool.map(f, [3, 3]) == [66.0, 66.0]\n"
    )
    env = {**os.environ, "PYTHONPATH": str(site)}
    run(sys.executable, program, cwd=tmp_path, env=env).ok()


def test_symbols_for_debuggers(site: Path) -> None:
    for name in (f"demo/core{SUFFIX}.v1", f"demo/core{SUFFIX}.v3"):
        words = ("nm", site / name)
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert " t work" in done.stdout
    for name in ("core", "single", "thrower"):
        command = ("readelf", "-a", "-W", site / f"demo/{name}{SUFFIX}")
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        assert f"PyInit_{name}" in done.stdout


def test_a_module_in_a_zip_file_is_not_found(wheel: Path, tmp_path: Path) -> None:
    """As with any compiled module."""
    archive = tmp_path / "site.zip"
    archive.write_bytes(wheel.read_bytes())
    done = run_python(archive, "import demo.core")
    assert "ModuleNotFoundError: No module named 'demo.core'" in done.stderr


def test_nothing_is_left_after_uninstalling(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", target], check=True)
    pip = (sys.executable, "-m", "pip", "--python", str(target / "bin/python"), "-q")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=tmp_path, env=env).ok()
    (packages,) = target.glob("lib/python*/site-packages")
    assert (packages / f"demo/core{SUFFIX}.v3").is_file()
    run(*pip, "uninstall", "-y", "demo", cwd=tmp_path, env=env).ok()
    assert [each.name for each in packages.rglob("*") if "demo" in str(each)] == []


def test_a_foreign_function_interface_of_cffi(tmp_path: Path) -> None:
    """API mode: the module is compiled, and cffi's own runtime loads what is in it."""
    cffi = pytest.importorskip("cffi")
    builder = cffi.FFI()
    builder.cdef(Path(HERE, "twice.h").read_text())
    builder.set_source("demo._ffi", Path(HERE, "twice.c").read_text())
    source = tmp_path / "_ffi.c"
    builder.emit_c_code(str(source))
    binary = Binary(f"demo/_ffi{SUFFIX}", str(source), (INC, "-DLEVEL=__AVX2__"))
    wheels = make_wheels(tmp_path, [binary, module("demo.core")])
    words = ("bundle", *map(str, wheels), "-o", str(tmp_path / "out"), "--method", "stub")
    done = run(sys.executable, "-m", "variantbuild", *words, cwd=tmp_path, env=os.environ).ok()
    site = unpack(Path(done.stdout.strip()), tmp_path / "site")
    code = f"sys.path.append({str(Path(cffi.__file__).parent.parent)!r})\n"
    code += "from demo._ffi import lib; print(lib.twice(21))"
    assert run_python(site, code).stdout == "42\n"
