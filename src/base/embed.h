#pragma once

// A file as a part of the program: read-only, aligned, and mapped page by page as it is used. Once
// per name, at the top level of a source file; `path` is a string literal from the build:
//
//   VSR_EMBED(names, VSR_NAMES_FILE)   gives   std::string_view vsr_embedded_names()

#include <string_view>

#define VSR_EMBED(name, path)                                                                \
  asm(".section .rodata\n"                                                                   \
      ".balign 64\n"                                                                         \
      ".hidden vsr_" #name                                                                   \
      "_begin\n"                                                                             \
      ".global vsr_" #name                                                                   \
      "_begin\n"                                                                             \
      "vsr_" #name                                                                           \
      "_begin:\n"                                                                            \
      ".incbin \"" path                                                                      \
      "\"\n"                                                                                 \
      ".hidden vsr_" #name                                                                   \
      "_end\n"                                                                               \
      ".global vsr_" #name                                                                   \
      "_end\n"                                                                               \
      "vsr_" #name                                                                           \
      "_end:\n"                                                                              \
      ".previous\n");                                                                        \
  extern "C" const char vsr_##name##_begin[];                                                \
  extern "C" const char vsr_##name##_end[];                                                  \
  static std::string_view vsr_embedded_##name() {                                            \
    return {vsr_##name##_begin, static_cast<size_t>(vsr_##name##_end - vsr_##name##_begin)}; \
  }
