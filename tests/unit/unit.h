/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes: cmocka with the headers that it needs first. */
#ifndef PLANECAST_UNIT_H
#define PLANECAST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* log.h has a function fail(), so cmocka's macro of that name goes, and its user stands alone. */
#undef fail
#undef fail_msg
#define fail_msg(...)                               \
	do {                                        \
		print_error("ERROR: " __VA_ARGS__); \
		_fail(__FILE__, __LINE__);          \
	} while (0)

#endif
