/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edid.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/param.h>

#define REFRESH 60u
/* The range that the monitor claims. */
#define MIN_REFRESH 24u
#define MAX_REFRESH 75u
#define DETAILED    18 /* bytes of a descriptor */
/* What a detailed timing has room for. */
#define DETAILED_MAX       4095u
#define DETAILED_MAX_CLOCK 65535u /* 10 kHz */
/* VESA CVT 1.2, reduced blanking. */
#define H_BLANK     160u
#define H_FRONT     48u
#define H_SYNC      32u
#define V_FRONT     3u
#define V_BACK      6u
#define V_BLANK_US  460u
#define MM_PER_INCH 25.4
#define DPI         96
/* The least that the range must reach: 1024x768 at 60 Hz. */
#define MIN_KHZ   60u
#define MIN_CLOCK 7u /* 10 MHz */

struct timing {
	uint32_t width, height;
	uint32_t v_sync, v_blank;
	uint32_t clock; /* 10 kHz */
};

/* CVT tells modes by the length of the pulse. */
static uint32_t v_sync_lines(uint32_t width, uint32_t height)
{
	static const struct {
		uint32_t x, y, lines;
	} aspects[] = {{4, 3, 4}, {16, 9, 5}, {16, 10, 6}, {5, 4, 7}, {15, 9, 7}};

	for (size_t i = 0; i < sizeof(aspects) / sizeof(*aspects); i++)
		if (width * aspects[i].y == height * aspects[i].x)
			return aspects[i].lines;
	return 10;
}

/* As DisplayID numbers them; 8: none of them. */
static uint8_t aspect_code(const struct timing *timing)
{
	static const struct {
		uint8_t x, y;
	} aspects[] = {{1, 1}, {5, 4}, {4, 3}, {15, 9}, {16, 9}, {16, 10}};
	uint8_t i = 0;

	while (i < 6 && timing->width * aspects[i].y != timing->height * aspects[i].x)
		i++;
	return i < 6 ? i : 8;
}

static void set_timing(struct timing *timing, uint32_t width, uint32_t height, uint32_t refresh)
{
	uint32_t blank = V_BLANK_US * refresh * height / (1000000 - V_BLANK_US * refresh) + 1;
	uint32_t least = V_FRONT + v_sync_lines(width, height) + V_BACK;
	uint64_t pixels;

	timing->width = width;
	timing->height = height;
	timing->v_sync = v_sync_lines(width, height);
	timing->v_blank = blank > least ? blank : least;
	pixels = (uint64_t)(width + H_BLANK) * (height + timing->v_blank);
	timing->clock = (uint32_t)((pixels * refresh + 9999) / 10000);
}

static uint32_t line_khz(const struct timing *timing)
{
	return timing->clock * 10 / (timing->width + H_BLANK);
}

static uint32_t millimetres(uint32_t pixels)
{
	uint32_t mm = (uint32_t)(pixels * MM_PER_INCH / DPI);

	return mm > DETAILED_MAX ? DETAILED_MAX : mm;
}

static uint32_t centimetres(uint32_t pixels)
{
	uint32_t cm = (millimetres(pixels) + 5) / 10;

	return cm > 255 ? 255 : cm;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

/* Section 3.10.2: a detailed timing descriptor. */
static void put_detailed(uint8_t at[DETAILED], const struct timing *timing,
			 const struct timing *monitor)
{
	uint32_t w = timing->width, h = timing->height, blank = timing->v_blank;
	uint32_t wide = millimetres(monitor->width), high = millimetres(monitor->height);

	put16(at, timing->clock);
	at[2] = (uint8_t)w;
	at[3] = (uint8_t)H_BLANK;
	at[4] = (uint8_t)(w >> 8 << 4 | H_BLANK >> 8);
	at[5] = (uint8_t)h;
	at[6] = (uint8_t)blank;
	at[7] = (uint8_t)(h >> 8 << 4 | blank >> 8);
	at[8] = H_FRONT;
	at[9] = H_SYNC;
	at[10] = (uint8_t)(V_FRONT << 4 | timing->v_sync);
	at[11] = 0;
	at[12] = (uint8_t)wide;
	at[13] = (uint8_t)high;
	at[14] = (uint8_t)(wide >> 8 << 4 | high >> 8);
	at[17] = 0x1a; /* separate syncs, horizontal positive: reduced blanking */
}

/* Section 3.10.3: tag and text, ended by a line feed and blanks. */
static void put_text(uint8_t at[DETAILED], uint8_t tag, const char *text)
{
	size_t length = strlen(text);

	at[3] = tag;
	memset(at + 5, ' ', 13);
	memcpy(at + 5, text, length);
	at[5 + length] = '\n';
}

/* Section 3.10.3.3: from what firmware needs up to this mode. */
static void put_range(uint8_t at[DETAILED], const struct timing *timing)
{
	uint32_t khz = line_khz(timing) + 1, clock = (timing->clock + 999) / 1000;

	if (khz < MIN_KHZ)
		khz = MIN_KHZ;
	if (clock < MIN_CLOCK)
		clock = MIN_CLOCK;
	put_text(at, 0xfd, "");
	at[4] = khz > 255 ? 0x08 : 0x00; /* counted from 255 on */
	at[5] = MIN_REFRESH;
	at[6] = MAX_REFRESH;
	at[7] = 30;
	at[8] = (uint8_t)(khz > 255 ? khz - 255 : khz);
	at[9] = (uint8_t)(clock > 255 ? 255 : clock);
	at[10] = 0x01; /* limits only */
	at[11] = '\n';
}

static void put_checksum(uint8_t *at, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + at[i]);
	at[length] = (uint8_t)-sum;
}

/* The base block; `detailed` is what it can say of the mode, `limit` is the mode. */
static void put_base(uint8_t *at, const struct timing *detailed, const struct timing *limit)
{
	static const uint8_t start[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* header */
		0x41, 0x83, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, /* "PLC", product, serial number */
		0x01, 36,   0x01, 0x04,                         /* week, year 2026, EDID 1.4 */
		0xa5, 0,    0,    0x78, 0x00, /* digital, 8 bits, size in cm, gamma 2.2 */
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* sRGB's colours */
		0x21, 0x08, 0x00, /* 640x480, 800x600, 1024x768 at 60 Hz */
	};
	bool whole = detailed == limit;
	uint8_t *descriptors = at + 54;

	memcpy(at, start, sizeof(start));
	at[21] = (uint8_t)(centimetres(limit->width));
	at[22] = (uint8_t)(centimetres(limit->height));
	at[24] = whole ? 0x07 : 0x05; /* sRGB, the mode is the native one, any frequency */
	memset(at + sizeof(start), 0x01, 54 - sizeof(start)); /* no standard timings */
	put_detailed(descriptors, detailed, limit);
	put_range(descriptors + DETAILED, limit);
	put_text(descriptors + 2 * DETAILED, 0xfc, "planecast");
	put_text(descriptors + 3 * DETAILED, 0xff, "1");
	at[EDID_BLOCK - 2] = !whole;
	put_checksum(at, EDID_BLOCK - 1);
}

/* DisplayID 1.2 section 4.4.1: type I, a detailed timing. */
static void put_type_1(uint8_t *block, const struct timing *timing)
{
	uint8_t *detailed = block + 3;

	block[0] = 0x03;
	block[2] = 20; /* bytes that follow */
	put16(detailed, timing->clock - 1);
	detailed[2] = (uint8_t)((timing->clock - 1) >> 16);
	detailed[3] = 0x80 | aspect_code(timing); /* preferred, progressive */
	put16(detailed + 4, timing->width - 1);
	put16(detailed + 6, H_BLANK - 1);
	put16(detailed + 8, (H_FRONT - 1) | 0x8000); /* positive */
	put16(detailed + 10, H_SYNC - 1);
	put16(detailed + 12, timing->height - 1);
	put16(detailed + 14, timing->v_blank - 1);
	put16(detailed + 16, V_FRONT - 1);
	put16(detailed + 18, timing->v_sync - 1);
}

/* Section 4.2: size in 0.1 mm and pixels, gamma, shape, depth. */
static void put_parameters(uint8_t *block, const struct timing *timing)
{
	uint32_t wide = timing->width, high = timing->height;

	block[0] = 0x01;
	block[2] = 12; /* bytes that follow */
	put16(block + 3, millimetres(wide) * 10);
	put16(block + 5, millimetres(high) * 10);
	put16(block + 7, wide);
	put16(block + 9, high);
	block[12] = 120; /* 2.2 */
	block[13] = (uint8_t)(MIN(MAX(wide, high) * 100 / MIN(wide, high), 355) - 100);
	block[14] = 0x77; /* 8 bits a colour, of the panel and on the way to it */
}

/* A DisplayID section in an extension block: who made the monitor, what it is, its mode. */
static void put_extension(uint8_t *at, const struct timing *timing)
{
	static const uint8_t product[] = {
		0x00, 0, 12, 'P', 'L', 'C', 0x01,
		0x00,                          /* the block's tag, revision, size; product */
		0x01, 0, 0,  0,   1,   26,  0, /* serial number, week, year from 2000, no name */
	};
	/* Section 4.11: DisplayPort with one lane, 8 bits of RGB, no protection of content. */
	static const uint8_t interface[] = {0x0f, 0, 10, 0x91, 0x12, 0x02, 0, 0, 0, 0, 0, 0, 0};
	uint8_t *section = at + 1, *block = section + 4;

	at[0] = 0x70;
	section[0] = 0x12; /* version 1.2 */
	section[1] = EDID_BLOCK - 7;
	section[2] = 0x03; /* a monitor */
	memcpy(block, product, sizeof(product));
	block += sizeof(product);
	put_parameters(block, timing);
	block += 15;
	put_type_1(block, timing);
	block += 23;
	memcpy(block, interface, sizeof(interface));
	put_checksum(section, EDID_BLOCK - 3);
	put_checksum(at, EDID_BLOCK - 1);
}

static bool is_sayable(const struct timing *timing)
{
	return timing->width <= DETAILED_MAX && timing->height <= DETAILED_MAX &&
	       timing->clock <= DETAILED_MAX_CLOCK;
}

int edid_build(uint32_t width, uint32_t height, size_t room, uint8_t blob[EDID_MAX], size_t *size)
{
	struct timing wanted, smaller;
	uint32_t refresh = REFRESH;

	if (width < EDID_MIN_DIMENSION || height < EDID_MIN_DIMENSION ||
	    width > EDID_MAX_DIMENSION || height > EDID_MAX_DIMENSION || room < EDID_BLOCK)
		return -ERANGE;
	memset(blob, 0, EDID_MAX);
	set_timing(&wanted, width, height, refresh);
	if (width <= DETAILED_MAX && height <= DETAILED_MAX) {
		while (!is_sayable(&wanted))
			set_timing(&wanted, width, height, --refresh);
		put_base(blob, &wanted, &wanted);
		*size = EDID_BLOCK;
		return 0;
	}
	if (room < EDID_MAX)
		return -ERANGE;
	/* The same shape for those who read the first block only. */
	do {
		width = (width + 1) / 2;
		height = (height + 1) / 2;
		set_timing(&smaller, width, height, refresh);
	} while (!is_sayable(&smaller));
	put_base(blob, &smaller, &wanted);
	put_extension(blob + EDID_BLOCK, &wanted);
	*size = EDID_MAX;
	return 0;
}
