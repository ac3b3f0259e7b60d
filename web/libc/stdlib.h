/* stdlib.h - of web/libc, which see libc.c */
#ifndef LIBC_STDLIB_H
#define LIBC_STDLIB_H

#include <stddef.h>

void* calloc(size_t count, size_t size);
void* malloc(size_t bytes);
void free(void* pointer);
static inline int abs(int x) { return x < 0 ? -x : x; }

#endif
