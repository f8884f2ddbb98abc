/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmod/pattern.h"
#include "log.h"
#include "output.h"
#include "unit.h"

#define WIDTH  333u
#define HEIGHT 217u
#define STRIDE (WIDTH + 3) /* pixels: rows have a tail that is no picture */

static char *folder;
static uint32_t pixels[STRIDE * HEIGHT];
static const struct image picture = {WIDTH, HEIGHT, STRIDE * 4, pixels, false};

/* A folder of its own for each test, and a picture whose X bytes and tails are rubbish. */
static int setup(void **state)
{
	struct pattern pattern = {PATTERN_STATIC, 1, WIDTH, HEIGHT};

	(void)state;
	folder = g_dir_make_tmp("planecast-XXXXXX", NULL);
	memset(pixels, 0xa5, sizeof(pixels));
	for (uint32_t y = 0; y < HEIGHT; y++) {
		pattern_row(&pattern, 0, y, 0, WIDTH, pixels + y * STRIDE);
		for (uint32_t x = 0; x < WIDTH; x++)
			pixels[y * STRIDE + x] |= 0x5a000000;
	}
	return folder ? 0 : -1;
}

static int teardown(void **state)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	(void)state;
	while (dir && (name = g_dir_read_name(dir))) {
		char *path = g_build_filename(folder, name, NULL);

		unlink(path);
		rmdir(path);
		g_free(path);
	}
	if (dir)
		g_dir_close(dir);
	rmdir(folder);
	g_free(folder);
	return 0;
}

static char *path_of(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static unsigned int files_in_folder(void)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	unsigned int count = 0;

	assert_non_null(dir);
	while (g_dir_read_name(dir))
		count++;
	g_dir_close(dir);
	return count;
}

static void write_ok(const struct image *image, enum image_format format, const char *path)
{
	GError *error = NULL;

	if (image_write(image, format, path, &error))
		fail_msg("%s", error->message);
}

static void write_fails(enum image_format format, const char *path, int errnum)
{
	GError *error = NULL;
	char *expected = g_strdup_printf("cannot write %s: %s",
					 strcmp(path, "-") ? path : "standard output",
					 g_strerror(errnum));

	assert_int_equal(image_write(&picture, format, path, &error), -errnum);
	assert_non_null(error);
	assert_string_equal(error->message, expected);
	assert_int_equal(error->code, EXIT_FAILED);
	g_error_free(error);
	g_free(expected);
}

static void read_file(const char *path, char **data, gsize *size)
{
	assert_true(g_file_get_contents(path, data, size, NULL));
}

/* libpng's simple reader, which shares no code with our writer: 4 bytes a pixel, R G B A. */
static uint8_t *read_png(const char *path, uint32_t width, uint32_t height, bool alpha)
{
	png_image png = {.version = PNG_IMAGE_VERSION};
	uint8_t *rgba;

	if (!png_image_begin_read_from_file(&png, path))
		fail_msg("%s: %s", path, png.message);
	assert_int_equal(png.width, width);
	assert_int_equal(png.height, height);
	assert_int_equal(png.format, alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB);
	png.format = PNG_FORMAT_RGBA;
	rgba = malloc(PNG_IMAGE_SIZE(png));
	assert_non_null(rgba);
	assert_true(png_image_finish_read(&png, NULL, rgba, 0, NULL));
	return rgba;
}

static void test_png_comes_back_pixel_for_pixel(void **state)
{
	static const uint32_t sizes[][2] = {
		{1, 1}, {1, HEIGHT}, {WIDTH, 1}, {64, 32}, {WIDTH, HEIGHT}};
	char *path = path_of("a.png");

	(void)state;
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(sizes); i++) {
		const uint32_t *size = sizes[i / 2];
		struct image image = {size[0], size[1], STRIDE * 4, pixels, false};
		uint8_t *rgba;

		write_ok(&image, i % 2 ? IMAGE_PNG_BEST : IMAGE_PNG, path);
		rgba = read_png(path, image.width, image.height, false);
		for (uint32_t p = 0; p < image.width * image.height; p++) {
			uint32_t pixel = pixels[p / image.width * STRIDE + p % image.width];

			assert_int_equal(rgba[p * 4] << 16 | rgba[p * 4 + 1] << 8 | rgba[p * 4 + 2],
					 pixel & 0xffffff);
		}
		free(rgba);
	}
	assert_int_equal(files_in_folder(), 1);
	g_free(path);
}

static gsize size_of(const struct image *image, enum image_format format)
{
	char *path = path_of("a.png"), *data;
	gsize size;

	write_ok(image, format, path);
	read_file(path, &data, &size);
	g_free(data);
	g_free(path);
	return size;
}

/* Text is smallest as it is, a gradient as differences: it takes whichever is. */
static void test_the_best_png_is_smaller_whatever_it_shows(void **state)
{
	static const enum pattern_kind kinds[] = {PATTERN_STATIC, PATTERN_DESKTOP, PATTERN_TYPING};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct pattern pattern = {kinds[i], 1, WIDTH, HEIGHT};

		for (uint32_t y = 0; y < HEIGHT; y++)
			pattern_row(&pattern, 0, y, 0, WIDTH, pixels + y * STRIDE);
		assert_true(size_of(&picture, IMAGE_PNG_BEST) <
			    size_of(&picture, IMAGE_PNG) * 9 / 10);
	}
}

static void test_png_with_alpha_is_not_premultiplied(void **state)
{
	static const struct {
		uint32_t pixel;
		uint8_t rgba[4];
	} cases[] = {
		{0xffffffff, {255, 255, 255, 255}},
		{0xff123456, {0x12, 0x34, 0x56, 255}},
		{0x00000000, {0, 0, 0, 0}},
		{0x80800040, {255, 0, 128, 128}},
		{0x01010001, {255, 0, 255, 1}},
		{0x60000000, {0, 0, 0, 0x60}},
		/* More colour than alpha, which only a broken guest has. */
		{0x10ff0020, {255, 0, 255, 16}},
		{0x00ffffff, {0, 0, 0, 0}},
	};
	uint32_t row[G_N_ELEMENTS(cases)];
	struct image image = {G_N_ELEMENTS(cases), 1, sizeof(row), row, true};
	char *path = path_of("cursor.png");
	uint8_t *rgba;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		row[i] = cases[i].pixel;
	write_ok(&image, IMAGE_PNG, path);
	rgba = read_png(path, image.width, 1, true);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_memory_equal(rgba + i * 4, cases[i].rgba, 4);
	free(rgba);
	g_free(path);
}

static void test_ppm_is_a_header_and_rgb(void **state)
{
	static const char header[] = "P6\n333 217\n255\n";
	char *path = path_of("a.ppm"), *data;
	gsize size;

	(void)state;
	write_ok(&picture, IMAGE_PPM, path);
	read_file(path, &data, &size);
	assert_int_equal(size, sizeof(header) - 1 + WIDTH * HEIGHT * 3);
	assert_memory_equal(data, header, sizeof(header) - 1);
	for (uint32_t p = 0; p < WIDTH * HEIGHT; p++) {
		const uint8_t *rgb = (const uint8_t *)data + sizeof(header) - 1 + p * 3;

		assert_int_equal(rgb[0] << 16 | rgb[1] << 8 | rgb[2],
				 pixels[p / WIDTH * STRIDE + p % WIDTH] & 0xffffff);
	}
	g_free(data);
	g_free(path);
}

static void test_raw_is_packed_with_x_zero(void **state)
{
	struct image alpha = picture;
	char *path = path_of("a.raw"), *data;
	gsize size;

	(void)state;
	write_ok(&picture, IMAGE_RAW, path);
	read_file(path, &data, &size);
	assert_int_equal(size, WIDTH * HEIGHT * 4);
	for (uint32_t p = 0; p < WIDTH * HEIGHT; p++) {
		uint32_t pixel;

		memcpy(&pixel, data + p * 4, 4);
		assert_int_equal(pixel, pixels[p / WIDTH * STRIDE + p % WIDTH] & 0xffffff);
	}
	g_free(data);
	alpha.alpha = true;
	write_ok(&alpha, IMAGE_RAW, path);
	read_file(path, &data, &size);
	assert_memory_equal(data, pixels, WIDTH * 4);
	g_free(data);
	g_free(path);
}

static void test_formats_have_names(void **state)
{
	(void)state;
	assert_int_equal(image_format_from_name("png"), IMAGE_PNG);
	assert_int_equal(image_format_from_name("ppm"), IMAGE_PPM);
	assert_int_equal(image_format_from_name("raw"), IMAGE_RAW);
	assert_int_equal(image_format_from_name("gif"), -1);
	assert_int_equal(image_format_from_name(""), -1);
}

static void test_a_new_file_has_the_umasks_mode(void **state)
{
	char *path = path_of("a.png");
	mode_t mask = umask(027);
	struct stat status;

	(void)state;
	write_ok(&picture, IMAGE_PNG, path);
	umask(mask);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	g_free(path);
}

static void test_an_old_file_is_replaced_at_once_and_keeps_its_mode(void **state)
{
	char *path = path_of("a.ppm"), old[4] = "";
	struct stat status;
	int fd;

	(void)state;
	assert_true(g_file_set_contents(path, "old", 3, NULL));
	assert_int_equal(chmod(path, 0604), 0);
	fd = open(path, O_RDONLY);
	write_ok(&picture, IMAGE_PPM, path);
	/* Who had it open still reads the old one: it was never written to. */
	assert_int_equal(read(fd, old, sizeof(old)), 3);
	assert_string_equal(old, "old");
	close(fd);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 15 + WIDTH * HEIGHT * 3);
	assert_int_equal(status.st_mode & 07777, 0604);
	assert_int_equal(files_in_folder(), 1);
	g_free(path);
}

static void test_a_link_stays_a_link(void **state)
{
	char *path = path_of("a.ppm"), *link = path_of("link"), *nowhere = path_of("nowhere");
	struct stat status;

	(void)state;
	assert_true(g_file_set_contents(path, "old", 3, NULL));
	assert_int_equal(symlink("a.ppm", link), 0);
	write_ok(&picture, IMAGE_PPM, link);
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size > 3);
	assert_int_equal(symlink("missing/b.ppm", nowhere), 0);
	write_fails(IMAGE_PPM, nowhere, ENOENT);
	assert_int_equal(files_in_folder(), 3);
	g_free(path);
	g_free(link);
	g_free(nowhere);
}

static void test_the_longest_name_can_be_written(void **state)
{
	char name[256], *path;

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	path = path_of(name);
	write_ok(&picture, IMAGE_PPM, path);
	assert_int_equal(files_in_folder(), 1);
	g_free(path);
}

static void test_bad_places_are_refused_by_name(void **state)
{
	char *sub = path_of("sub"), *missing = path_of("missing/a.png"), *slash = path_of("no/");

	(void)state;
	assert_int_equal(mkdir(sub, 0777), 0);
	write_fails(IMAGE_PNG, sub, EISDIR);
	write_fails(IMAGE_PNG, missing, ENOENT);
	write_fails(IMAGE_PNG, slash, EISDIR);
	write_fails(IMAGE_PNG, "", ENOENT);
	/* Neither a file without a name nor one with a name can be made here, not even by root. */
	write_fails(IMAGE_PNG, "/proc/a.png", geteuid() ? EACCES : ENOENT);
	assert_int_equal(files_in_folder(), 1);
	g_free(sub);
	g_free(missing);
	g_free(slash);
}

/* A file that grows no further than 4 KiB: what a full disk does in the middle of a picture. */
static void with_small_files(enum image_format format, const char *path)
{
	struct rlimit old, small;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){4096, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	write_fails(format, path, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

static void test_a_failure_leaves_nothing_and_the_old_file(void **state)
{
	char *path = path_of("a"), *data;
	gsize size;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	for (int format = 0; format < IMAGE_FORMATS; format++) {
		with_small_files((enum image_format)format, path);
		assert_int_equal(files_in_folder(), 0);
	}
	assert_true(g_file_set_contents(path, "old", 3, NULL));
	for (int format = 0; format < IMAGE_FORMATS; format++)
		with_small_files((enum image_format)format, path);
	read_file(path, &data, &size);
	assert_int_equal(size, 3);
	assert_int_equal(files_in_folder(), 1);
	g_free(data);
	g_free(path);
}

static void test_an_output_that_is_only_closed_leaves_nothing(void **state)
{
	char *path = path_of("a");
	struct output *output;

	(void)state;
	assert_int_equal(output_open(path, &output, NULL), 0);
	assert_int_equal(output_write(output, "half", 4), 0);
	output_close(output);
	assert_int_equal(files_in_folder(), 0);
	output_close(NULL);
	g_free(path);
}

/* As on a filesystem that has no files without a name (FAT, 9p). */
static bool forbid_unnamed_files(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {G_N_ELEMENTS(code), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) &&
	       open(folder, O_WRONLY | O_TMPFILE, 0600) < 0 && errno == EOPNOTSUPP;
}

static void test_filesystems_without_unnamed_files_do_as_well(void **state)
{
	char *path = path_of("a.ppm");
	struct rlimit small = {4096, 4096};
	struct stat status;
	int result;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	if (!child) {
		umask(022);
		signal(SIGXFSZ, SIG_IGN);
		if (!forbid_unnamed_files())
			_exit(77);
		if (image_write(&picture, IMAGE_PPM, path, NULL) || files_in_folder() != 1)
			_exit(1);
		setrlimit(RLIMIT_FSIZE, &small);
		if (image_write(&picture, IMAGE_PPM, path, NULL) != -EFBIG ||
		    files_in_folder() != 1)
			_exit(2);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &result, 0), child);
	if (WIFEXITED(result) && WEXITSTATUS(result) == 77) {
		print_message("SKIP: no seccomp here\n");
		skip();
	}
	assert_int_equal(result, 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 15 + WIDTH * HEIGHT * 3);
	assert_int_equal(status.st_mode & 07777, 0644);
	g_free(path);
}

static void test_special_files_are_written_as_they_are(void **state)
{
	char *fifo = path_of("fifo");
	struct image small = {16, 16, STRIDE * 4, pixels, false};
	struct stat status;
	uint8_t data[2048];
	int fd;

	(void)state;
	write_ok(&picture, IMAGE_PNG, "/dev/null");
	assert_int_equal(stat("/dev/null", &status), 0);
	assert_true(S_ISCHR(status.st_mode));
	write_fails(IMAGE_PNG, "/dev/full", ENOSPC);
	write_fails(IMAGE_RAW, "/dev/full", ENOSPC);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDWR | O_NONBLOCK);
	write_ok(&small, IMAGE_RAW, fifo);
	assert_int_equal(read(fd, data, sizeof(data)), 16 * 16 * 4);
	close(fd);
	g_free(fifo);
}

/* Runs with standard output replaced by fd. */
static int stdout_saved;

static void replace_stdout(int fd)
{
	fflush(stdout);
	stdout_saved = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
}

static void restore_stdout(void)
{
	dup2(stdout_saved, STDOUT_FILENO);
	close(stdout_saved);
}

static void test_a_dash_is_standard_output(void **state)
{
	struct image small = {16, 16, STRIDE * 4, pixels, false};
	uint8_t data[2048];
	int ends[2], ret;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	replace_stdout(ends[1]);
	ret = image_write(&small, IMAGE_RAW, "-", NULL);
	restore_stdout();
	assert_int_equal(ret, 0);
	assert_int_equal(read(ends[0], data, sizeof(data)), 16 * 16 * 4);
	close(ends[0]);
	close(ends[1]);
}

static void test_a_reader_that_went_away_is_an_error(void **state)
{
	GError *error = NULL;
	int ends[2], ret;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	replace_stdout(ends[1]);
	ret = image_write(&picture, IMAGE_PNG, "-", &error);
	restore_stdout();
	close(ends[1]);
	assert_int_equal(ret, -EPIPE);
	assert_string_equal(error->message, "cannot write standard output: Broken pipe");
	g_error_free(error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_png_comes_back_pixel_for_pixel),
		TEST(test_the_best_png_is_smaller_whatever_it_shows),
		TEST(test_png_with_alpha_is_not_premultiplied),
		TEST(test_ppm_is_a_header_and_rgb),
		TEST(test_raw_is_packed_with_x_zero),
		TEST(test_formats_have_names),
		TEST(test_a_new_file_has_the_umasks_mode),
		TEST(test_an_old_file_is_replaced_at_once_and_keeps_its_mode),
		TEST(test_a_link_stays_a_link),
		TEST(test_the_longest_name_can_be_written),
		TEST(test_bad_places_are_refused_by_name),
		TEST(test_a_failure_leaves_nothing_and_the_old_file),
		TEST(test_an_output_that_is_only_closed_leaves_nothing),
		TEST(test_filesystems_without_unnamed_files_do_as_well),
		TEST(test_special_files_are_written_as_they_are),
		TEST(test_a_dash_is_standard_output),
		TEST(test_a_reader_that_went_away_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
