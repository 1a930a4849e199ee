"""The cache around one build: find a wheel before it, store the wheel after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from variantbuild.buildcache.installed import visible_distributions
from variantbuild.buildcache.key import build_key
from variantbuild.buildcache.libraries import explain, identify_libraries, linked_outside
from variantbuild.buildcache.store import Kept, Store, default_store, digest_file
from variantbuild.errors import VariantBuildError
from variantbuild.host import Host
from variantbuild.host.durable import write_error
from variantbuild.host.local import LocalHost
from variantbuild.host.staging import publish, staging_directory
from variantbuild.messages import Reporter
from variantbuild.plan import BuildPlan
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedBuild:
    """A build whose wheel may be in the store, or is to be stored there.

    `linked` names the libraries that the files of a wheel are linked with outside of it.
    """

    store: Store
    key: str
    host: Host
    reporter: Reporter
    linked: Callable[[Path], tuple[str, ...]] = linked_outside

    def take(self, destination: Path) -> Path | None:
        """Publish the wheel that is stored for this build in `destination`, if it is still valid.

        The copy that was verified is published: other processes may change or evict the entry at
        any time. Returns its path; None if the build has to run. Raises WheelError if `destination`
        cannot be written to.
        """
        import shutil

        kept = self.find()
        if kept is None:
            return None
        with staging_directory(destination) as directory:
            try:
                copied = Path(shutil.copy2(kept.wheel, directory))
                sound = digest_file(copied) == kept.sha256
            except OSError as error:
                if kept.wheel.exists():
                    raise write_error(destination / kept.wheel.name, error) from None
                return None
            if not sound:
                self.reporter.warning(f"not used, as it changed while it was read: {kept.wheel}")
                return None
            made = publish(copied, destination)
        self.reporter.note(
            f"taken from the build cache: {kept.wheel}; "
            "build again with -C variantbuild.build-cache=false"
        )
        return made

    def find(self) -> Kept | None:
        """Return the wheel that is stored for this build, if it is still valid.

        An entry whose libraries have changed is removed, to make room for the new wheel.
        """
        try:
            kept = self.store.find(self.key, self.reporter)
            if kept is None:
                return None
            if identify_libraries(tuple(kept.libraries), self.host) != dict(kept.libraries):
                self.store.remove(self.key)
                return None
        except (OSError, VariantBuildError) as error:
            self.reporter.warning(f"the build cache is not used: {_short(error)}")
            return None
        return kept

    def store_wheel(self, wheel: Path) -> None:
        """Store a finished wheel; if that fails, warn and go on."""
        try:
            libraries = identify_libraries(self.linked(wheel), self.host)
            unknown = [name for name, identity in libraries.items() if not identity]
            if unknown:
                # A change of the library could not be detected.
                self.reporter.warning(
                    f"the wheel is not stored in the build cache: {explain(unknown[0])}"
                )
                return
            self.store.store(self.key, wheel, libraries)
        except (OSError, VariantBuildError) as error:
            self.reporter.warning(f"the wheel is not stored in the build cache: {_short(error)}")


def open_cache(plan: BuildPlan, env: Mapping[str, str], reporter: Reporter) -> CachedBuild | None:
    """Return the cache for the build of `plan`; None if the build cannot be cached.

    Only builds of sdists can, whose files do not change, and only if the wheel has to pass the
    audit.
    """
    policy = plan.project.config.audit
    if not plan.project.is_sdist or policy not in ("error", "strict", "downgrade"):
        return None
    try:
        store = default_store(env)
        key = build_key(plan, env, visible_distributions())
    except (OSError, VariantBuildError) as error:
        reporter.warning(f"the build cache is not used: {_short(error)}")
        return None
    host = LocalHost(env=env, source=plan.project.path)
    return CachedBuild(store=store, key=key, host=host, reporter=reporter)


def _short(error: BaseException) -> str:
    if isinstance(error, VariantBuildError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or ''}: {error.strerror}".removeprefix(": ")
    return str(error)
