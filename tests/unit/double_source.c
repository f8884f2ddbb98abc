/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "double_source.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <string.h>

#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_vfio.h"
#include "unit.h"

struct source *double_source;
unsigned int double_changes;

int double_setup(void **state)
{
	(void)state;
	double_owner_init();
	double_device_init();
	double_gpu_init();
	double_start();
	double_source = NULL;
	double_changes = 0;
	return 0;
}

int double_teardown(void **state)
{
	(void)state;
	if (double_source)
		double_source->ops->close(double_source);
	double_expect_balance();
	assert_int_equal(double_device_ungot(), 0);
	double_gpu_finish();
	double_device_finish();
	double_owner_finish();
	return 0;
}

static void on_changed(void *data)
{
	(void)data;
	double_changes++;
}

void double_watch_source(void)
{
	double_source->changed = on_changed;
}

void double_open_source(enum source_vfio_policy policy)
{
	GError *error = NULL;

	if (source_vfio_open(DOUBLE_NAME, policy, &double_source, &error))
		fail_msg("%s\n", error->message);
	assert_null(error);
	double_watch_source();
	double_forget();
}

/* A device that nobody owns, opened by the source. */
void double_open_free(uint32_t transport)
{
	double_device_show(transport, DRM_FORMAT_MOD_LINEAR);
	double_open_source(SOURCE_VFIO_ATTACH_OPEN);
}

struct plane double_acquire(void)
{
	GError *error = NULL;
	struct plane plane;

	if (double_source->ops->acquire(double_source, PLANE_PRIMARY, &plane, &error))
		fail_msg("%s\n", error->message);
	assert_null(error);
	return plane;
}

bool double_same(const struct plane *plane)
{
	return double_source->ops->same(double_source, PLANE_PRIMARY, plane);
}

void double_release(struct plane *plane)
{
	double_source->ops->release(double_source, plane);
	assert_null(plane->data);
}

void double_look(void)
{
	struct plane plane = double_acquire();

	assert_int_equal(plane_validate(&plane, NULL), 0);
	assert_true(double_same(&plane));
	double_release(&plane);
}

void double_expect_refusal(enum plane_type type, int ret, int code, const char *words)
{
	GError *error = NULL;
	struct plane plane;

	assert_int_equal(double_source->ops->acquire(double_source, type, &plane, &error), ret);
	assert_non_null(error);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	assert_int_equal(error->code, code);
	g_error_free(error);
}

void double_expect_no_source(enum source_vfio_policy policy, int ret, int code, const char *words)
{
	GError *error = NULL;

	assert_int_equal(source_vfio_open(DOUBLE_NAME, policy, &double_source, &error), ret);
	assert_null(double_source);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	assert_int_equal(error->code, code);
	g_error_free(error);
	double_expect_balance();
}
