/* stdio.h - of web/libc, which see libc.c */
#ifndef LIBC_STDIO_H
#define LIBC_STDIO_H

#include <stddef.h>

int snprintf(char* out, size_t size, const char* format, ...) __attribute__((format(printf, 3, 4)));
int printf(const char* format, ...) __attribute__((format(printf, 1, 2)));
int puts(const char* text);

#endif
