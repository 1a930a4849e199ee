"""A pytest plugin that puts variantbuild between the tests of another project and a backend.

`_PEER_BACKENDS` names the backends whose hooks are replaced, separated by spaces. If it is empty
the front end (pyproject-hooks) calls ours, and ours calls the backend that the project names. If
`_PEER_BACKENDS` is not set the plugin changes nothing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

import pytest


class Hook(Protocol):
    """A hook, or another function."""

    def __call__(self, *args: object, **kwargs: object) -> object: ...


class Caller(Protocol):
    """BuildBackendHookCaller of pyproject-hooks, as far as it is used here."""

    build_backend: str
    backend_path: list[str] | None
    source_dir: str


HOOKS = (
    "build_wheel",
    "build_sdist",
    "build_editable",
    "get_requires_for_build_wheel",
    "get_requires_for_build_sdist",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "prepare_metadata_for_build_editable",
)


def pytest_configure(config: pytest.Config) -> None:
    backends = os.environ.get("_PEER_BACKENDS")
    if backends is None:
        return
    for name in backends.split():
        replace_hooks(name)
    if not backends:
        replace_front_end()


def replace_hooks(backend: str) -> None:
    """Replace the hooks of `backend` by ours, which wrap it."""
    module_name, _, attribute = backend.partition(":")
    module = importlib.import_module(module_name)
    target: object = getattr(module, attribute) if attribute else module
    originals = {name: getattr(target, name) for name in HOOKS if hasattr(target, name)}
    hooks = {name: _around(name, original, backend) for name, original in originals.items()}
    for name, hook in hooks.items():
        setattr(target, name, hook)

    @contextlib.contextmanager
    def original_hooks() -> Iterator[None]:
        for name, original in originals.items():
            setattr(target, name, original)
        try:
            yield
        finally:
            for name, hook in hooks.items():
                setattr(target, name, hook)

    _ORIGINAL[backend] = original_hooks


_ORIGINAL: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {}


def _around(name: str, original: Hook, backend: str) -> Hook:
    @functools.wraps(original)
    def hook(*args: object, **kwargs: object) -> object:
        ours = importlib.import_module("variantbuild")
        with _ORIGINAL[backend](), _settings({"VARIANTBUILD_DELEGATE": backend}):
            result: object = getattr(ours, name)(*args, **kwargs)
            return result

    return hook


def replace_front_end() -> None:
    """Let pyproject-hooks call ours for each backend."""
    module = importlib.import_module("pyproject_hooks._impl")
    caller = cast("type", module.BuildBackendHookCaller)
    original = cast("Hook", vars(caller)["_call_hook"])

    def call_hook(self: Caller, hook_name: str, kwargs: Mapping[str, object]) -> object:
        backend, path = self.build_backend, self.backend_path
        settings = {"VARIANTBUILD_DELEGATE": backend}
        if path:
            settings["VARIANTBUILD_DELEGATE_PATH"] = ";".join(
                os.path.relpath(entry, self.source_dir) for entry in path
            )
        self.build_backend, self.backend_path = "variantbuild", None
        try:
            with _settings(settings):
                return original(self, hook_name, kwargs)
        finally:
            self.build_backend, self.backend_path = backend, path

    setattr(caller, "_call_hook", call_hook)  # noqa: B010 - mypy does not know the attribute


@contextlib.contextmanager
def _settings(settings: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
