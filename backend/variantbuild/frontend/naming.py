"""Which version and tags a front end may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from variantbuild.config import Config
from variantbuild.data import load_table
from variantbuild.frontend.situation import SituationKind
from variantbuild.tags.forms import TagForm


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """Whether the version gets the label, the form of the platform tag, and why."""

    local: bool
    form: TagForm
    reason: str


def resolve_naming(kind: SituationKind, config: Config, *, guarded: bool) -> Naming:
    """Choose version and tags for the front end `kind`; explicit settings win.

    `guarded` tells that a lesser machine refuses to load the modules. Without that guard the
    generic tag stays out of the file name wherever the front end allows it.
    """
    rows = cast("dict[str, dict[str, str | bool]]", load_table("frontends")["situations"])
    row = rows[kind]
    local = bool(row["local"])
    form = cast("TagForm", row["form"] if guarded else row["unguarded-form"])
    reasons = [str(row["why"])]
    if config.local_version != "auto":
        local = config.local_version == "always"
        reasons.append(f"{config.origin('local-version')} says {config.local_version}")
    if config.platform_tag != "auto":
        form = config.platform_tag
        reasons.append(f"{config.origin('platform-tag')} says {config.platform_tag}")
    return Naming(local=local, form=form, reason="; ".join(reasons))


def front_ends() -> dict[SituationKind, str]:
    """Return every situation of the policy and its name for people."""
    rows = cast("dict[SituationKind, dict[str, str]]", load_table("frontends")["situations"])
    return {kind: row["front-end"] for kind, row in rows.items()}
