/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

#define UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"

static void test_device_accepts_each_kind(void **state)
{
	static const struct {
		const char *spec;
		enum device_kind kind;
		const char *name, *options;
		pid_t pid;
	} cases[] = {
		{"sim", DEVICE_SIM, NULL, "", 0},
		{"sim:", DEVICE_SIM, NULL, "", 0},
		{"sim:mode=640x480,fps=1", DEVICE_SIM, NULL, "mode=640x480,fps=1", 0},
		{"mdev:" UUID, DEVICE_VFIO, UUID, NULL, 0},
		{UUID, DEVICE_VFIO, UUID, NULL, 0},
		{"83B8F4F2-509F-382F-3C1E-E6BFE0FA1001", DEVICE_VFIO, UUID, NULL, 0},
		{"pci:0000:00:02.1", DEVICE_VFIO, "0000:00:02.1", NULL, 0},
		{"pci:0000:AF:1f.7", DEVICE_VFIO, "0000:af:1f.7", NULL, 0},
		{"fd:3", DEVICE_FD, NULL, NULL, 0},
		{"replay:", DEVICE_REPLAY, NULL, "", 0},
		{"replay:/tmp/a,b.rec,loop", DEVICE_REPLAY, NULL, "/tmp/a,b.rec,loop", 0},
		{"pid:1", DEVICE_PID, NULL, NULL, 1},
		{"pid:4194304", DEVICE_PID, NULL, NULL, 4194304},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct device device;

		assert_int_equal(device_parse(cases[i].spec, &device, NULL), 0);
		assert_int_equal(device.kind, cases[i].kind);
		assert_string_equal(device.spec, cases[i].spec);
		assert_true(!g_strcmp0(device.name, cases[i].name));
		assert_true(!g_strcmp0(device.options, cases[i].options));
		assert_int_equal(device.pid, cases[i].pid);
		device_finish(&device);
	}
}

static void test_device_refuses_with_one_line(void **state)
{
	static const struct {
		const char *spec, *words;
	} cases[] = {
		{"", "unknown kind of device"},
		{"simulated", "unknown kind of device"},
		{"/dev/null", "not a mediated or PCI device of sysfs"},
		{"/proc/self", "not a mediated or PCI device of sysfs"},
		{"fd:", "no descriptor's number"},
		{"fd:2", "no descriptor's number"},
		{"vm:", "no machine's name"},
		{"cdev:", "not a vfio device node"},
		{"cdev:/dev/vfio/devices/../vfio", "not a vfio device node"},
		{"mdev:", "not a UUID"},
		{"mdev:" UUID "0", "not a UUID"},
		{"mdev:../../../etc/passwd", "not a UUID"},
		{"pci:", "not a PCI address"},
		{"pci:00:02.0", "not a PCI address"},
		{"pci:0000:00:02.0/..", "not a PCI address"},
		{"pci:0000:00:02.8", "not a PCI address"},
		{"pid:", "no process id"},
		{"pid:0", "no process id"},
		{"pid:-1", "no process id"},
		{"pid:99999999999", "no process id"},
		{"pid:1x", "no process id"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;
		struct device device;

		assert_int_equal(device_parse(cases[i].spec, &device, &error), -EINVAL);
		assert_non_null(strstr(error->message, cases[i].words));
		assert_null(strchr(error->message, '\n'));
		assert_int_equal(error->code, EXIT_USAGE);
		g_error_free(error);
		device_finish(&device);
	}
}

static void test_device_that_is_not_there_says_so(void **state)
{
	static const struct {
		const char *spec;
		int ret;
	} cases[] = {
		{"vm:no machine has such a name", -ESRCH},
		{"cdev:/dev/vfio/devices/vfio999999999", -ENOENT},
		{"/sys/bus/mdev/devices/none", -ENOENT},
	};
	struct device_nodes nodes;
	GError *error = NULL;

	(void)state;
	assert_int_equal(device_nodes("00000000-0000-0000-0000-000000000000", &nodes, &error),
			 -ENOENT);
	assert_int_equal(error->code, EXIT_FAILED);
	g_clear_error(&error);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct device device;

		assert_int_equal(device_parse(cases[i].spec, &device, &error), cases[i].ret);
		assert_int_equal(error->code, EXIT_FAILED);
		g_clear_error(&error);
		device_finish(&device);
	}
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

/* A device of whose drivers none is vfio's. */
int __wrap_access(const char *path, int mode)
{
	return strcmp(path, "/sys/bus/pci/devices/ffff:ff:1f.7") ? __real_access(path, mode) : 0;
}

static void test_device_that_vfio_does_not_have_says_so(void **state)
{
	struct device_nodes nodes;
	GError *error = NULL;

	(void)state;
	assert_int_equal(device_nodes("ffff:ff:1f.7", &nodes, &error), -ENOENT);
	assert_int_equal(error->code, EXIT_FAILED);
	assert_non_null(strstr(error->message, "vfio does not have it"));
	g_error_free(error);
	device_nodes_finish(&nodes);
}

/* A process with these words among its arguments that lives until its input ends. */
static GPid start(const char *word, const char *name, int *input)
{
	const char *arguments[] = {"/bin/sh", "-c", "read line", "sh", word, name, NULL};
	GPid pid = 0;

	assert_true(g_spawn_async_with_pipes(NULL, (char **)(uintptr_t)arguments, NULL,
					     G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, input,
					     NULL, NULL, NULL));
	return pid;
}

static void end(GPid pid, int input)
{
	close(input);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_device_of_a_machine_is_its_process(void **state)
{
	static const struct {
		const char *word, *name;
		bool found;
	} cases[] = {
		{"-name", "guest=planecast-test,debug-threads=on", true},
		{"-name", "debug-threads=on,guest=planecast-test", true},
		{"-name", "planecast-test", true},
		{"--name", "planecast-test,process=x", true},
		{"-name", "guest=planecast-tests", false},
		{"-name", "process=x,planecast-test", false},
		{"-names", "planecast-test", false},
		{"-name", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct device device;
		GError *error = NULL;
		int input;
		GPid pid = start(cases[i].word, cases[i].name, &input);
		int ret = device_parse("vm:planecast-test", &device, &error);

		end(pid, input);
		assert_int_equal(ret, cases[i].found ? 0 : -ESRCH);
		assert_int_equal(device.pid, cases[i].found ? pid : 0);
		if (cases[i].found)
			assert_int_equal(device.kind, DEVICE_PID);
		g_clear_error(&error);
		device_finish(&device);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_accepts_each_kind),
		cmocka_unit_test(test_device_refuses_with_one_line),
		cmocka_unit_test(test_device_that_is_not_there_says_so),
		cmocka_unit_test(test_device_that_vfio_does_not_have_says_so),
		cmocka_unit_test(test_device_of_a_machine_is_its_process),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
