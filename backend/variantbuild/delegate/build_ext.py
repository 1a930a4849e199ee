"""Makes setuptools' `build_ext` compile .cu and .hip sources of extensions.

Projects list such files in `Extension.sources` and need no build code of their own. Both suffixes
are compiled by nvcc or by hipcc, whichever the plan chose, so one source serves both.
`extra_compile_args` may be a dictionary with the keys `cxx`, `nvcc` and `hipcc`, as in PyTorch's
extensions.
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

SUFFIXES = (".cu", ".hip")


class _Compiler(Protocol):
    """The part of distutils' Unix compilers that is used here."""

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
    """Let setuptools compile device sources by `build` within the context.

    Without a `build`, an extension with device sources is refused, with `reason` in the message.
    `env` has the user's CUDAFLAGS or HIPFLAGS.
    """
    from setuptools.command.build_ext import build_ext

    original = build_ext.build_extension

    def build_extension(self: build_ext, ext: Extension) -> None:
        if not any(str(source).endswith(SUFFIXES) for source in ext.sources):
            with _plain_arguments(ext):
                original(self, ext)
            return
        _check(ext, self, build, reason)
        assert build is not None
        compiler = cast("_Compiler", self.compiler)
        with _accepting_device_sources(compiler, build, env), _linked(ext, build):
            original(self, ext)

    build_ext.build_extension = build_extension  # type: ignore[method-assign]  # patched within the context
    try:
        yield
    finally:
        build_ext.build_extension = original  # type: ignore[method-assign]  # restored


def _check(ext: Extension, command: build_ext, build: DeviceBuild | None, reason: str) -> None:
    """Refuse an extension that cannot be built, before the first compiler runs."""
    device = next(str(source) for source in ext.sources if str(source).endswith(SUFFIXES))
    if build is None:
        raise AcceleratorError(
            f"extension {ext.name} has the device source {device}, but no accelerator is built "
            f"for: {reason}",
            hint="leave the source out if VARIANTBUILD_ACCELERATOR is empty, or name a toolkit",
        )
    if getattr(command.compiler, "compiler_type", "unix") != "unix":
        raise AcceleratorError(
            f"extension {ext.name}: device sources can only be compiled together with gcc or clang"
        )
    stems: dict[PurePath, str] = {}
    for source in map(str, ext.sources):
        stem = PurePath(source).with_suffix("")
        if stem in stems:
            raise AcceleratorError(
                f"extension {ext.name}: {stems[stem]} and {source} would have the same object file",
                hint="rename one of them",
            )
        stems[stem] = source


@contextmanager
def _plain_arguments(ext: Extension) -> Iterator[None]:
    """Pass setuptools only the host compiler's part of a dictionary of arguments."""
    arguments: object = ext.extra_compile_args
    if isinstance(arguments, Mapping):
        ext.extra_compile_args = list(arguments.get("cxx", ()))
    try:
        yield
    finally:
        ext.extra_compile_args = cast("list[str]", arguments)


@contextmanager
def _accepting_device_sources(
    compiler: _Compiler, build: DeviceBuild, env: Mapping[str, str]
) -> Iterator[None]:
    """Make one compiler object accept device sources, and compile them with nvcc or hipcc."""
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
        if ext in SUFFIXES:
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
        src_extensions=[*compiler.src_extensions, *SUFFIXES],
        language_map={**compiler.language_map, **dict.fromkeys(SUFFIXES, "c++")},
        _compile=compile_one,
    )
    try:
        yield
    finally:
        vars(compiler).clear()
        vars(compiler).update(ours)


def _run(compiler: _Compiler, command: list[str]) -> None:
    """Run `command` as the compiler object does; a failure raises setuptools' own error."""
    from setuptools.errors import CompileError

    from variantbuild.host.processes import CalledProcessError

    # `call` replaced `spawn` in setuptools' own distutils, which now warns about `spawn`.
    run = getattr(compiler, "call", None) or compiler.spawn
    try:
        run(command)
    except (CalledProcessError, OSError) as error:
        raise CompileError(str(error)) from error


@contextmanager
def _linked(ext: Extension, build: DeviceBuild) -> Iterator[None]:
    """Add the toolkit's headers and runtime to `ext`; the static one, as nvcc does by default."""
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

    Optimised like the interpreter's own CFLAGS. `options` are those of the extension, followed by
    the user's CUDAFLAGS or HIPFLAGS in `env`, which already include ours.
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
        *build.architecture_flags,
        *options,
        *users,
        source,
        "-o",
        output,
    ]


def _extra(build: DeviceBuild, arguments: Sequence[str] | Mapping[str, Sequence[str]]) -> list[str]:
    """Return the extension's options for nvcc or hipcc; a plain list is for the host compiler."""
    cuda = build.toolkit.kind == "cuda"
    if isinstance(arguments, Mapping):
        return list(arguments.get("nvcc" if cuda else "hipcc", ()))
    if cuda:
        return ["-Xcompiler=" + argument.replace(",", "\\,") for argument in arguments]
    return list(arguments)
