/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/cpu_time.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_line(const char *folder, const char *task, const char *name, char *line, int size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.16s/%s", folder, task, name);
	file = fopen(path, "r");
	*line = 0;
	if (!file)
		return;
	if (!fgets(line, size, file))
		*line = 0;
	fclose(file);
}

/* Of those tasks in a folder whose name begins in that way, or (not) does not. */
static double sum(const char *folder, const char *prefix, bool begins)
{
	char name[64], times[128];
	struct dirent *entry;
	double ms = 0;
	DIR *list = opendir(folder);

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		read_line(folder, entry->d_name, "comm", name, sizeof(name));
		if (!strncmp(name, prefix, strlen(prefix)) != begins)
			continue;
		read_line(folder, entry->d_name, "schedstat", times, sizeof(times));
		ms += strtod(times, NULL) / 1e6;
	}
	if (list)
		closedir(list);
	return ms;
}

/* Processes that one has started, as planecast its broker, are its own. */
double cpu_time_ms(pid_t pid)
{
	char folder[64], name[16], line[256], *next;
	double ms;

	snprintf(folder, sizeof(folder), "/proc/%d/task", (int)pid);
	ms = sum(folder, "CPU ", false);
	snprintf(name, sizeof(name), "%d", (int)pid);
	read_line(folder, name, "children", line, sizeof(line));
	for (long child = strtol(line, &next, 10); child > 0; child = strtol(next, &next, 10))
		ms += cpu_time_ms((pid_t)child);
	return ms;
}

double cpu_time_kernel_ms(void)
{
	return sum("/proc", "kworker/u", true);
}
