"""The cache around one build: look before it, store after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from variantbuild.buildcache.key import build_key, visible_distributions
from variantbuild.buildcache.libraries import identify_libraries, linked_outside
from variantbuild.buildcache.store import Store, default_store
from variantbuild.errors import VariantBuildError, WheelError
from variantbuild.host import Host, LocalHost
from variantbuild.messages import say
from variantbuild.plan import BuildPlan
from variantbuild.private import publish_copy


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedBuild:
    """A build whose result may be in the store, or shall go there."""

    store: Store
    key: str
    host: Host

    def take(self, destination: Path) -> Path | None:
        """Publish the wheel that is stored for this build in `destination`, where it still holds.

        Returns its path there; None where the build has to run. Another process may evict the
        entry at any time. Raises WheelError where `destination` cannot be written to.
        """
        kept = self.find()
        if kept is None:
            return None
        try:
            made = publish_copy(kept, destination)
        except WheelError:
            if kept.exists():
                raise
            return None
        say(f"taken from the build cache: {kept}; -C variantbuild.build-cache=false builds anew")
        return made

    def find(self) -> Path | None:
        """Return the wheel that is stored for this build, where it still holds.

        An entry whose libraries are others now is removed, to make room for the new wheel.
        """
        try:
            found = self.store.find(self.key)
            if found is None:
                return None
            wheel, libraries = found
            if identify_libraries(tuple(libraries), self.host) != dict(libraries):
                self.store.remove(self.key)
                return None
        except (OSError, VariantBuildError) as error:
            say(f"the build cache is not used: {_short(error)}", "warning")
            return None
        return wheel

    def store_wheel(self, wheel: Path) -> None:
        """Store a finished wheel; that it cannot be is said, and stops nothing."""
        try:
            libraries = identify_libraries(linked_outside(wheel), self.host)
            unknown = [name for name, identity in libraries.items() if not identity]
            if unknown:
                # Found by a path in the file (RUNPATH) or by another loader: a change of it would
                # not be seen.
                say(
                    f"the wheel is not kept in the build cache: {unknown[0]} is not where the "
                    "system's loader looks",
                    "warning",
                )
                return
            self.store.store(self.key, wheel, libraries)
        except (OSError, VariantBuildError) as error:
            say(f"the wheel is not kept in the build cache: {_short(error)}", "warning")


def open_cache(plan: BuildPlan, env: Mapping[str, str]) -> CachedBuild | None:
    """Return the cache for the build of `plan`; None where it cannot serve.

    Only sdists are kept, whose files stay what they are, and only what the audit has passed.
    """
    policy = plan.project.config.audit
    if not plan.project.is_sdist or policy not in ("error", "downgrade"):
        return None
    try:
        key = build_key(plan, env, visible_distributions())
        store = default_store(env)
    except (OSError, RuntimeError) as error:
        say(f"the build cache is not used: {_short(error)}", "warning")
        return None
    return CachedBuild(store=store, key=key, host=LocalHost(env=env, source=plan.project.path))


def _short(error: BaseException) -> str:
    if isinstance(error, VariantBuildError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or ''}: {error.strerror}".removeprefix(": ")
    return str(error)
