/* assert.h - of web/libc, which see libc.c */
#ifndef LIBC_ASSERT_H
#define LIBC_ASSERT_H

#define assert(claim) ((void)((claim) || (__builtin_trap(), 0)))
#define static_assert _Static_assert

#endif
