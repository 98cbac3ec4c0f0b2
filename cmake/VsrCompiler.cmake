# Compiler and linker settings shared by everything that is ours.
find_program(VSR_CCACHE ccache)
if(VSR_CCACHE)
  # The sloppiness is what ccache asks for to cache files that use a precompiled header.
  set(launcher ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 ${VSR_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(vsr_flags INTERFACE)
target_include_directories(vsr_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(vsr_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
  -Wno-missing-field-initializers -Wno-deprecated-declarations
  $<$<CONFIG:Debug>:-O1> -fno-omit-frame-pointer -Xclang -fno-pch-timestamp
  $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-march=x86-64-v3>)
target_link_options(vsr_flags INTERFACE -fuse-ld=lld-19 $<$<CONFIG:Release>:-Wl,--gc-sections>)
if(VSR_SANITIZE)
  target_compile_options(vsr_flags INTERFACE -fsanitize=${VSR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(vsr_flags INTERFACE -fsanitize=${VSR_SANITIZE})
endif()
if(VSR_FUZZ)
  # Every room, so that the fuzzer is led through what the room under test calls.
  target_compile_options(vsr_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Debug information only where somebody will read it: it is a third of the link time.
set(CMAKE_CXX_FLAGS_DEBUG "-g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -ffunction-sections")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG -ffunction-sections")
