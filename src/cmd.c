/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <stdlib.h>

#include "device.h"
#include "discover.h"
#include "log.h"
#include "source_replay.h"

int cmd_options(int *argc, char ***argv, const GOptionEntry *entries, const char *operands,
		int count, const char *summary, const char *description)
{
	GOptionContext *context = g_option_context_new(operands);
	const char *verb = (*argv)[0];
	char *program = g_strdup_printf("planecast %s", verb);
	GError *error = NULL;
	int ret = EXIT_DONE;

	g_set_prgname(program);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, summary);
	g_option_context_set_description(context, description);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		log_error("%s: %s (see %s --help)", verb, error->message, program);
		g_error_free(error);
		ret = EXIT_USAGE;
	} else if (*argc - 1 < count) {
		log_error("%s: no %s given (see %s --help)", verb, operands, program);
		ret = EXIT_USAGE;
	} else if (*argc - 1 > count) {
		log_error("%s: \"%s\" is one too many (see %s --help)", verb, (*argv)[count + 1],
			  program);
		ret = EXIT_USAGE;
	}
	g_option_context_free(context);
	g_free(program);
	return ret;
}

static int open_process(pid_t pid, unsigned int policy, struct source **source, GError **error)
{
	char *name;
	int ret = discover_display(pid, &name, error);

	if (ret)
		return ret;
	log_debug("process %d owns %s", (int)pid, name);
	ret = source_vfio_open(name, policy, source, error);
	g_free(name);
	return ret;
}

int cmd_open_source(const char *spec, unsigned int policy, struct source **source, GError **error)
{
	struct device device;
	int ret = device_parse(spec, &device, error);

	if (!ret && device.kind == DEVICE_SIM)
		ret = source_sim_open(device.options, source, error);
	else if (!ret && device.kind == DEVICE_REPLAY)
		ret = source_replay_open(device.options, source, error);
	else if (!ret && device.kind == DEVICE_VFIO)
		ret = source_vfio_open(device.name, policy, source, error);
	else if (!ret && device.kind == DEVICE_FD)
		ret = source_vfio_adopt(device.fd, source, error);
	else if (!ret)
		ret = open_process(device.pid, policy, source, error);
	device_finish(&device);
	return ret;
}

int cmd_set_palette(struct source *source, const char *name, uint32_t colours[PALETTE_COLOURS],
		    GError **error)
{
	int ret = name ? palette_get(name, colours, error) : 0;

	if (!ret && name)
		source->palette = colours;
	return ret;
}

int cmd_report(const char *subject, GError *error)
{
	int code = error->domain == PLANECAST_ERROR ? error->code : EXIT_FAILED;

	log_error("%s: %s", subject, error->message);
	g_error_free(error);
	return code;
}
