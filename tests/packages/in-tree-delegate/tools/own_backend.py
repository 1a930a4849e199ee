"""A backend of the project's own, as many projects have: setuptools and a few words more."""

from setuptools import build_meta


class _Backend:
    get_requires_for_build_wheel = staticmethod(build_meta.get_requires_for_build_wheel)
    get_requires_for_build_sdist = staticmethod(build_meta.get_requires_for_build_sdist)
    build_sdist = staticmethod(build_meta.build_sdist)

    # No prepare_metadata_for_build_wheel and no editable hooks: variantbuild must not have them.

    def build_wheel(self, wheel_directory, config_settings=None, metadata_directory=None):
        print("own backend at work")
        return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


backend = _Backend()
