/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover.h"

#include <errno.h>
#include <stdbool.h>

#include "device.h"
#include "log.h"
#include "vfio.h"

static bool has_display(const char *name, const struct owner *owner, GError **error)
{
	struct vfio vfio;
	bool found;

	if (vfio_attach(name, owner, &vfio, error))
		return false;
	found = vfio_probe(&vfio, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_REGION) ||
		vfio_probe(&vfio, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_DMABUF);
	vfio_close(&vfio);
	return found;
}

static void collect_displays(GArray *owners, GPtrArray *found, GError **error)
{
	for (guint i = 0; i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);
		GPtrArray *names = device_names_of_node(owner->node);

		for (guint j = 0; j < names->len; j++) {
			const char *name = g_ptr_array_index(names, j);

			/* A process may have a node open twice. */
			if (g_ptr_array_find_with_equal_func(found, name, g_str_equal, NULL))
				continue;
			if (has_display(name, owner, *error ? NULL : error))
				g_ptr_array_add(found, g_strdup(name));
		}
		g_ptr_array_unref(names);
	}
}

static char *list_devices(GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		g_string_append_printf(text, "%s%s%s", i ? ", " : "",
				       g_uuid_string_is_valid(name) ? "mdev:" : "pci:", name);
	}
	return g_string_free(text, FALSE);
}

int discover_display(pid_t pid, char **name, GError **error)
{
	GPtrArray *found;
	GError *why = NULL;
	GArray *owners;
	int ret = owner_of_process(pid, &owners);

	if (ret == -EACCES)
		return fail(error, EXIT_REFUSED, EACCES,
			    "no permission to look at the process (run as root, or with "
			    "CAP_SYS_PTRACE)");
	if (ret)
		return fail(error, EXIT_FAILED, ESRCH, "no such process");
	found = g_ptr_array_new_with_free_func(g_free);
	collect_displays(owners, found, &why);
	if (found->len == 1) {
		*name = g_strdup(g_ptr_array_index(found, 0));
	} else if (found->len) {
		char *list = list_devices(found);

		ret = fail(error, EXIT_USAGE, ENOTUNIQ,
			   "the process has %u displays (name one of them: %s)", found->len, list);
		g_free(list);
	} else if (why && why->code == EXIT_REFUSED) {
		ret = fail(error, EXIT_REFUSED, EACCES, "%s", why->message);
	} else {
		ret = fail(error, EXIT_NO_DISPLAY, ENODEV,
			   "the process has no vfio device with a display");
	}
	g_clear_error(&why);
	g_ptr_array_unref(found);
	g_array_unref(owners);
	return ret;
}
