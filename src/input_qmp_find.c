/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

#include "input_qmp.h"

/* QEMU's options: KEY=VALUE,... in which ",," is a comma (qemu.git util/keyval.c). */
static char *value_of(const char *options, const char *key)
{
	size_t length = strlen(key);

	while (*options) {
		bool wanted = !strncmp(options, key, length) && options[length] == '=';
		GString *word = g_string_new(NULL);

		for (; *options && (*options != ',' || options[1] == ','); options++) {
			g_string_append_c(word, *options);
			if (*options == ',')
				options++;
		}
		if (*options)
			options++;
		if (wanted) {
			g_string_erase(word, 0, (gssize)length + 1);
			return g_string_free(word, FALSE);
		}
		g_string_free(word, TRUE);
	}
	return NULL;
}

static char *path_of_qmp(const char *options)
{
	char *with_key, *path;

	if (!g_str_has_prefix(options, "unix:"))
		return NULL;
	with_key = g_strconcat("path=", options + strlen("unix:"), NULL);
	path = value_of(with_key, "path");
	g_free(with_key);
	return path;
}

static bool is_option(const char *argument, const char *name)
{
	if (g_str_has_prefix(argument, "--"))
		argument++;
	return *argument == '-' && !strcmp(argument + 1, name);
}

/* -chardev socket,id=NAME,path=PATH,... */
static char *path_of_chardev(const char *const *arguments, const char *name)
{
	for (; arguments[0] && arguments[1]; arguments++) {
		char *id = is_option(arguments[0], "chardev") &&
					   g_str_has_prefix(arguments[1], "socket,")
				   ? value_of(arguments[1], "id")
				   : NULL;
		bool same = id && !strcmp(id, name);

		g_free(id);
		if (same)
			return value_of(arguments[1], "path");
	}
	return NULL;
}

/* -mon chardev=NAME,mode=control, or -mon NAME,mode=control */
static char *path_of_mon(const char *const *arguments, const char *options)
{
	char *mode = value_of(options, "mode"), *name = value_of(options, "chardev"), *path = NULL;

	if (!name)
		name = g_strndup(options, strcspn(options, ","));
	if (mode && !strcmp(mode, "control"))
		path = path_of_chardev(arguments, name);
	g_free(mode);
	g_free(name);
	return path;
}

char *input_qmp_from_arguments(const char *const *arguments)
{
	char *path = NULL;

	for (const char *const *at = arguments; !path && at[0] && at[1]; at++) {
		if (is_option(at[0], "qmp") || is_option(at[0], "qmp-pretty"))
			path = path_of_qmp(at[1]);
		else if (is_option(at[0], "mon"))
			path = path_of_mon(arguments, at[1]);
	}
	return path;
}

static char **arguments_of(pid_t pid)
{
	char *file = g_strdup_printf("/proc/%d/cmdline", (int)pid), *text = NULL;
	GPtrArray *arguments = g_ptr_array_new();
	gsize length = 0;

	if (g_file_get_contents(file, &text, &length, NULL))
		for (gsize at = 0; at < length; at += strlen(text + at) + 1)
			g_ptr_array_add(arguments, g_strdup(text + at));
	g_ptr_array_add(arguments, NULL);
	g_free(text);
	g_free(file);
	return (char **)g_ptr_array_free(arguments, FALSE);
}

char *input_qmp_find(pid_t pid)
{
	char **arguments = arguments_of(pid);
	char *path = input_qmp_from_arguments((const char *const *)arguments), *full;
	struct stat entry;

	g_strfreev(arguments);
	if (path && !g_path_is_absolute(path)) {
		full = g_strdup_printf("/proc/%d/cwd/%s", (int)pid, path);
		g_free(path);
		path = full;
	}
	if (path && (stat(path, &entry) || !S_ISSOCK(entry.st_mode)))
		g_clear_pointer(&path, g_free);
	return path;
}
