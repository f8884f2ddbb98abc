/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim_cursor.h"

#include <string.h>

#include "kmod/brush.h"

#define SCALE  2u
#define SHADOW 3u /* pixels right and down */

#define OUTLINE_COLOUR 0xff101418u
#define INSIDE_COLOUR  0xffffffffu
#define SHADOW_COLOUR  0x60000000u

static const char *const arrow[] = {
	"#            ", "##           ", "#.#          ", "#..#         ", "#...#        ",
	"#....#       ", "#.....#      ", "#......#     ", "#.......#    ", "#........#   ",
	"#.........#  ", "#..........# ", "#......######", "#...#..#     ", "#..##..#     ",
	"#.#  #..#    ", "##   #..#    ", "#     #..#   ", "      #..#   ", "       ##    ",
};

#define ARROW_ROWS (sizeof(arrow) / sizeof(arrow[0]))

static char arrow_at(int32_t x, int32_t y)
{
	int32_t column = x / (int32_t)SCALE, row = y / (int32_t)SCALE;

	if (x < 0 || y < 0 || row >= (int32_t)ARROW_ROWS || column >= (int32_t)strlen(arrow[row]))
		return ' ';
	return arrow[row][column];
}

void sim_cursor_draw(uint32_t pixels[SIM_CURSOR_SIZE * SIM_CURSOR_SIZE])
{
	for (uint32_t i = 0; i < SIM_CURSOR_SIZE * SIM_CURSOR_SIZE; i++) {
		int32_t x = (int32_t)(i % SIM_CURSOR_SIZE) - SIM_CURSOR_HOT;
		int32_t y = (int32_t)(i / SIM_CURSOR_SIZE) - SIM_CURSOR_HOT;
		char ink = arrow_at(x, y);

		if (ink != ' ')
			pixels[i] = ink == '#' ? OUTLINE_COLOUR : INSIDE_COLOUR;
		else if (arrow_at(x - (int32_t)SHADOW, y - (int32_t)SHADOW) != ' ')
			pixels[i] = SHADOW_COLOUR;
		else
			pixels[i] = 0;
	}
}

void sim_cursor_place(uint32_t width, uint32_t height, uint32_t seed, uint64_t frame, int32_t *x,
		      int32_t *y)
{
	uint32_t phase = (uint32_t)frame * 96 + seed * 4099;
	int32_t right = (int32_t)width - 1, bottom = (int32_t)height - 1;

	*x = (right + right * brush_wave(phase) / 32768) / 2 - SIM_CURSOR_HOT;
	*y = (bottom + bottom * brush_wave(phase * 3 + 8192) / 32768) / 2 - SIM_CURSOR_HOT;
}
