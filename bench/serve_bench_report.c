/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_bench.h"

#include <errno.h>
#include <string.h>

static double fps(const struct bench_row *row)
{
	return row->median.frames / row->median.seconds;
}

static double frame_ms(const struct bench_row *row)
{
	return row->median.frames > 0 ? row->median.cpu_ms / row->median.frames : 0;
}

static double door_ms(const struct bench_row *row)
{
	return row->median.frames > 0 ? row->median.door_ms / row->median.frames : 0;
}

static double frame_kib(const struct bench_row *row)
{
	return row->median.frames > 0 ? row->median.bytes / row->median.frames / 1024 : 0;
}

static double paint_ms(const struct bench *bench, const struct bench_row *row)
{
	return !strncmp(bench_servers[row->server], "planecast", strlen("planecast"))
		       ? bench->paint_ms[row->work - bench->works]
		       : 0;
}

void bench_print_table(FILE *out, const struct bench *bench)
{
	fprintf(out, "%-9s %-10s %2s %-13s %7s %9s %7s %9s %7s %7s %9s %8s %8s\n", "work", "enc",
		"n", "server", "fps", "cpu ms/f", "vs lib", "(paint)", "(door)", "cpu %", "KiB/f",
		"p50 ms", "p99 ms");
	for (unsigned int i = 0; i < bench->count; i++) {
		const struct bench_row *row = &bench->rows[i];

		fprintf(out,
			"%-9s %-10s %2u %-13s %7.1f %9.2f %7.3f %9.2f %7.3f %7.1f %9.1f %8.1f %8.1f\n",
			row->work->name, row->encoding->name, row->clients,
			bench_servers[row->server], fps(row), frame_ms(row), row->versus,
			paint_ms(bench, row), door_ms(row),
			row->median.cpu_ms / row->median.seconds / 10, frame_kib(row),
			row->median.p50_ms, row->median.p99_ms);
	}
}

void bench_print_json(FILE *out, const struct bench *bench)
{
	fputs("[\n", out);
	for (unsigned int i = 0; i < bench->count; i++) {
		const struct bench_row *row = &bench->rows[i];

		fprintf(out,
			"  {\"work\": \"%s\", \"encoding\": \"%s\", \"clients\": %u, \"server\": \"%s\","
			" \"width\": %u, \"height\": %u, \"rounds\": %u, \"fps\": %.2f,"
			" \"cpu_ms_per_frame\": %.3f, \"versus_libvncserver\": %.4f,"
			" \"paint_ms_per_frame\": %.3f,"
			" \"door_ms_per_frame\": %.4f,"
			" \"cpu_percent\": %.2f, \"bytes_per_frame\": %.0f",
			row->work->name, row->encoding->name, row->clients,
			bench_servers[row->server], bench->width, bench->height, row->rounds,
			fps(row), frame_ms(row), row->versus, paint_ms(bench, row), door_ms(row),
			row->median.cpu_ms / row->median.seconds / 10, frame_kib(row) * 1024);
		if (row->work->decodes)
			fprintf(out, ", \"p50_ms\": %.2f, \"p99_ms\": %.2f", row->median.p50_ms,
				row->median.p99_ms);
		fprintf(out, "}%s\n", i + 1 < bench->count ? "," : "");
	}
	fputs("]\n", out);
}

/* The plot: a line of bars for each work, once frames a second and once CPU. */
#define BAR    14
#define HEIGHT 120
#define STEP   190
#define MARGIN 60

static const char *const colours[BENCH_SERVERS] = {"#4878a8", "#e08a3c", "#4f9d5b", "#b05a5a",
						   "#8a6fb0", "#6f9bc8", "#97b8da", "#c0d5ea",
						   "#c9702a", "#e6a060", "#edbb8c", "#f5d8bd"};

static void plot_panel(FILE *out, const struct bench *bench, unsigned int first, unsigned int end,
		       double (*value)(const struct bench_row *), const char *what, double left,
		       double bottom)
{
	double most = 0, x = left - BAR;

	for (unsigned int i = first; i < end; i++)
		most = value(&bench->rows[i]) > most ? value(&bench->rows[i]) : most;
	fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" font-size=\"12\">%s: %s, up to %.1f</text>\n",
		left, bottom - HEIGHT - 8, bench->rows[first].work->name, what, most);
	for (unsigned int i = first; i < end; i++) {
		const struct bench_row *row = &bench->rows[i];
		bool new_group = i == first || row->encoding != row[-1].encoding ||
				 row->clients != row[-1].clients;
		double height = most > 0 ? value(row) / most * HEIGHT : 0;

		x += new_group && i != first ? BAR + 12 : BAR;
		if (new_group)
			fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" font-size=\"9\">%s %u</text>\n",
				x, bottom + 12, row->encoding->name, row->clients);
		fprintf(out,
			"<rect x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\">"
			"<title>%s: %.2f</title></rect>\n",
			x, bottom - height, BAR - 1, height, colours[row->server],
			bench_servers[row->server], value(row));
	}
}

int bench_plot(const char *path, const struct bench *bench)
{
	unsigned int works = 0, widest = 0, first = 0;
	FILE *out = fopen(path, "w");

	if (!out)
		return -errno;
	for (unsigned int i = 0, length = 0; i < bench->count; i++) {
		length = i && bench->rows[i].work == bench->rows[i - 1].work ? length + 1 : 1;
		works += length == 1;
		widest = length > widest ? length : widest;
	}
	widest = widest * BAR + widest * 12 / BENCH_SERVERS + MARGIN;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"font-family=\"sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" "
		"fill=\"white\"/>\n",
		MARGIN + 2 * (widest > 260 ? widest : 260), works * STEP + 40);
	for (int i = 0; i < BENCH_SERVERS; i++)
		fprintf(out,
			"<rect x=\"%d\" y=\"8\" width=\"10\" height=\"10\" fill=\"%s\"/>"
			"<text x=\"%d\" y=\"17\" font-size=\"11\">%s</text>\n",
			MARGIN + i * 110, colours[i], MARGIN + 14 + i * 110, bench_servers[i]);
	works = 0;
	for (unsigned int i = 1; i <= bench->count; i++) {
		double bottom;

		if (i < bench->count && bench->rows[i].work == bench->rows[first].work)
			continue;
		bottom = works++ * STEP + HEIGHT + 50;
		plot_panel(out, bench, first, i, fps, "frames a second", MARGIN, bottom);
		plot_panel(out, bench, first, i, frame_ms, "CPU-ms a frame",
			   MARGIN + (widest > 260 ? widest : 260), bottom);
		first = i;
	}
	fputs("</svg>\n", out);
	if (ferror(out)) {
		fclose(out);
		return -EIO;
	}
	return fclose(out) ? -errno : 0;
}
