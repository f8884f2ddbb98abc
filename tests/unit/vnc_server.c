/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC server for trying viewers by hand: a stage (stage.h) that obeys lines on its input.
 *
 *   vnc_server ADDR WIDTH HEIGHT
 *   resize WIDTH HEIGHT | paint X Y WIDTH HEIGHT | ppm FILE | demand | wait MS | quit
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"
#include "unit.h"

static void write_ppm(const struct frame *frame, const char *path)
{
	FILE *file = fopen(path, "wb");

	if (!file) {
		perror(path);
		return;
	}
	fprintf(file, "P6\n%u %u\n255\n", frame->width, frame->height);
	for (uint32_t y = 0; y < frame->height; y++) {
		const uint32_t *row = frame->pixels + y * (frame->stride / 4);

		for (uint32_t x = 0; x < frame->width; x++) {
			uint8_t rgb[3] = {(uint8_t)(row[x] >> 16), (uint8_t)(row[x] >> 8),
					  (uint8_t)row[x]};

			fwrite(rgb, 1, 3, file);
		}
	}
	fclose(file);
}

static void obey(struct stage *stage, const char *line)
{
	unsigned int x, y, width, height;
	struct sink_demand demand;
	char path[256];

	if (sscanf(line, "resize %u %u", &width, &height) == 2) {
		stage_resize(stage, width, height);
	} else if (sscanf(line, "paint %u %u %u %u", &x, &y, &width, &height) == 4) {
		stage_paint(stage, x, y, width, height);
	} else if (sscanf(line, "ppm %255s", path) == 1) {
		write_ppm(stage->frame, path);
	} else if (sscanf(line, "wait %u", &x) == 1) {
		g_usleep(x * 1000ul);
	} else if (!strncmp(line, "demand", 6)) {
		demand = stage_demand(stage);
		printf("clients %u waiting %u\n", demand.clients, demand.waiting);
	} else {
		printf("what? %s", line);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	struct stage stage;
	char line[512];

	if (argc != 4) {
		fprintf(stderr, "usage: vnc_server ADDR WIDTH HEIGHT\n");
		return 2;
	}
	stage_open(&stage, NULL, (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
	alarm(0);
	if (vnc_listen(stage.sink, argv[1], &error))
		fprintf(stderr, "%s\n", error->message);
	while (!error && fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4))
		obey(&stage, line);
	g_clear_error(&error);
	stage_close(&stage);
	return 0;
}
