/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmod_fuzz SEED OPERATIONS UUID...: does that many random things to these devices, from two
 * processes that share their descriptors: ioctls, reads and writes of regions, mappings, dma-bufs,
 * eventfds and sysfs. It judges nothing but that each kind of operation is not always refused: the
 * kernel must survive, which the caller checks. On stdout, for each kind: how many, and how many
 * of them the kernel carried out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dma-buf.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICES   8
#define MAPPINGS  32
#define BUFFERS   16
#define EVENTS    4
#define PROCESSES 2
#define REGIONS   14 /* one more than there are */

struct device {
	const char *uuid;
	int container, group, fd;
	uint32_t last_id; /* of a dma-buf */
};

struct mapping {
	unsigned char *data;
	size_t size;
	bool writable;
};

static struct device devices[DEVICES];
static unsigned int device_count;
static struct mapping mappings[MAPPINGS];
static int buffers[BUFFERS];
static int events[EVENTS];
static uint64_t state;
static sigjmp_buf fault;

/* splitmix64 */
static uint64_t any(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(uint32_t limit)
{
	return any() % limit;
}

/* Small, at an edge, or anything. */
static uint32_t number(void)
{
	static const uint32_t edges[] = {
		0,    1,          4,          63,         64,     255,    256,     4095,
		4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x1000, 0xffff, 0x10000, 1 << 24};

	switch (below(3)) {
	case 0:
		return below(16);
	case 1:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	default:
		return any();
	}
}

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(fault, 1);
}

static struct device *some_device(void)
{
	return &devices[below(device_count)];
}

static bool do_query(struct device *device)
{
	struct vfio_device_gfx_plane_info info = {.argsz = sizeof(info)};

	info.flags = below(4) ? 2u << below(2) : number();
	info.drm_plane_type = below(4) ? 1 + below(2) : number();
	if (!below(8))
		info.argsz = number();
	if (ioctl(device->fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info))
		return false;
	if (info.dmabuf_id)
		device->last_id = info.dmabuf_id;
	return true;
}

static bool do_buffer(struct device *device)
{
	uint32_t id = below(4) ? device->last_id : number();
	int *slot = &buffers[below(BUFFERS)];

	if (*slot >= 0)
		close(*slot);
	*slot = ioctl(device->fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);
	return *slot >= 0;
}

static bool do_sync(struct device *unused)
{
	struct dma_buf_sync sync = {.flags = number()};

	(void)unused;
	if (below(2))
		sync.flags &= 7;
	return ioctl(buffers[below(BUFFERS)], DMA_BUF_IOCTL_SYNC, &sync) == 0;
}

static bool do_info(struct device *device)
{
	struct {
		struct vfio_region_info info;
		char caps[64];
	} region = {
		.info = {.argsz = below(2) ? sizeof(region) : number(), .index = below(REGIONS)}};
	struct vfio_irq_info irq = {.argsz = sizeof(irq), .index = below(8)};
	struct vfio_device_info info = {.argsz = sizeof(info)};

	switch (below(3)) {
	case 0:
		/* The kernel believes argsz, so it must be true or too small. */
		if (region.info.argsz > sizeof(region))
			region.info.argsz = sizeof(region);
		return ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &region) == 0;
	case 1:
		return ioctl(device->fd, VFIO_DEVICE_GET_IRQ_INFO, &irq) == 0;
	default:
		return ioctl(device->fd, VFIO_DEVICE_GET_INFO, &info) == 0;
	}
}

static bool do_irqs(struct device *device)
{
	union {
		struct vfio_irq_set set;
		int32_t words[sizeof(struct vfio_irq_set) / sizeof(int32_t) + 16];
	} irqs = {.set = {.argsz = sizeof(irqs)}};
	int32_t *fds = irqs.words + sizeof(irqs.set) / sizeof(int32_t);

	irqs.set.flags = below(3) ? 4 | 32 : number() & 63;
	irqs.set.index = below(3) ? 4 + below(2) : number();
	irqs.set.start = below(3) ? below(16) : number();
	irqs.set.count = below(3) ? below(3) : number();
	for (int i = 0; i < 16; i++)
		fds[i] = below(3) ? events[below(EVENTS)] : (int32_t)below(64) - 1;
	return ioctl(device->fd, VFIO_DEVICE_SET_IRQS, &irqs) == 0;
}

/* Requests of VFIO's range with noise, at addresses good and bad. */
static bool do_noise(struct device *device)
{
	static const uintptr_t bad[] = {0, 1, 0xffff800000000000, UINTPTR_MAX - 8};
	uint64_t data[64];

	for (int i = 0; i < 64; i++)
		data[i] = any();
	data[0] = (data[0] & ~0xffffffffull) | (number() & 255);
	return ioctl(device->fd, _IO(VFIO_TYPE, VFIO_BASE + below(32)),
		     below(4) ? (uintptr_t)data : bad[below(4)]) >= 0;
}

static uint64_t region_size(unsigned int region)
{
	switch (region) {
	case 0:
	case 10:
		return 16 << 20;
	case 7:
		return 256;
	case 12:
		return 16384;
	default:
		return 8192;
	}
}

static bool do_transfer(struct device *device)
{
	static unsigned char data[70000];
	unsigned int region = below(REGIONS);
	size_t size = below(8) ? below(below(16) ? 64 : 8192) : below(sizeof(data));
	uint64_t offset = below(8) ? any() % region_size(region) : number();
	off_t place = below(64) ? (off_t)((uint64_t)region << 40 | offset) : (off_t)any();

	if (below(2))
		return pread(device->fd, data, size, place) > 0;
	for (size_t i = 0; i < size && i < 64; i += 8)
		memcpy(data + i, &(uint64_t){any()}, 8);
	return pwrite(device->fd, data, size, place) > 0;
}

/* What a guest's driver does; mostly small modes, or the test takes for ever. */
static bool do_mode(struct device *device)
{
	uint16_t vbe[10] = {0};
	off_t place = (off_t)2 << 40 | 0x500;
	static const uint16_t depths[] = {32, 32, 32, 16, 8, 15, 24, 0};

	vbe[1] = 60 + below(below(16) ? 200 : 2000);
	vbe[2] = 60 + below(below(16) ? 200 : 2000);
	vbe[3] = depths[below(8)];
	vbe[4] = below(8) ? 0x41 : any();
	vbe[6] = below(2) ? 0 : vbe[1] + below(100);
	vbe[8] = below(2) ? 0 : below(100);
	vbe[9] = below(2) ? 0 : below(1000);
	return pwrite(device->fd, vbe, sizeof(vbe), place) > 0;
}

static void unmap(struct mapping *mapping)
{
	if (mapping->data)
		munmap(mapping->data, mapping->size);
	mapping->data = NULL;
}

static bool do_map(struct device *device)
{
	static const unsigned int regions[] = {0, 0, 10, 11, 12};
	struct mapping *mapping = &mappings[below(MAPPINGS)];
	uint64_t region = below(8) ? regions[below(5)] : below(REGIONS);
	uint64_t offset = below(2) ? 0 : (uint64_t)below(5000) << 12;
	int prot = below(2) ? PROT_READ : PROT_READ | PROT_WRITE;
	int flags = below(8) ? MAP_SHARED : MAP_PRIVATE;
	void *data;

	unmap(mapping);
	mapping->size = (size_t)(1 + below(below(4) ? 64 : 5000)) << 12;
	mapping->writable = prot & PROT_WRITE;
	if (below(3))
		data = mmap(NULL, mapping->size, prot, flags, device->fd,
			    (off_t)(region << 40 | offset));
	else
		data = mmap(NULL, mapping->size, prot, flags, buffers[below(BUFFERS)],
			    (off_t)(below(2) ? 0 : offset));
	mapping->data = data == MAP_FAILED ? NULL : data;
	return mapping->data;
}

static bool do_touch(struct device *unused)
{
	struct mapping *mapping = &mappings[below(MAPPINGS)];
	volatile unsigned char *at;

	(void)unused;
	if (!mapping->data)
		return false;
	at = mapping->data + any() % mapping->size;
	if (sigsetjmp(fault, 1))
		return false;
	if (mapping->writable && below(2))
		*at = any();
	else
		(void)*at;
	return true;
}

static bool do_protect(struct device *unused)
{
	struct mapping *mapping = &mappings[below(MAPPINGS)];

	(void)unused;
	if (!mapping->data || mprotect(mapping->data, mapping->size, PROT_READ | PROT_WRITE))
		return false;
	mapping->writable = true;
	return true;
}

/* Writes a file of the device, or reads it. */
static bool put(struct device *device, const char *name, const char *value)
{
	char path[PATH_MAX], data[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/%s", device->uuid, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (below(4))
		done = write(fd, value, strlen(value)) > 0;
	else
		done = read(fd, data, sizeof(data)) > 0;
	close(fd);
	return done;
}

static bool do_sysfs(struct device *device)
{
	static const char *const patterns[] = {"off",   "desktop", "bars", "video",
					       "clock", "static",  "off",  "nothing"};
	static const char *const formats[] = {"XR24", "XR30", "RG16", "C8", "XX"};
	static const char *const quirks[] = {"no_cpu_map", "plane_off", "first_query_fails",
					     "pull_only",  "flips",     "cursor"};
	char value[64];

	switch (below(8)) {
	case 0:
		return put(device, "pattern", patterns[below(8)]);
	case 1:
		return put(device, "format", formats[below(5)]);
	case 2:
		snprintf(value, sizeof(value), "%ux%u", 60 + below(below(16) ? 100 : 2000),
			 60 + below(below(16) ? 100 : 2000));
		return put(device, "mode", value);
	case 3:
		snprintf(value, sizeof(value), "%llu", (unsigned long long)any() >> below(64));
		return put(device, "frame", value);
	case 4:
		snprintf(value, sizeof(value), "%u", below(8) ? 0 : below(250));
		return put(device, "rate", value);
	case 5:
		snprintf(value, sizeof(value), "%u", number());
		return put(device, "seed", value);
	case 6:
		for (size_t i = 0; i < sizeof(value) - 1; i++)
			value[i] = 1 + below(255);
		value[below(sizeof(value))] = 0;
		value[sizeof(value) - 1] = 0;
		return put(device, below(2) ? "mode" : "pattern", value);
	default:
		snprintf(value, sizeof(value), "%u", below(4) ? 0 : below(10));
		return put(device, quirks[below(6)], value);
	}
}

static bool do_event(struct device *unused)
{
	int *event = &events[below(EVENTS)];

	(void)unused;
	if (*event >= 0)
		close(*event);
	*event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return *event >= 0;
}

static bool do_request(struct device *device)
{
	uint64_t request = any();

	return pwrite(device->fd, &request, sizeof(request), (off_t)11 << 40 | 0x1000) > 0;
}

static bool do_reset(struct device *device)
{
	return ioctl(device->fd, VFIO_DEVICE_RESET) == 0;
}

static bool do_unmap(struct device *unused)
{
	struct mapping *mapping = &mappings[below(MAPPINGS)];
	bool mapped = mapping->data;

	(void)unused;
	unmap(mapping);
	return mapped;
}

/* The kinds of operation, and how many of a thousand each is. */
static const struct kind {
	const char *name;
	unsigned int share;
	bool (*operate)(struct device *device);
} kinds[] = {
	{"query", 150, do_query}, {"buffer", 100, do_buffer},     {"sync", 50, do_sync},
	{"info", 100, do_info},   {"irqs", 50, do_irqs},          {"noise", 50, do_noise},
	{"map", 77, do_map},      {"transfer", 200, do_transfer}, {"mode", 3, do_mode},
	{"touch", 180, do_touch}, {"protect", 10, do_protect},    {"sysfs", 5, do_sysfs},
	{"event", 5, do_event},   {"request", 5, do_request},     {"reset", 1, do_reset},
	{"unmap", 14, do_unmap},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct tally {
	unsigned long begun, done;
};

static void operate(struct tally *tallies)
{
	unsigned int what = below(1000), kind = 0;

	while (what >= kinds[kind].share)
		what -= kinds[kind++].share;
	tallies[kind].begun++;
	tallies[kind].done += kinds[kind].operate(some_device());
}

static int run(uint64_t seed, unsigned long operations, struct tally *tallies)
{
	struct sigaction action = {.sa_handler = on_fault};

	state = seed;
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	for (int i = 0; i < BUFFERS; i++)
		buffers[i] = -1;
	for (int i = 0; i < EVENTS; i++)
		events[i] = -1;
	while (operations--)
		operate(tallies);
	return 0;
}

static int device_open(struct device *device, const char *uuid)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t length;

	device->uuid = uuid;
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/iommu_group", uuid);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return -1;
	link[length] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", strrchr(link, '/') + 1);
	device->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	device->group = open(path, O_RDWR | O_CLOEXEC);
	if (ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->container) ||
	    ioctl(device->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU))
		return -1;
	device->fd = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	return device->fd < 0 ? -1 : 0;
}

/* True if the kernel carried out some of each kind. */
static bool report(const struct tally *tallies)
{
	unsigned long total = 0;
	bool good = true;

	for (size_t i = 0; i < KINDS; i++) {
		struct tally sum = {0};

		for (size_t process = 0; process < PROCESSES; process++) {
			sum.begun += tallies[process * KINDS + i].begun;
			sum.done += tallies[process * KINDS + i].done;
		}
		total += sum.begun;
		good = good && sum.done;
		printf("%-9s %8lu, %8lu carried out\n", kinds[i].name, sum.begun, sum.done);
	}
	printf("operations %lu\n", total);
	return good;
}

int main(int argc, char **argv)
{
	struct tally *tallies = mmap(NULL, sizeof(*tallies) * KINDS * PROCESSES,
				     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long operations;
	uint64_t seed;
	int status, code = 0;

	if (argc < 4 || argc > 3 + DEVICES || tallies == MAP_FAILED) {
		fputs("usage: kmod_fuzz SEED OPERATIONS UUID... (up to 8)\n", stderr);
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	operations = strtoul(argv[2], NULL, 0);
	for (int i = 3; i < argc; i++) {
		if (device_open(&devices[device_count++], argv[i])) {
			fprintf(stderr, "kmod_fuzz: %s: cannot be opened: %s\n", argv[i],
				strerror(errno));
			return 1;
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0)
			_exit(run(seed + (uint64_t)i, operations / PROCESSES,
				  tallies + (size_t)i * KINDS));
	}
	for (int i = 0; i < PROCESSES; i++) {
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			code = 1;
	}
	return report(tallies) ? code : 1;
}
