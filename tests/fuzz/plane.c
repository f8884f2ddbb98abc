/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plane's numbers and bytes, as a guest and its driver choose them: through the gate, and what
 * the gate lets pass is captured. Input: head (as below), then the plane's bytes.
 */
#include "plane.h"

#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "fuzz.h"
#include "guard.h"

/* A frame costs memory that a plane of few bytes does not justify: linear, stride 0 is refused. */
#define MOST_PIXELS (1u << 22)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	guard_init();
	return 0;
}

static void name_it(const struct plane *plane)
{
	char modifier[PLANE_MODIFIER_NAME], fourcc[5];

	plane_modifier_name(plane->modifier, modifier);
	plane_fourcc_name(plane->fourcc, fourcc);
	fuzz_expect(memchr(modifier, 0, sizeof(modifier)) && strlen(fourcc) == 4);
}

/* What was captured is what is there: nothing differs at the second look. */
static void capture(const struct plane *plane)
{
	struct frame *frame = frame_create(plane->width, plane->height);
	struct capture *capture = NULL;
	struct damage damage;
	bool differs = false;

	fuzz_expect(frame && !capture_create(&capture));
	fuzz_expect(!damage_init(&damage, plane->width, plane->height));
	fuzz_expect(!capture_pass(capture, plane, NULL, frame, &damage));
	damage_clear(&damage);
	fuzz_expect(!capture_pass(capture, plane, NULL, frame, &damage));
	fuzz_expect(damage_is_empty(&damage));
	for (uint32_t pass = 0; pass < DETILE_PROBE_PASSES; pass++)
		if (!capture_probe(capture, plane, frame, pass, &differs))
			fuzz_expect(!differs);
	damage_finish(&damage);
	capture_destroy(capture);
	frame_release(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	uint32_t palette[256];
	struct plane plane = {0};
	GError *error = NULL;
	uint8_t *exact;
	int ret;

	plane.fourcc = (uint32_t)fuzz_number(&fuzz, 4);
	plane.modifier = fuzz_number(&fuzz, 8);
	plane.width = (uint32_t)fuzz_number(&fuzz, 4);
	plane.height = (uint32_t)fuzz_number(&fuzz, 4);
	plane.stride = (uint32_t)fuzz_number(&fuzz, 4);
	plane.wc = fuzz_number(&fuzz, 1) & 1;
	for (uint32_t i = 0; i < 256; i++)
		palette[i] = i * 0x10305u;
	plane.palette = palette;
	/* Of its own size, so that one byte too many is seen. */
	exact = malloc(fuzz.left + 1);
	fuzz_expect(exact);
	plane.data = exact + 1;
	plane.size = fuzz.left;
	fuzz_fill(&fuzz, exact + 1, plane.size);
	name_it(&plane);
	ret = plane_validate(&plane, &error);
	fuzz_expect(!ret == !error);
	fuzz_expect(!ret || plane_check(&plane, NULL) || ret == -EINVAL);
	if (!ret && (uint64_t)plane.width * plane.height <= MOST_PIXELS)
		capture(&plane);
	g_clear_error(&error);
	free(exact);
	return 0;
}
