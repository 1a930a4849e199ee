"""Settings: merged from config-settings, environment, settings files and pyproject.toml.

Sources, in order of precedence: config-settings (`-C variantbuild.KEY=VALUE`), the environment
(`VARIANTBUILD_KEY`), the user's settings file, the machine's, and `[tool.variantbuild]` in
pyproject.toml. The keys are declared in `settings`.
"""

from __future__ import annotations

from variantbuild.config.kinds import Setting
from variantbuild.config.overrides import (
    ComputedNames,
    Names,
    Override,
    chain_names,
    platform_names,
)
from variantbuild.config.resolve import read_overrides, resolve_config
from variantbuild.config.settings import (
    AuditPolicy,
    Config,
    FpContract,
    LocalVersion,
    PlatformTag,
    settings,
)
from variantbuild.config.sources import (
    Source,
    environment_source,
    split_config_settings,
    table_source,
)

__all__ = [
    "AuditPolicy",
    "ComputedNames",
    "Config",
    "FpContract",
    "LocalVersion",
    "Names",
    "Override",
    "PlatformTag",
    "Setting",
    "Source",
    "chain_names",
    "environment_source",
    "platform_names",
    "read_overrides",
    "resolve_config",
    "settings",
    "split_config_settings",
    "table_source",
]
