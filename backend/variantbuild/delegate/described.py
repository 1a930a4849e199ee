"""Describes a build to the handover of its flags: the delegate, its tree and its settings."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.handover import Delegation
from variantbuild.delegate.route import can_route
from variantbuild.plan import BuildPlan
from variantbuild.plan.languages import holds_rust
from variantbuild.types import ConfigSettings


def describe_delegation(
    plan: BuildPlan, delegate: Delegate, directory: Path, tree: Path
) -> Delegation:
    """Return what the handover needs to know of a build in `tree`, staged in `directory`."""
    variables = sysconfig.get_config_vars()
    tool = plan.project.pyproject.get("tool")
    runs_meson = delegate.system is BuildSystem.MESON_PYTHON
    return Delegation(
        backend=delegate.kind,
        version=delegate.version,
        source=tree,
        staging=directory.resolve(),
        env=dict(delegate.env),
        config_settings=cast("ConfigSettings", plan.project.delegate_settings),
        interpreter={key: value for key, value in variables.items() if isinstance(value, str)},
        tool=tool if isinstance(tool, Mapping) else {},
        extra_config=read_distutils_config(delegate.env),
        meson_build=read_meson_build(tree) if runs_meson else "",
        holds_rust=holds_rust(plan.project),
        routed=can_route(plan, tree, delegate.system),
    )


def read_meson_build(source: Path) -> str:
    """Return the text of the tree's meson.build; empty without one."""
    try:
        return (source / "meson.build").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def read_distutils_config(env: Mapping[str, str]) -> str:
    """Return the text of the file that the user's DIST_EXTRA_CONFIG names; empty without one."""
    try:
        return Path(env["DIST_EXTRA_CONFIG"]).read_text(encoding="utf-8")
    except (KeyError, OSError, UnicodeDecodeError):
        return ""
