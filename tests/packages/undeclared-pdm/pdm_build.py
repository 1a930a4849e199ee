"""Declares the module for the setup.py that pdm-backend generates and runs."""


def pdm_build_update_setup_kwargs(context, setup_kwargs):
    from setuptools import Extension

    setup_kwargs["ext_modules"] = [Extension("tinypkg.tiny", ["tiny.c"])]
