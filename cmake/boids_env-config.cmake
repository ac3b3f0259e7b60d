# add_environment(<module> <header>): a Python module of any header that keeps to the contract of env.h.
#
#     find_package(boids_env CONFIG REQUIRED)      # scikit-build-core finds it where boids-env is a build requirement
#     add_environment(_squared src/squared.h)
#     install(TARGETS _squared DESTINATION .)
#
# The module needs no NumPy to be built, and nothing of boids_env to run. scikit-build-core with wheel.py-api = "cp311" makes it one
# binary for Python 3.11 and all later ones. A program in C links the target `environment`, which brings env.h and what follows.
# -DBOIDS_ENV_SANITIZE=address,undefined builds all of it under ASan and UBSan.
include_guard(GLOBAL)

set(BOIDS_ENV_SANITIZE "" CACHE STRING "What -fsanitize takes: address,undefined or thread; with clang also fuzzer,address,undefined")

# the sources are beside this folder: in include/ of an installed package, in src/ of a checkout, which an editable install uses
if(NOT BOIDS_ENV_INCLUDE)
  get_filename_component(BOIDS_ENV_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)
  if(NOT EXISTS "${BOIDS_ENV_INCLUDE}/binding.c")
    get_filename_component(BOIDS_ENV_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/../src" ABSOLUTE)
  endif()
endif()

add_library(environment INTERFACE)
set_target_properties(environment PROPERTIES BOIDS_ENV_INCLUDE "${BOIDS_ENV_INCLUDE}")
target_include_directories(environment INTERFACE "${BOIDS_ENV_INCLUDE}")
if(NOT WIN32)
  target_link_libraries(environment INTERFACE m)
endif()
if(BOIDS_ENV_SANITIZE)
  # each environment on buffers of its exact size: an overrun inside one NumPy array is an overrun then
  target_compile_definitions(environment INTERFACE ENV_EXACT_BUFFERS)
  target_compile_options(environment INTERFACE
    -fsanitize=${BOIDS_ENV_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(environment INTERFACE -fsanitize=${BOIDS_ENV_SANITIZE})
endif()

function(add_environment module header)
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})
  if(SKBUILD_SABI_COMPONENT AND NOT Python_SOABI MATCHES "^cp[a-z-]*[0-9]+t") # the stable ABI has a GIL, cpython-314t has none
    set(stable USE_SABI 3.11)
  endif()
  find_package(OpenMP COMPONENTS C) # without it, num_threads is taken and changes nothing
  get_filename_component(folder "${header}" ABSOLUTE)
  get_filename_component(folder "${folder}" DIRECTORY)
  get_filename_component(name "${header}" NAME)
  # of the target: who calls this from another folder than find_package() does not see that folder's variables
  get_target_property(include environment BOIDS_ENV_INCLUDE)
  python_add_library(${module} MODULE WITH_SOABI ${stable} "${include}/binding.c")
  target_compile_definitions(${module} PRIVATE ENV_HEADER="${name}" ENV_MODULE=${module})
  target_include_directories(${module} PRIVATE "${folder}")
  target_link_libraries(${module} PRIVATE environment)
  set_target_properties(${module} PROPERTIES C_STANDARD 11 C_VISIBILITY_PRESET hidden)
  if(OpenMP_C_FOUND)
    target_link_libraries(${module} PRIVATE OpenMP::OpenMP_C)
  endif()
endfunction()
