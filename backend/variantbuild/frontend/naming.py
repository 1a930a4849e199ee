"""Which version and tags a wheel gets for a front end."""

from __future__ import annotations

from typing import TypedDict, cast

from variantbuild.config import Config
from variantbuild.data import load_table
from variantbuild.frontend.situation import SituationKind
from variantbuild.tags.forms import TagForm
from variantbuild.values import dataclass

#: One row of data/frontends.json: what a front end accepts, and why.
_Row = TypedDict(
    "_Row",
    {"local": bool, "form": TagForm, "unprotected-form": TagForm, "front-end": str, "why": str},
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """Whether the version includes the label, the form of the platform tag, and the reason."""

    local: bool
    form: TagForm
    reason: str


def resolve_naming(kind: SituationKind, config: Config, *, protected: bool) -> Naming:
    """Choose version and tags for the front end `kind`; explicit settings win.

    `protected` means that the loader of a CPU below the level refuses the modules (ISA note).
    Otherwise the generic tag is left out of the file name if the front end allows that.
    """
    row = _situations()[kind]
    local = row["local"]
    form = row["form"] if protected else row["unprotected-form"]
    reasons = [row["why"]]
    if config.local_version != "auto":
        local = config.local_version == "always"
        reasons.append(f"{config.origin('local-version')} says {config.local_version}")
    if config.platform_tag != "auto":
        form = config.platform_tag
        reasons.append(f"{config.origin('platform-tag')} says {config.platform_tag}")
    return Naming(local=local, form=form, reason="; ".join(reasons))


def front_ends() -> dict[SituationKind, str]:
    """Return the display name of every situation."""
    return {kind: row["front-end"] for kind, row in _situations().items()}


def _situations() -> dict[SituationKind, _Row]:
    return cast("dict[SituationKind, _Row]", load_table("frontends")["situations"])
