#[=======================================================================[.rst:
VariantBuild
------------

Provides the variant that a wheel is built for as variables, and a function
that applies it to one target.

Most projects do not need this module: the backend passes the variant's flags
to CMake like any other flags. It is for projects that read the variant, or
that compile most of their code for the baseline and one target for the
variant.

.. code-block:: cmake

  project(fast LANGUAGES CXX)
  include(VariantBuild)
  variantbuild_targets_only()
  Python_add_library(core MODULE WITH_SOABI core.cpp)
  Python_add_library(kernels MODULE WITH_SOABI kernels.cpp)
  variantbuild_target(kernels)

Finding the module
  scikit-build-core finds it if variantbuild is the backend. Otherwise pass
  ``-DCMAKE_MODULE_PATH="$(python -m variantbuild.cmake)"``.

Variables
  ``VARIANTBUILD_HAS_VALUES``
    True if values were passed to CMake.
  ``VARIANTBUILD_LABEL``
    The dotted label, such as ``cu12.v3``; empty for the baseline.
  ``VARIANTBUILD_CPU``, ``VARIANTBUILD_ACCELERATOR``, ``VARIANTBUILD_DISTRO``
    The parts of the label, such as ``v3``, ``cu12``, ``fc39``; empty if not set.
  ``VARIANTBUILD_ARCHITECTURES``
    The GPU architectures, as a list.
  ``VARIANTBUILD_C_FLAGS``, ``_CXX_FLAGS``, ``_Fortran_FLAGS``, ``_CUDA_FLAGS``, ``_HIP_FLAGS``
    The variant's flags for a language, as one command-line fragment;
    undefined for a language of which the backend found no source.
  ``VARIANTBUILD_MODULE_LINK_FLAGS``
    Linker flags that add the ISA note: the CPU level that a shared object needs.

  The backend passes them in environment variables of the same names, prefixed
  with an underscore. They are read when a build directory is first configured
  and then cached, as CMake does with ``CFLAGS``. A ``-D`` on the command line
  takes precedence. A plain CMake build sets them with ``-D``.

Commands
  ``variantbuild_target(<target>)``
    Compile only ``<target>`` with the variant's flags. A module or shared
    library also gets the ISA note.

  ``variantbuild_targets_only()``
    Remove the variant's flags from ``CMAKE_<LANG>_FLAGS`` and the linker flags,
    for targets created afterwards in this directory and below. Call it after
    ``project()``.

  Both fail if no values were passed.
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
    # Read the value, so that CMake does not warn about an unused definition.
    set(_variantbuild_value "${VARIANTBUILD_${_variantbuild_name}}")
    set(_variantbuild_given TRUE)
  elseif(DEFINED ENV{_VARIANTBUILD_${_variantbuild_name}})
    set(VARIANTBUILD_${_variantbuild_name}
      "$ENV{_VARIANTBUILD_${_variantbuild_name}}"
      CACHE STRING "Part of the variant, passed by the build backend"
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
    message(FATAL_ERROR "variantbuild_target(${target} ${ARGN}): it takes exactly one target.")
  elseif(NOT TARGET ${target})
    message(FATAL_ERROR "variantbuild_target(${target}): the target does not exist.")
  endif()

  get_target_property(aliased ${target} ALIASED_TARGET)
  get_target_property(imported ${target} IMPORTED)
  get_target_property(type ${target} TYPE)
  if(aliased)
    message(FATAL_ERROR "variantbuild_target(${target}): it is an alias; use ${aliased}.")
  elseif(imported OR type MATCHES "^(INTERFACE_LIBRARY|UTILITY)$")
    message(FATAL_ERROR "variantbuild_target(${target}): the target compiles no sources.")
  endif()

  get_property(enabled GLOBAL PROPERTY ENABLED_LANGUAGES)
  foreach(language IN LISTS _VARIANTBUILD_LANGUAGES)
    set(flags "${VARIANTBUILD_${language}_FLAGS}")
    string(REPLACE ";" " " flags "${flags}")
    string(REPLACE ">" "$<ANGLE-R>" flags "${flags}")
    if(NOT flags STREQUAL "")
      # SHELL: keeps pairs such as "-mllvm x" together, which CMake would otherwise deduplicate.
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

# A macro, because CMAKE_<LANG>_FLAGS are variables of the caller.
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
      "${command}: no variant was passed to CMake. Build the project with the backend "
      "variantbuild, or set the values: -DVARIANTBUILD_LABEL=v3 "
      "-DVARIANTBUILD_CXX_FLAGS=-march=x86-64-v3 (-DVARIANTBUILD_LABEL= for the baseline), "
      "or call it only inside if(VARIANTBUILD_HAS_VALUES)."
    )
  endif()
endfunction()

# Fail if the target has sources in a language without flags and the variant is not the baseline.
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
        "variantbuild_target(${target}): no ${language} flags were passed, but ${source} "
        "is a ${language} source. Set -DVARIANTBUILD_${language}_FLAGS=<flags> (empty for none)."
      )
    endif()
  endforeach()
endfunction()

# Remove the first occurrence of `flags` from the caller's `variable`.
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
