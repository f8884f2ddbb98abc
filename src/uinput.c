/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "uinput.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/uinput.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "input.h"
#include "log.h"

#define UINPUT "/dev/uinput"
#define SYSFS  "/sys/devices/virtual/input/"

struct uinput {
	int fd;   /* of UINPUT */
	int node; /* of the event node, to see whether it is taken */
	char *path;
};

/* What it can do: pairs of a request (UI_SET_...) and its argument. */
struct ability {
	unsigned long request;
	int first, last;
};

static const struct ability keyboard[] = {
	{UI_SET_EVBIT, EV_KEY, EV_KEY},
	{UI_SET_EVBIT, EV_LED, EV_LED},
	{UI_SET_KEYBIT, KEY_RESERVED + 1, BTN_MISC - 1},
	{UI_SET_LEDBIT, LED_NUML, LED_SCROLLL},
};

static const struct ability pointer[] = {
	{UI_SET_EVBIT, EV_KEY, EV_REL},
	{UI_SET_KEYBIT, BTN_LEFT, BTN_EXTRA},
	{UI_SET_RELBIT, REL_HWHEEL, REL_HWHEEL},
	{UI_SET_RELBIT, REL_WHEEL, REL_WHEEL},
};

static const struct ability relative[] = {{UI_SET_RELBIT, REL_X, REL_Y}};

static const struct ability absolute[] = {
	{UI_SET_EVBIT, EV_ABS, EV_ABS},
	{UI_SET_ABSBIT, ABS_X, ABS_Y},
};

static int enable(int fd, const struct ability *abilities, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int bit = abilities[i].first; bit <= abilities[i].last; bit++)
			if (ioctl(fd, abilities[i].request, bit))
				return -errno;
	return 0;
}

static int set_axes(int fd)
{
	for (__u16 axis = ABS_X; axis <= ABS_Y; axis++) {
		struct uinput_abs_setup setup = {
			.code = axis,
			.absinfo = {.maximum = INPUT_POSITION_MAX},
		};

		if (ioctl(fd, UI_ABS_SETUP, &setup))
			return -errno;
	}
	return 0;
}

static int enable_pointer(int fd, enum uinput_kind kind)
{
	int ret = enable(fd, pointer, G_N_ELEMENTS(pointer));

	if (ret)
		return ret;
	if (kind == UINPUT_MOUSE)
		return enable(fd, relative, G_N_ELEMENTS(relative));
	ret = enable(fd, absolute, G_N_ELEMENTS(absolute));
	return ret ? ret : set_axes(fd);
}

static const char *word_of(enum uinput_kind kind)
{
	static const char *const words[] = {"keyboard", "tablet", "mouse"};

	return words[kind];
}

/* Its name is for people, its place (phys) for rules of udev. */
static int set_names(int fd, enum uinput_kind kind, const char *name)
{
	struct uinput_setup setup = {.id = {.bustype = BUS_VIRTUAL, .version = 1}};
	char *place = g_strdup_printf("planecast/%s-%s", name, word_of(kind));
	int ret = 0;

	g_snprintf(setup.name, sizeof(setup.name), "planecast %s %s", name, word_of(kind));
	if (ioctl(fd, UI_SET_PHYS, place) || ioctl(fd, UI_DEV_SETUP, &setup))
		ret = -errno;
	g_free(place);
	return ret;
}

static int set_up(int fd, enum uinput_kind kind, const char *name)
{
	int ret = kind == UINPUT_KEYBOARD ? enable(fd, keyboard, G_N_ELEMENTS(keyboard))
					  : enable_pointer(fd, kind);

	if (!ret)
		ret = set_names(fd, kind, name);
	if (!ret && ioctl(fd, UI_DEV_CREATE))
		ret = -errno;
	return ret;
}

/* The event node of a device that is there, or NULL: the kernel has no evdev. */
static char *find_node(int fd)
{
	char name[32] = "", *folder, *path = NULL;
	const char *entry;
	GDir *dir;

	if (ioctl(fd, UI_GET_SYSNAME(sizeof(name) - 1), name) < 0)
		return NULL;
	folder = g_strconcat(SYSFS, name, NULL);
	dir = g_dir_open(folder, 0, NULL);
	g_free(folder);
	while (dir && !path && (entry = g_dir_read_name(dir)))
		if (g_str_has_prefix(entry, "event"))
			path = g_strconcat("/dev/input/", entry, NULL);
	if (dir)
		g_dir_close(dir);
	return path;
}

static int open_uinput(GError **error)
{
	int fd = open(UINPUT, O_RDWR | O_NONBLOCK | O_CLOEXEC), errnum = errno;

	if (fd >= 0)
		return fd;
	if (errnum == EACCES || errnum == EPERM)
		return fail(error, EXIT_REFUSED, errnum,
			    UINPUT ": no permission (be root, or let a rule of udev give the group "
				   "input the right to it)");
	if (errnum == ENOENT || errnum == ENODEV || errnum == ENXIO)
		return fail(error, EXIT_FAILED, errnum,
			    UINPUT ": there is none (modprobe uinput; a container needs it given)");
	return fail(error, EXIT_FAILED, errnum, UINPUT ": %s", g_strerror(errnum));
}

static int open_node(struct uinput *device, GError **error)
{
	int errnum;

	device->path = find_node(device->fd);
	if (!device->path)
		return fail(error, EXIT_FAILED, ENOENT,
			    UINPUT ": its device has no event node (modprobe evdev)");
	device->node = open(device->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (device->node >= 0)
		return 0;
	errnum = errno;
	return fail(error, errnum == EACCES ? EXIT_REFUSED : EXIT_FAILED, errnum,
		    "%s: %s (be root or of the group input; a container needs it given)",
		    device->path, g_strerror(errnum));
}

int uinput_create(enum uinput_kind kind, const char *name, struct uinput **result, GError **error)
{
	struct uinput *device = g_new0(struct uinput, 1);
	int ret;

	device->node = -1;
	device->fd = ret = open_uinput(error);
	if (ret < 0)
		goto failed;
	ret = set_up(device->fd, kind, name);
	if (ret)
		fail(error, EXIT_FAILED, -ret, UINPUT ": cannot make a %s: %s (it takes Linux 4.5)",
		     word_of(kind), g_strerror(-ret));
	else
		ret = open_node(device, error);
	if (ret)
		goto failed;
	*result = device;
	return 0;
failed:
	uinput_destroy(device);
	return ret;
}

void uinput_destroy(struct uinput *device)
{
	if (!device)
		return;
	if (device->node >= 0)
		close(device->node);
	if (device->fd >= 0)
		close(device->fd);
	g_free(device->path);
	g_free(device);
}

const char *uinput_node(const struct uinput *device)
{
	return device->path;
}

/* Only one can have it: who gets it for a moment knows that nobody had. */
bool uinput_taken(struct uinput *device)
{
	if (ioctl(device->node, EVIOCGRAB, 1))
		return errno == EBUSY;
	ioctl(device->node, EVIOCGRAB, 0);
	return false;
}

void uinput_write(struct uinput *device, const struct input_event *events, size_t count)
{
	ssize_t length = (ssize_t)(count * sizeof(*events));

	if (write(device->fd, events, (size_t)length) != length)
		log_debug("%s: %s", device->path, g_strerror(errno));
}

int uinput_descriptor(const struct uinput *device)
{
	return device->fd;
}

bool uinput_read(struct uinput *device, struct input_event *event)
{
	return read(device->fd, event, sizeof(*event)) == sizeof(*event);
}
