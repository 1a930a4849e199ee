"""Settings: from config-settings, environment, files and pyproject.toml to one `Config`.

Sources, highest first: config-settings (`-C variantbuild.KEY=VALUE`), the environment
(`VARIANTBUILD_KEY`), the user's file, the machine's file, `[tool.variantbuild]` of
pyproject.toml. The keys stand in data/settings.json.
"""

from __future__ import annotations

from variantbuild.config.overrides import Names, Override, platform_names
from variantbuild.config.resolve import (
    AuditPolicy,
    Config,
    FpContract,
    LocalVersion,
    PlatformTag,
    resolve_config,
)
from variantbuild.config.settings import Setting, settings
from variantbuild.config.sources import (
    Source,
    environment_source,
    split_config_settings,
    table_source,
)

__all__ = [
    "AuditPolicy",
    "Config",
    "FpContract",
    "LocalVersion",
    "Names",
    "Override",
    "PlatformTag",
    "Setting",
    "Source",
    "environment_source",
    "platform_names",
    "resolve_config",
    "settings",
    "split_config_settings",
    "table_source",
]
