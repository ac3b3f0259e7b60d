/* stdlib.h - of web/libc, which see libc.c */
#ifndef LIBC_STDLIB_H
#define LIBC_STDLIB_H

#include <stddef.h>

void* calloc(size_t count, size_t size);
void free(void* pointer);

#endif
