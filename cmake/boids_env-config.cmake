# The CMake package: a target for C programs, and a function that makes a Python module of an environment in C.
#
#     find_package(boids_env CONFIG REQUIRED)      # scikit-build-core finds it where boids-env is a build requirement
#     boids_env_add_module(_squared src/squared.h) # any header that keeps to the contract of env.h
#     install(TARGETS _squared DESTINATION .)
#
#     add_executable(demo demo.c)
#     target_link_libraries(demo PRIVATE boids_env::env) # env.h, boids.h and the flags that they promise the same bits with
#
# The module needs no NumPy to be built, and nothing of boids_env to run. scikit-build-core with wheel.py-api = "cp311" makes it one
# binary for Python 3.11 and all later ones. -DBOIDS_ENV_SANITIZE=address,undefined builds all of it under ASan and UBSan.
include_guard(GLOBAL)

set(BOIDS_ENV_SANITIZE "" CACHE STRING "What -fsanitize takes: address,undefined or thread; with clang also fuzzer,address,undefined")

# the sources are beside this folder: in include/ of an installed package, in src/ of a checkout, which an editable install uses
if(NOT BOIDS_ENV_INCLUDE)
  get_filename_component(BOIDS_ENV_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)
  if(NOT EXISTS "${BOIDS_ENV_INCLUDE}/binding.c")
    get_filename_component(BOIDS_ENV_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/../src" ABSOLUTE)
  endif()
endif()

add_library(boids_env_env INTERFACE)
add_library(boids_env::env ALIAS boids_env_env)
set_target_properties(boids_env_env PROPERTIES BOIDS_ENV_INCLUDE "${BOIDS_ENV_INCLUDE}")
target_include_directories(boids_env_env INTERFACE "${BOIDS_ENV_INCLUDE}")
target_compile_features(boids_env_env INTERFACE c_std_11)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED) # of env_threads.h
target_link_libraries(boids_env_env INTERFACE Threads::Threads)
if(NOT WIN32)
  target_link_libraries(boids_env_env INTERFACE m)
endif()

# ---- The same seed gives the same bits on every machine, for everyone who builds with this target. Without these it does not.
target_compile_options(boids_env_env INTERFACE
  -ffp-contract=off        # a*b+c rounds twice on every machine, also where there is one instruction for it
  -fno-tree-slp-vectorize) # gcc 12 makes fused vfmaddsub of a*c+b*s, b*c-a*s here despite the flag above; no step gets slower
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # on 32-bit x86 a float is rounded to a float. C_EXTENSIONS OFF implies it, but is no property that a target hands on
  target_compile_options(boids_env_env INTERFACE $<$<COMPILE_LANGUAGE:C>:-fexcess-precision=standard>)
endif()

# ---- Speed alone: these change no result
target_compile_options(boids_env_env INTERFACE
  -fno-trapping-math # nobody reads floating-point exceptions; loops with a choice in them become vector instructions
  -fno-math-errno)   # nobody reads errno after sqrt; it becomes one instruction, and loops with it become vector instructions
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # gcc notes that the ABI for passing vectors depends on the processor: here only inlined functions pass them
  target_compile_options(boids_env_env INTERFACE -Wno-psabi)
  # loops over the lanes of a block stay loops, and so become vector instructions, of full width
  target_compile_options(boids_env_env INTERFACE "SHELL:--param max-completely-peel-times=8")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(boids_env_env INTERFACE -mprefer-vector-width=512)
  endif()
endif()

if(BOIDS_ENV_SANITIZE)
  # Each environment gets buffers of its exact size, so that an overrun inside one NumPy array is an overrun for ASan too.
  target_compile_definitions(boids_env_env INTERFACE ENV_EXACT_BUFFERS)
  target_compile_options(boids_env_env INTERFACE
    -fsanitize=${BOIDS_ENV_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(boids_env_env INTERFACE -fsanitize=${BOIDS_ENV_SANITIZE})
endif()

function(boids_env_add_module module header)
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})
  if(SKBUILD_SABI_COMPONENT AND NOT Python_SOABI MATCHES "^cp[a-z-]*[0-9]+t") # the stable ABI has a GIL, cpython-314t has none
    set(stable USE_SABI 3.11)
  endif()
  get_filename_component(folder "${header}" ABSOLUTE)
  get_filename_component(folder "${folder}" DIRECTORY)
  get_filename_component(name "${header}" NAME)
  # from the target, because a variable of find_package() is not seen by a caller in another folder
  get_target_property(include boids_env::env BOIDS_ENV_INCLUDE)
  python_add_library(${module} MODULE WITH_SOABI ${stable} "${include}/binding.c")
  target_compile_definitions(${module} PRIVATE ENV_HEADER="${name}" ENV_MODULE=${module})
  target_include_directories(${module} PRIVATE "${folder}")
  target_link_libraries(${module} PRIVATE boids_env::env)
  set_target_properties(${module} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden)
endfunction()
