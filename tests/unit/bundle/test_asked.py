"""The levels that `bundle` asks for, on each platform, and what is refused."""

from __future__ import annotations

import pytest

from variantbuild.bundle.asked import resolve_levels
from variantbuild.config import Config
from variantbuild.config.settings import AuditPolicy
from variantbuild.errors import ConfigError, VariantError
from variantbuild.hooks.bundling import level_settings


@pytest.mark.parametrize(
    ("names", "platform", "labels"),
    [
        ("v1 v3 v4", "linux-x86_64", "v1 v3 v4"),
        ("v4 v3", "linux-x86_64", "v1 v4 v3"),
        ("v3 zen4", "linux-x86_64", "v1 v3 zen4"),
        ("v1 v3 armv8.2a", "linux-aarch64", "armv8a armv8.2a"),
        ("v1 v3 neoverse_v2", "linux-aarch64", "armv8a neoverse_v2"),
        ("v1 v3", "linux-aarch64", ""),
        ("v1", "linux-x86_64", ""),
        ("v1 v3", "macosx-14.0-x86_64", ""),
        ("v1 v3", "win-amd64", ""),
        ("v1 v3", "linux-riscv64", ""),
        ("v1 v3", "linux-unknown", ""),
    ],
)
def test_levels_of_a_platform(names: str, platform: str, labels: str) -> None:
    asked = resolve_levels(Config(bundle=tuple(names.split())), platform)
    assert " ".join(asked.labels) == labels
    assert bool(asked.reason) == (not labels)


@pytest.mark.parametrize("platform", ["linux-x86_64", "linux-aarch64", "macosx-14.0-arm64"])
@pytest.mark.parametrize("name", ["v9", "zen99", "cu12", "V3"])
def test_a_name_that_no_architecture_has(name: str, platform: str) -> None:
    with pytest.raises(VariantError, match=f"bundle '{name}' .* is not a known CPU"):
        resolve_levels(Config(bundle=("v1", name)), platform)


def test_a_level_twice() -> None:
    with pytest.raises(ConfigError, match="names v3 twice"):
        resolve_levels(Config(bundle=("v1", "v3", "v3")), "linux-x86_64")


@pytest.mark.parametrize("audit", ["off", "warn", "downgrade"])
def test_an_audit_that_lets_other_code_pass(audit: AuditPolicy) -> None:
    config = Config(bundle=("v1", "v3"), audit=audit)
    with pytest.raises(ConfigError, match=f"needs the audit, which is {audit}"):
        resolve_levels(config, "linux-x86_64")


def test_settings_of_one_level() -> None:
    given = {
        "variantbuild.bundle": "v1;v3",
        "variantbuild.cpu": "v4",
        "variantbuild.platform-tag": "plain",
        "variantbuild.flags.c": "-DX",
        "--global-option": ["a", "b"],
    }
    assert level_settings(given, "v3") == {
        "variantbuild.flags.c": "-DX",
        "--global-option": ["a", "b"],
        "variantbuild.target": "v3",
        "variantbuild.local-version": "always",
        "variantbuild.platform-tag": "set",
    }
    assert level_settings(None, "v1")["variantbuild.target"] == "v1"
