/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "double_calls.h"
#include "double_gpu.h"
#include "double_owner.h"
#include "double_vfio.h"
#include "log.h"
#include "refuse.h"
#include "unit.h"

static const struct device_nodes by_group = {(char *)DOUBLE_GROUP_NODE, NULL};
static const struct device_nodes by_cdev = {NULL, (char *)DOUBLE_CDEV_NODE};

static int setup(void **state)
{
	(void)state;
	double_owner_init();
	double_device_init();
	double_gpu_init();
	double_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	double_expect_balance();
	double_gpu_finish();
	double_device_finish();
	double_owner_finish();
	return 0;
}

/* Opens and closes it; the calls are on record. */
static void open_and_close(const struct device_nodes *nodes)
{
	struct vfio vfio;
	GError *error = NULL;

	assert_int_equal(vfio_open(DOUBLE_NAME, nodes, &vfio, &error), 0);
	assert_null(error);
	assert_int_equal(double_kind_of(vfio.device), DOUBLE_DEVICE);
	vfio_close(&vfio);
	vfio_close(&vfio);
}

static void test_vfio_opens_by_group_and_container(void **state)
{
	(void)state;
	open_and_close(&by_group);
	assert_string_equal(double_calls(),
			    "open /dev/vfio/vfio; GET_API_VERSION; open /dev/vfio/42; GET_STATUS; "
			    "SET_CONTAINER; SET_IOMMU; GET_DEVICE_FD");
}

static void test_vfio_opens_by_node_and_iommufd(void **state)
{
	(void)state;
	open_and_close(&by_cdev);
	assert_string_equal(double_calls(), "open /dev/vfio/devices/vfio0; open /dev/iommu; "
					    "BIND_IOMMUFD");
}

static void test_vfio_makes_a_machine_for_who_wants_one(void **state)
{
	(void)state;
	double_device.wants_kvm = true;
	open_and_close(&by_group);
	assert_non_null(strstr(double_calls(),
			       "GET_DEVICE_FD; open /dev/kvm; CREATE_VM; CREATE_DEVICE; "
			       "SET_DEVICE_ATTR; GET_DEVICE_FD"));
}

static void test_vfio_makes_a_machine_for_a_node(void **state)
{
	(void)state;
	double_device.wants_kvm = true;
	open_and_close(&by_cdev);
	assert_string_equal(double_calls(),
			    "open /dev/vfio/devices/vfio0; open /dev/iommu; BIND_IOMMUFD; "
			    "open /dev/kvm; CREATE_VM; CREATE_DEVICE; SET_DEVICE_ATTR; "
			    "BIND_IOMMUFD");
}

static void test_vfio_tries_again_after_a_signal(void **state)
{
	(void)state;
	double_device.wants_kvm = true;
	double_fail("CREATE_VM", 3, EINTR);
	open_and_close(&by_group);
	assert_int_equal(double_count("CREATE_VM"), 4);
}

/* A call of an opening that fails, and what is to be said of it. */
struct failing {
	const char *call;
	int errnum, ret, code;
	const char *words;
};

static void expect_failure(const struct device_nodes *nodes, const struct failing *failing)
{
	GError *error = NULL;
	struct vfio vfio;

	double_start();
	double_fail(failing->call, -1, failing->errnum);
	assert_int_equal(vfio_open(DOUBLE_NAME, nodes, &vfio, &error), failing->ret);
	assert_non_null(error);
	if (error->code != failing->code || !strstr(error->message, failing->words))
		print_message("%s: %d, %s\n", failing->call, error->code, error->message);
	assert_int_equal(error->code, failing->code);
	assert_non_null(strstr(error->message, failing->words));
	assert_null(strchr(error->message, '\n'));
	g_error_free(error);
	double_expect_balance();
	vfio_close(&vfio);
	double_expect_balance();
}

static const struct failing kvm_cases[] = {
	{"open /dev/kvm", EACCES, -EACCES, EXIT_REFUSED, "/dev/kvm may not be opened"},
	{"open /dev/kvm", EPERM, -EACCES, EXIT_REFUSED, "/dev/kvm may not be opened"},
	{"open /dev/kvm", ENOENT, -ENODEV, EXIT_FAILED, "there is no KVM here"},
	{"open /dev/kvm", EMFILE, -EMFILE, EXIT_FAILED, "Too many open files"},
	{"CREATE_VM", ENOMEM, -ENOMEM, EXIT_FAILED, "none can be made: Cannot allocate memory"},
	{"CREATE_DEVICE", ENODEV, -ENODEV, EXIT_FAILED, "KVM does not take the device: No such"},
	{"SET_DEVICE_ATTR", EINVAL, -EINVAL, EXIT_FAILED, "KVM does not take the device: Invalid"},
};

static void test_vfio_each_failure_by_group_has_its_line(void **state)
{
	static const struct failing cases[] = {
		{"open /dev/vfio/vfio", ENOENT, -ENODEV, EXIT_FAILED, "modprobe vfio_iommu_type1"},
		{"open /dev/vfio/vfio", EACCES, -EACCES, EXIT_REFUSED,
		 "no permission for /dev/vfio/vfio"},
		{"open /dev/vfio/vfio", EMFILE, -EMFILE, EXIT_FAILED,
		 "cannot open /dev/vfio/vfio: Too many open files"},
		{"GET_API_VERSION", 1, -ENODEV, EXIT_FAILED, "unknown version"},
		{"open /dev/vfio/42", EBUSY, -EBUSY, EXIT_REFUSED, "in use by a process"},
		{"open /dev/vfio/42", EPERM, -EACCES, EXIT_REFUSED,
		 "no permission for /dev/vfio/42"},
		{"open /dev/vfio/42", ENODEV, -ENODEV, EXIT_FAILED,
		 "a container must be given /dev/vfio"},
		{"open /dev/vfio/42", EIO, -EIO, EXIT_FAILED, "cannot open /dev/vfio/42: "},
		{"GET_STATUS", ENXIO, -EINVAL, EXIT_FAILED, "not viable (bind all its devices"},
		{"GET_STATUS", EIO, -EIO, EXIT_FAILED, "cannot ask its IOMMU group: "},
		{"SET_CONTAINER", EINVAL, -EINVAL, EXIT_FAILED, "cannot join the vfio container"},
		{"SET_IOMMU", ENODEV, -ENODEV, EXIT_FAILED, "cannot set up the vfio IOMMU"},
		{"GET_DEVICE_FD", ENODEV, -ENODEV, EXIT_FAILED, "cannot open the device: No such"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_failure(&by_group, &cases[i]);
	assert_int_equal(double_count("GET_DEVICE_FD"), 1);
	double_device.wants_kvm = true;
	for (size_t i = 0; i < G_N_ELEMENTS(kvm_cases); i++)
		expect_failure(&by_group, &kvm_cases[i]);
	/* A driver that no machine pleases. */
	expect_failure(&by_group, &(struct failing){"GET_DEVICE_FD", ESRCH, -ESRCH, EXIT_FAILED,
						    "cannot open the device: No such process"});
	assert_int_equal(double_count("GET_DEVICE_FD"), 2);
}

static void test_vfio_each_failure_by_node_has_its_line(void **state)
{
	static const struct failing cases[] = {
		{"open /dev/vfio/devices", EBUSY, -EBUSY, EXIT_REFUSED, "in use by a process"},
		{"open /dev/vfio/devices", EACCES, -EACCES, EXIT_REFUSED,
		 "no permission for /dev/vfio/devices/vfio0"},
		{"open /dev/vfio/devices", ENOENT, -ENODEV, EXIT_FAILED, "its node is not here"},
		{"open /dev/iommu", EACCES, -EACCES, EXIT_REFUSED, "no permission for /dev/iommu"},
		{"open /dev/iommu", ENOENT, -ENODEV, EXIT_FAILED, "modprobe iommufd"},
		{"BIND_IOMMUFD", EINVAL, -EBUSY, EXIT_REFUSED, "in use by a process"},
		{"BIND_IOMMUFD", ENOMEM, -ENOMEM, EXIT_FAILED, "cannot open the device: Cannot"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_failure(&by_cdev, &cases[i]);
	double_device.wants_kvm = true;
	for (size_t i = 0; i < G_N_ELEMENTS(kvm_cases); i++)
		expect_failure(&by_cdev, &kvm_cases[i]);
	expect_failure(&by_cdev, &(struct failing){"BIND_IOMMUFD", ESRCH, -ESRCH, EXIT_FAILED,
						   "cannot open the device: No such process"});
	assert_int_equal(double_count("BIND_IOMMUFD"), 2);
}

static struct owner some_owner(void)
{
	const char *nodes[] = {DOUBLE_GROUP_NODE, DOUBLE_CDEV_NODE, NULL};
	struct owner owner;

	double_owner.there = true;
	assert_int_equal(owner_find(nodes, &owner), 0);
	double_forget();
	return owner;
}

static void test_vfio_attaches_by_the_owners_group(void **state)
{
	struct owner owner = some_owner();
	struct vfio vfio;

	(void)state;
	assert_int_equal(vfio_attach(DOUBLE_NAME, &owner, &vfio, NULL), 0);
	assert_string_equal(double_calls(), "pidfd_open; pidfd_getfd; GET_DEVICE_FD");
	assert_int_equal(double_kind_of(vfio.device), DOUBLE_DEVICE);
	assert_int_equal(vfio.group, -1); /* the duplicate is given back at once */
	vfio_close(&vfio);
	assert_int_equal(vfio_attach("0000:00:02.0", &owner, &vfio, NULL), -ENODEV);
}

static void test_vfio_attaches_by_the_owners_node(void **state)
{
	struct owner owner;
	struct vfio vfio;

	(void)state;
	double_owner.cdev = true;
	owner = some_owner();
	assert_int_equal(vfio_attach(DOUBLE_NAME, &owner, &vfio, NULL), 0);
	assert_string_equal(double_calls(), "pidfd_open; pidfd_getfd");
	assert_int_equal(double_kind_of(vfio.device), DOUBLE_DEVICE);
	vfio_close(&vfio);
}

static void test_vfio_each_failure_to_attach_has_its_line(void **state)
{
	static const struct failing cases[] = {
		{"pidfd_open", ESRCH, -ESRCH, EXIT_FAILED, "process 4242, has gone"},
		{"pidfd_open", ENOSYS, -ENOSYS, EXIT_FAILED, "this kernel cannot attach"},
		{"pidfd_open", EMFILE, -EMFILE, EXIT_FAILED, "Too many open files"},
		{"pidfd_getfd", EPERM, -EACCES, EXIT_REFUSED, "in spite of CAP_SYS_PTRACE"},
		{"pidfd_getfd", EPERM, -EACCES, EXIT_REFUSED, "needs CAP_SYS_PTRACE over it"},
		{"pidfd_getfd", EBADF, -ESRCH, EXIT_FAILED, "has let it go"},
		{"pidfd_getfd", ESRCH, -ESRCH, EXIT_FAILED, "has let it go"},
		{"pidfd_getfd", EMFILE, -EMFILE, EXIT_FAILED, "Too many open files"},
		{"GET_DEVICE_FD", ENODEV, -ENODEV, EXIT_FAILED, "cannot open the device"},
		{"nothing", 0, -ESRCH, EXIT_FAILED, "has let it go"}, /* another file by now */
	};
	struct owner owner = some_owner();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;
		struct vfio vfio;

		double_start();
		double_fail(cases[i].call, -1, cases[i].errnum);
		double_owner.swapped = !cases[i].errnum;
		double_owner.powerless = strstr(cases[i].words, "needs CAP_SYS_PTRACE");
		assert_int_equal(vfio_attach(DOUBLE_NAME, &owner, &vfio, &error), cases[i].ret);
		assert_int_equal(error->code, cases[i].code);
		assert_non_null(strstr(error->message, cases[i].words));
		g_error_free(error);
		double_expect_balance();
	}
}

static void test_vfio_adopts_a_device_and_nothing_else(void **state)
{
	int fd = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	GError *error = NULL;
	struct vfio vfio;

	(void)state;
	assert_int_equal(vfio_adopt(fd, &vfio, NULL), 0);
	assert_int_not_equal(vfio.device, fd);
	assert_int_equal(fcntl(vfio.device, F_GETFD), FD_CLOEXEC);
	vfio_close(&vfio);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* stays the caller's */
	assert_int_equal(vfio_adopt(other, &vfio, &error), -ENODEV);
	assert_non_null(strstr(error->message, "not an open vfio device"));
	g_clear_error(&error);
	close(other);
	assert_int_equal(vfio_adopt(other, &vfio, &error), -ENODEV);
	assert_non_null(strstr(error->message, "Bad file descriptor"));
	g_clear_error(&error);
	double_fail("dup", 1, EMFILE);
	assert_int_equal(vfio_adopt(fd, &vfio, &error), -EMFILE);
	assert_non_null(strstr(error->message, "Too many open files"));
	g_clear_error(&error);
	close(fd);
}

/* The double's device, without the calls that open it. */
static struct vfio open_device(void)
{
	struct vfio vfio = VFIO_CLOSED;

	vfio.device = double_descriptor(DOUBLE_DEVICE, double_device.memory);
	return vfio;
}

static void test_vfio_query_is_tried_twice_and_starts_from_zero(void **state)
{
	static const struct {
		int errnum;
		unsigned int queries;
	} cases[] = {{ENOMEM, 2}, {EAGAIN, 2}, {EINTR, 2}, {ENODEV, 1}, {EINVAL, 1}};
	struct vfio_device_gfx_plane_info info;
	struct vfio vfio = open_device();

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double_forget();
		double_fail("QUERY", -1, cases[i].errnum);
		memset(&info, 0xff, sizeof(info));
		assert_int_equal(
			vfio_query_plane(&vfio, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_REGION, &info),
			-cases[i].errnum);
		assert_int_equal(double_count("QUERY"), cases[i].queries);
		assert_int_equal(info.drm_format, 0); /* left untouched by the driver */
	}
	double_heal();
	double_fail("QUERY", 1, ENOMEM);
	assert_int_equal(vfio_query_plane(&vfio, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_REGION, &info),
			 0);
	assert_int_equal(info.width, 640);
	vfio_close(&vfio);
}

static void test_vfio_dmabufs_close_on_exec(void **state)
{
	struct vfio vfio = open_device();
	int fd;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, 0);
	fd = vfio_get_dmabuf(&vfio, 7);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	double_fail("GET_DMABUF 8", -1, ENOENT);
	assert_int_equal(vfio_get_dmabuf(&vfio, 8), -ENOENT);
	vfio_close(&vfio);
}

/* A list of capabilities, whose offsets count from the start of the region's information. */
struct caps {
	struct vfio_info_cap_header first;
	struct vfio_region_info_cap_type type;
};

#define AT(member) (uint32_t)(sizeof(struct vfio_region_info) + offsetof(struct caps, member))

static struct caps good_caps(void)
{
	return (struct caps){
		.first = {VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, AT(type)},
		.type = {.header = {VFIO_REGION_INFO_CAP_TYPE, 1, 0}, .type = 1, .subtype = 1},
	};
}

static int find(const struct caps *caps, uint32_t size, uint32_t first, uint32_t answer_size)
{
	struct vfio vfio = open_device();
	struct vfio_region_info info;
	int ret;

	double_device.counted = 12;
	double_device.regions[3].size = 4096;
	double_device.regions[11].size = 4096;
	double_device.regions[11].caps = caps;
	double_device.regions[11].caps_size = size;
	double_device.regions[11].first_cap = first;
	double_device.regions[11].answer_size = answer_size;
	ret = vfio_find_region(&vfio, 1, 1, &info);
	if (!ret)
		assert_int_equal(info.index, 11);
	vfio_close(&vfio);
	return ret;
}

static void test_vfio_finds_a_region_by_its_type(void **state)
{
	struct caps caps = good_caps();

	(void)state;
	assert_int_equal(find(&caps, sizeof(caps), AT(first), 0), 0);
	caps.type.subtype = 2;
	assert_int_equal(find(&caps, sizeof(caps), AT(first), 0), -ENOENT);
}

static void test_vfio_capabilities_are_not_believed(void **state)
{
	static const struct {
		uint32_t first, next, size, answer_size;
		const char *what;
	} cases[] = {
		{0, 0, sizeof(struct caps), 0, "no list at all"},
		{AT(first), AT(first), sizeof(struct caps), 0, "an entry that leads to itself"},
		{AT(first), 1, sizeof(struct caps), 0, "back into the struct"},
		{AT(first), AT(type) + 9, sizeof(struct caps), 0, "a header at the end"},
		{AT(first), AT(type) + 15, sizeof(struct caps), 0, "a header that is cut"},
		{AT(first), 4096, sizeof(struct caps), 0, "an offset beyond the end"},
		{UINT32_MAX, 0, sizeof(struct caps), 0, "an offset that wraps"},
		{UINT32_MAX - 7, 0, sizeof(struct caps), 0, "one that wraps with a header"},
		{AT(first), AT(type), sizeof(struct caps) - 1, 0, "a type that is cut"},
		{AT(first), AT(type), sizeof(struct caps), 4, "an answer smaller than its head"},
		{AT(first), AT(type), sizeof(struct caps), UINT32_MAX, "an answer of 4 GiB"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct caps caps = good_caps();

		caps.first.next = cases[i].next;
		if (find(&caps, cases[i].size, cases[i].first, cases[i].answer_size) != -ENOENT)
			fail_msg("%s was believed\n", cases[i].what);
	}
}

static void test_vfio_random_capabilities_end(void **state)
{
	unsigned int found = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < 10000; round++) {
		uint32_t size = (uint32_t)(rand() % 120);
		struct caps *caps = malloc(size + 1);

		for (uint32_t i = 0; i < size; i++)
			((uint8_t *)caps)[i] = (uint8_t)(rand() % 3 ? rand() % 2 : rand() % 160);
		if (size >= sizeof(*caps) && rand() % 4 == 0)
			*caps = good_caps();
		found += !find(caps, size, (uint32_t)(rand() % 200), 0);
		free(caps);
		double_forget();
	}
	assert_in_range(found, 10, 5000);
}

static void test_vfio_counts_regions_within_reason(void **state)
{
	struct vfio vfio = open_device();
	struct vfio_region_info info;

	(void)state;
	double_device.counted = UINT32_MAX;
	assert_int_equal(vfio_find_region(&vfio, 1, 1, &info), -ENOENT);
	assert_in_range(double_count("GET_REGION_INFO"), 1, 64);
	double_fail("GET_INFO", -1, EIO);
	assert_int_equal(vfio_find_region(&vfio, 1, 1, &info), -EIO);
	vfio_close(&vfio);
}

static void test_vfio_reads_a_region_whole_or_not(void **state)
{
	struct vfio vfio = open_device();
	struct vfio_region_info info;
	char text[12] = "";

	(void)state;
	double_device.regions[9].size = 11;
	memcpy(double_device.bytes + (9 << DOUBLE_REGION_BIT), "hello world", 11);
	assert_int_equal(vfio_region_info(&vfio, 9, &info), 0);
	double_shorten_transfers(4);
	assert_int_equal(vfio_region_read(&vfio, &info, text, 11), 0);
	assert_string_equal(text, "hello world");
	assert_int_equal(vfio_region_read(&vfio, &info, text, 12), -EIO);
	double_fail("pread", -1, EFAULT);
	assert_int_equal(vfio_region_read(&vfio, &info, text, 11), -EFAULT);
	double_heal();
	assert_int_equal(
		vfio_read(vfio.device, (uint64_t)DOUBLE_REGIONS << DOUBLE_REGION_BIT, text, 1),
		-EIO);
	vfio_close(&vfio);
}

static void test_vfio_writes_a_region_whole_or_not(void **state)
{
	struct vfio vfio = open_device();
	struct vfio_region_info info;

	(void)state;
	double_device.regions[9].size = 11;
	assert_int_equal(vfio_region_info(&vfio, 9, &info), 0);
	assert_int_equal(vfio_region_write(&vfio, &info, 6, "world", 5), 0);
	assert_memory_equal(double_device.bytes + (9 << DOUBLE_REGION_BIT) + 6, "world", 5);
	assert_int_equal(vfio_region_write(&vfio, &info, 7, "world", 5), -EIO);
	assert_int_equal(vfio_region_write(&vfio, &info, 12, "world", 0), -EIO);
	assert_int_equal(vfio_region_write(&vfio, &info, UINT64_MAX, "world", 5), -EIO);
	double_shorten_transfers(4);
	assert_int_equal(vfio_region_write(&vfio, &info, 6, "world", 5), -EIO);
	double_fail("pwrite", -1, EFAULT);
	assert_int_equal(vfio_region_write(&vfio, &info, 6, "world", 5), -EFAULT);
	vfio_close(&vfio);
}

static void test_vfio_without_memory_finds_no_region(void **state)
{
	struct caps caps = good_caps();

	(void)state;
	refuse_after(0);
	assert_int_equal(find(&caps, sizeof(caps), AT(first), 0), -ENOENT);
	assert_true(refuse_end());
}

static void test_vfio_is_not_told_that_it_is_wanted_back_without_a_descriptor(void **state)
{
	struct vfio vfio = open_device();

	(void)state;
	double_device.has_request = true;
	double_fail("eventfd", 1, EMFILE);
	assert_int_equal(vfio_request_event(&vfio), -EMFILE);
	double_device.has_request = false;
	assert_int_equal(vfio_request_event(&vfio), -EINVAL);
	vfio_close(&vfio);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vfio_opens_by_group_and_container),
		TEST(test_vfio_opens_by_node_and_iommufd),
		TEST(test_vfio_makes_a_machine_for_who_wants_one),
		TEST(test_vfio_makes_a_machine_for_a_node),
		TEST(test_vfio_tries_again_after_a_signal),
		TEST(test_vfio_each_failure_by_group_has_its_line),
		TEST(test_vfio_each_failure_by_node_has_its_line),
		TEST(test_vfio_attaches_by_the_owners_group),
		TEST(test_vfio_attaches_by_the_owners_node),
		TEST(test_vfio_each_failure_to_attach_has_its_line),
		TEST(test_vfio_adopts_a_device_and_nothing_else),
		TEST(test_vfio_query_is_tried_twice_and_starts_from_zero),
		TEST(test_vfio_dmabufs_close_on_exec),
		TEST(test_vfio_finds_a_region_by_its_type),
		TEST(test_vfio_capabilities_are_not_believed),
		TEST(test_vfio_random_capabilities_end),
		TEST(test_vfio_counts_regions_within_reason),
		TEST(test_vfio_reads_a_region_whole_or_not),
		TEST(test_vfio_writes_a_region_whole_or_not),
		TEST(test_vfio_without_memory_finds_no_region),
		TEST(test_vfio_is_not_told_that_it_is_wanted_back_without_a_descriptor),
	};
#undef TEST

	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
