#[=======================================================================[.rst:
VariantBuild
------------

The variant that a wheel is built for, as variables, and a function that
applies it to one target.

A project needs none of this to be built for a variant: the backend hands the
flags to CMake as it would any user's. This module is for projects that look at
the variant, or that build most of their code for every machine and one target
for the variant.

.. code-block:: cmake

  project(fast LANGUAGES CXX)
  include(VariantBuild)
  variantbuild_targets_only()
  Python_add_library(core MODULE WITH_SOABI core.cpp)
  Python_add_library(kernels MODULE WITH_SOABI kernels.cpp)
  variantbuild_target(kernels)

Where it is found
  scikit-build-core finds it by itself when variantbuild is the backend;
  elsewhere pass ``-DCMAKE_MODULE_PATH="$(python -m variantbuild.cmake)"``.

Variables
  ``VARIANTBUILD_HAS_VALUES``
    Whether there are values at all; false where nobody handed any over.
  ``VARIANTBUILD_LABEL``
    The dotted label, such as ``cu12.v3``; empty for the baseline.
  ``VARIANTBUILD_CPU``, ``VARIANTBUILD_ACCELERATOR``, ``VARIANTBUILD_DISTRO``
    Its parts, such as ``v3``, ``cu12``, ``fc39``; empty where not set.
  ``VARIANTBUILD_C_FLAGS``, ``_CXX_FLAGS``, ``_Fortran_FLAGS``, ``_CUDA_FLAGS``, ``_HIP_FLAGS``
    The variant's own flags for a language, as one command-line fragment;
    undefined for a language that the backend saw no source of.
  ``VARIANTBUILD_MODULE_LINK_FLAGS``
    What marks a shared object with the processor level that it needs.

  The backend hands them over in environment variables of the same names with
  an underscore in front. They are read at the first configuration of a build
  directory and cached, as CMake does with ``CFLAGS``; a ``-D`` on the command
  line wins. A plain CMake build gives them with ``-D`` alone.

Commands
  ``variantbuild_target(<target>)``
    Compile ``<target>``, and nothing else, with the variant's flags, and mark
    it with its level if it is a module or a shared library.

  ``variantbuild_targets_only()``
    Take the variant's flags out of ``CMAKE_<LANG>_FLAGS`` and the linker's
    again, for targets created after it in this directory and below. Call it
    behind ``project()``.

  Both stop with an error where there are no values.
#]=======================================================================]

include_guard(GLOBAL)

set(_VARIANTBUILD_LANGUAGES C CXX Fortran CUDA HIP CACHE INTERNAL "")

set(_variantbuild_names LABEL CPU ACCELERATOR ARCHITECTURES DISTRO MODULE_LINK_FLAGS)
foreach(_variantbuild_name IN LISTS _VARIANTBUILD_LANGUAGES)
  list(APPEND _variantbuild_names ${_variantbuild_name}_FLAGS)
endforeach()

set(_variantbuild_given FALSE)
if(DEFINED ENV{_VARIANTBUILD_CMAKE} OR VARIANTBUILD_HAS_VALUES)
  set(_variantbuild_given TRUE)
endif()
foreach(_variantbuild_name IN LISTS _variantbuild_names)
  if(DEFINED VARIANTBUILD_${_variantbuild_name})
    # Read, so that CMake does not warn of a definition that nobody used.
    set(_variantbuild_value "${VARIANTBUILD_${_variantbuild_name}}")
    set(_variantbuild_given TRUE)
  elseif(DEFINED ENV{_VARIANTBUILD_${_variantbuild_name}})
    set(VARIANTBUILD_${_variantbuild_name}
      "$ENV{_VARIANTBUILD_${_variantbuild_name}}"
      CACHE STRING "Part of the variant, handed over by the build backend"
    )
  endif()
endforeach()
set(VARIANTBUILD_HAS_VALUES ${_variantbuild_given} CACHE INTERNAL "")
unset(_variantbuild_given)
unset(_variantbuild_value)
unset(_variantbuild_name)
unset(_variantbuild_names)

function(variantbuild_target target)
  _variantbuild_require_values("variantbuild_target(${target})")
  if(ARGC GREATER 1)
    message(FATAL_ERROR "variantbuild_target(${target} ${ARGN}): it takes one target, not more.")
  elseif(NOT TARGET ${target})
    message(FATAL_ERROR "variantbuild_target(${target}): there is no such target.")
  endif()

  get_target_property(aliased ${target} ALIASED_TARGET)
  get_target_property(imported ${target} IMPORTED)
  get_target_property(type ${target} TYPE)
  if(aliased)
    message(FATAL_ERROR "variantbuild_target(${target}): it is an alias, name ${aliased} itself.")
  elseif(imported OR type MATCHES "^(INTERFACE_LIBRARY|UTILITY)$")
    message(FATAL_ERROR "variantbuild_target(${target}): nothing is compiled for this target.")
  endif()

  get_property(enabled GLOBAL PROPERTY ENABLED_LANGUAGES)
  foreach(language IN LISTS _VARIANTBUILD_LANGUAGES)
    set(flags "${VARIANTBUILD_${language}_FLAGS}")
    string(REPLACE ";" " " flags "${flags}")
    string(REPLACE ">" "$<ANGLE-R>" flags "${flags}")
    if(NOT flags STREQUAL "")
      # SHELL: keeps pairs such as "-mllvm x" together that CMake would deduplicate apart.
      target_compile_options(
        ${target} PRIVATE "$<$<COMPILE_LANGUAGE:${language}>:SHELL:${flags}>"
      )
    elseif(language IN_LIST enabled AND NOT DEFINED VARIANTBUILD_${language}_FLAGS)
      _variantbuild_refuse_language(${target} ${language})
    endif()
  endforeach()

  if(type MATCHES "^(MODULE|SHARED)_LIBRARY$" AND NOT "${VARIANTBUILD_MODULE_LINK_FLAGS}" STREQUAL "")
    string(REPLACE ";" " " flags "${VARIANTBUILD_MODULE_LINK_FLAGS}")
    target_link_options(${target} PRIVATE "SHELL:${flags}")
  endif()
endfunction()

# A macro, since CMAKE_<LANG>_FLAGS are variables of the caller.
macro(variantbuild_targets_only)
  _variantbuild_require_values("variantbuild_targets_only()")
  foreach(_variantbuild_language IN LISTS _VARIANTBUILD_LANGUAGES)
    _variantbuild_remove(
      CMAKE_${_variantbuild_language}_FLAGS "${VARIANTBUILD_${_variantbuild_language}_FLAGS}"
    )
  endforeach()
  unset(_variantbuild_language)
  _variantbuild_remove(CMAKE_MODULE_LINKER_FLAGS "${VARIANTBUILD_MODULE_LINK_FLAGS}")
  _variantbuild_remove(CMAKE_SHARED_LINKER_FLAGS "${VARIANTBUILD_MODULE_LINK_FLAGS}")
endmacro()

function(_variantbuild_require_values command)
  if(NOT VARIANTBUILD_HAS_VALUES)
    message(FATAL_ERROR
      "${command}: no variant was handed to CMake. Build the project through the backend "
      "variantbuild, or give the values yourself: -DVARIANTBUILD_LABEL=v3 "
      "-DVARIANTBUILD_CXX_FLAGS=-march=x86-64-v3 (-DVARIANTBUILD_LABEL= for the baseline), "
      "or call it only if(VARIANTBUILD_HAS_VALUES)."
    )
  endif()
endfunction()

# Stop if the target, which is to be built for a processor, has sources in a language without flags.
function(_variantbuild_refuse_language target language)
  get_target_property(sources ${target} SOURCES)
  if(NOT sources OR "${VARIANTBUILD_LABEL}" STREQUAL "")
    return()
  endif()
  string(REPLACE ";" "|" endings "${CMAKE_${language}_SOURCE_FILE_EXTENSIONS}")
  string(REPLACE "+" "[+]" endings "${endings}")
  foreach(source IN LISTS sources)
    if(source MATCHES "[.](${endings})$")
      message(FATAL_ERROR
        "variantbuild_target(${target}): there are no flags for ${language}, in which ${source} "
        "is written. Give them with -DVARIANTBUILD_${language}_FLAGS=<flags>, empty for none."
      )
    endif()
  endforeach()
endfunction()

# Remove the first run of `flags` from the caller's `variable`.
function(_variantbuild_remove variable flags)
  string(REPLACE ";" " " flags "${flags}")
  string(FIND " ${${variable}} " " ${flags} " start)
  if(flags STREQUAL "" OR start EQUAL -1)
    return()
  endif()
  string(LENGTH "${flags}" length)
  math(EXPR end "${start} + ${length}")
  string(SUBSTRING "${${variable}} " 0 ${start} before)
  string(SUBSTRING "${${variable}} " ${end} -1 after)
  string(STRIP "${before}${after}" rest)
  set(${variable} "${rest}" PARENT_SCOPE)
endfunction()
