"""A setuptools `build_ext` that compiles .cu and .hip sources of extensions.

Projects name such files in `Extension.sources` and need no build code of their own. Either ending
goes to nvcc or hipcc, whichever the plan chose, so one source serves both. `extra_compile_args`
may be a dictionary with the keys `cxx`, `nvcc` and `hipcc`, as PyTorch's extensions have it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol, cast

from variantbuild.errors import AcceleratorError
from variantbuild.plan.device.build import DeviceBuild

if TYPE_CHECKING:
    from setuptools import Extension
    from setuptools.command.build_ext import build_ext

ENDINGS = (".cu", ".hip")


class _Compiler(Protocol):
    """What is used of distutils' compilers for Unix."""

    compiler_type: str
    src_extensions: list[str]
    language_map: dict[str, str]

    def _compile(
        self,
        obj: str,
        src: str,
        ext: str,
        cc_args: list[str],
        extra_postargs: Sequence[str] | Mapping[str, Sequence[str]],
        pp_opts: list[str],
    ) -> None: ...

    def spawn(self, cmd: Sequence[str]) -> None: ...


@contextmanager
def device_sources(
    build: DeviceBuild | None, reason: str, env: Mapping[str, str]
) -> Iterator[None]:
    """Let setuptools compile device sources as `build` says, for the time of the context.

    `reason` says why there is no `build`; an extension with device sources is then refused with
    it. `env` holds the user's CUDAFLAGS or HIPFLAGS.
    """
    from setuptools.command.build_ext import build_ext

    original = build_ext.build_extension

    def build_extension(self: build_ext, ext: Extension) -> None:
        if not any(str(source).endswith(ENDINGS) for source in ext.sources):
            with _plain_arguments(ext):
                original(self, ext)
            return
        _check(ext, self, build, reason)
        assert build is not None
        compiler = cast("_Compiler", self.compiler)
        with _taught(compiler, build, env), _linked(ext, build):
            original(self, ext)

    build_ext.build_extension = build_extension  # type: ignore[method-assign]  # for the context
    try:
        yield
    finally:
        build_ext.build_extension = original  # type: ignore[method-assign]  # as it was


def _check(ext: Extension, command: build_ext, build: DeviceBuild | None, reason: str) -> None:
    """Refuse what cannot be built, before the first compiler runs."""
    device = next(str(source) for source in ext.sources if str(source).endswith(ENDINGS))
    if build is None:
        raise AcceleratorError(
            f"extension {ext.name} has the device source {device}, and no accelerator is built "
            f"for: {reason}",
            hint="leave the source out where VARIANTBUILD_ACCELERATOR is empty, or name a toolkit",
        )
    if getattr(command.compiler, "compiler_type", "unix") != "unix":
        raise AcceleratorError(
            f"extension {ext.name}: device sources are compiled beside gcc and clang only"
        )
    stems: dict[PurePath, str] = {}
    for source in map(str, ext.sources):
        stem = PurePath(source).with_suffix("")
        if stem in stems:
            raise AcceleratorError(
                f"extension {ext.name}: {stems[stem]} and {source} would share an object file",
                hint="rename one of them",
            )
        stems[stem] = source


@contextmanager
def _plain_arguments(ext: Extension) -> Iterator[None]:
    """Give setuptools the part of a dictionary of arguments that is for the host compiler."""
    arguments: object = ext.extra_compile_args
    if isinstance(arguments, Mapping):
        ext.extra_compile_args = list(arguments.get("cxx", ()))
    try:
        yield
    finally:
        ext.extra_compile_args = cast("list[str]", arguments)


@contextmanager
def _taught(compiler: _Compiler, build: DeviceBuild, env: Mapping[str, str]) -> Iterator[None]:
    """Teach one compiler object the endings, and hand their files to nvcc or hipcc."""
    ours = vars(compiler).copy()
    original = compiler._compile

    def compile_one(
        obj: str,
        src: str,
        ext: str,
        cc_args: list[str],
        extra_postargs: Sequence[str] | Mapping[str, Sequence[str]],
        pp_opts: list[str],
    ) -> None:
        if ext in ENDINGS:
            extra = _extra(build, extra_postargs)
            _run(compiler, render_command(build, src, obj, [*pp_opts, *extra], env))
        else:
            plain = (
                extra_postargs.get("cxx", ())
                if isinstance(extra_postargs, Mapping)
                else extra_postargs
            )
            original(obj, src, ext, cc_args, list(plain), pp_opts)

    vars(compiler).update(
        src_extensions=[*compiler.src_extensions, *ENDINGS],
        language_map={**compiler.language_map, **dict.fromkeys(ENDINGS, "c++")},
        _compile=compile_one,
    )
    try:
        yield
    finally:
        vars(compiler).clear()
        vars(compiler).update(ours)


def _run(compiler: _Compiler, command: list[str]) -> None:
    """Run `command` as the compiler object does; a failure is one of setuptools' own errors."""
    from setuptools.errors import CompileError

    from variantbuild.host.processes import CalledProcessError

    # `call` took the place of `spawn` in setuptools' own distutils, which warns of `spawn` now.
    run = getattr(compiler, "call", None) or compiler.spawn
    try:
        run(command)
    except (CalledProcessError, OSError) as error:
        raise CompileError(str(error)) from error


@contextmanager
def _linked(ext: Extension, build: DeviceBuild) -> Iterator[None]:
    """Add the toolkit's headers and runtime to `ext`; nvcc by itself links the static one."""
    before = (ext.include_dirs, ext.library_dirs, ext.libraries)
    toolkit = build.toolkit
    if toolkit.kind == "rocm":
        runtime = ["amdhip64"]
    elif {"cudart", "cudart_static"} & set(ext.libraries):
        runtime = []
    else:
        runtime = ["cudart_static", "rt", "dl", "pthread"]
    if toolkit.include != "/usr/include":
        ext.include_dirs = [*ext.include_dirs, toolkit.include]
    ext.library_dirs = [*ext.library_dirs, toolkit.libraries]
    ext.libraries = [*ext.libraries, *runtime]
    try:
        yield
    finally:
        ext.include_dirs, ext.library_dirs, ext.libraries = before


def render_command(
    build: DeviceBuild, source: str, output: str, options: Sequence[str], env: Mapping[str, str]
) -> list[str]:
    """Return the command that compiles the device source at `source` to the object at `output`.

    Optimised as the interpreter's own CFLAGS have it; `options` are those of the extension, and
    the user's CUDAFLAGS or HIPFLAGS in `env` (ours are in them already) come behind.
    """
    cuda = build.toolkit.kind == "cuda"
    users = shlex.split(env.get("CUDAFLAGS" if cuda else "HIPFLAGS", ""))
    language = ["-x", "cu", "-Xcompiler=-fPIC"] if cuda else ["-x", "hip", "-fPIC"]
    ccbin = ["-ccbin", build.host_compiler] if cuda and build.host_compiler else []
    return [
        build.toolkit.compiler,
        "-c",
        "-O3",
        "-DNDEBUG",
        *language,
        *ccbin,
        *build.device_switches,
        *options,
        *users,
        source,
        "-o",
        output,
    ]


def _extra(build: DeviceBuild, arguments: Sequence[str] | Mapping[str, Sequence[str]]) -> list[str]:
    """Return what the extension says for nvcc or hipcc; a plain list is for the host compiler."""
    cuda = build.toolkit.kind == "cuda"
    if isinstance(arguments, Mapping):
        return list(arguments.get("nvcc" if cuda else "hipcc", ()))
    if cuda:
        return ["-Xcompiler=" + argument.replace(",", "\\,") for argument in arguments]
    return list(arguments)
