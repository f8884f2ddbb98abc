/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "double_calls.h"
#include "double_owner.h"
#include "double_source.h"
#include "double_vfio.h"
#include "libvirt_xml.h"
#include "log.h"
#include "unit.h"

#define SPEC "mdev:" DOUBLE_NAME

static JsonObject *report;
static JsonNode *root;

static void forget(void)
{
	if (root)
		json_node_unref(root);
	root = NULL;
}

static int teardown(void **state)
{
	forget();
	return double_teardown(state);
}

/* Probes, and leaves nothing open. */
static void probe(void)
{
	GError *error = NULL;

	forget();
	if (probe_device(SPEC, &root, &error))
		fail_msg("%s\n", error->message);
	report = json_node_get_object(root);
	double_expect_balance();
}

static void expect_refusal(const char *spec, int ret, int code, const char *words)
{
	GError *error = NULL;

	forget();
	assert_int_equal(probe_device(spec, &root, &error), ret);
	assert_int_equal(error->code, code);
	if (!strstr(error->message, words))
		fail_msg("\"%s\" is not in: %s\n", words, error->message);
	g_error_free(error);
	double_expect_balance();
}

static void expect_text(const char *member, const char *text)
{
	assert_string_equal(json_object_get_string_member(report, member), text);
}

/* What was seen for an answer, of which those words are a part. */
static void expect_evidence(const char *answer, const char *words)
{
	JsonArray *all = json_object_get_array_member(report, "evidence");

	for (guint i = 0; i < json_array_get_length(all); i++) {
		JsonObject *one = json_array_get_object_element(all, i);

		if (!strcmp(json_object_get_string_member(one, "answer"), answer) &&
		    strstr(json_object_get_string_member(one, "seen"), words))
			return;
	}
	fail_msg("no evidence \"%s\" for %s\n", words, answer);
}

static JsonObject *primary(void)
{
	return json_object_get_object_member(report, "primary");
}

static void test_probe_of_a_free_region(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	probe();
	expect_text("display", "region");
	assert_false(json_object_get_boolean_member(report, "needs_gl"));
	assert_true(json_object_get_null_member(report, "owner"));
	expect_text("opened", "opened");
	assert_int_equal(json_array_get_length(json_object_get_array_member(report, "needed")), 0);
	assert_int_equal(json_object_get_int_member(primary(), "width"), 640);
	assert_string_equal(json_object_get_string_member(primary(), "format"), "XR24");
	assert_string_equal(json_object_get_string_member(primary(), "layout"), "linear");
	assert_string_equal(json_object_get_string_member(primary(), "way"), "region mmap");
	assert_true(json_object_get_null_member(report, "edid"));
	expect_text("damage", "compare");
	expect_evidence("display", "primary plane as a region: yes");
	expect_evidence("display", "primary plane as a dma-buf: no");
	expect_evidence("needs_gl", "the answer to that was no");
	expect_evidence("needed", "opening worked at once");
	expect_evidence("primary", "QUERY_GFX_PLANE: 640x480, format XR24, modifier linear");
	expect_evidence("primary", "read by region mmap");
	expect_evidence("cursor", "QUERY_GFX_PLANE: it is off");
	expect_evidence("edid", "no region");
	expect_evidence("damage", "no region tells");
}

static void test_probe_of_an_owned_dmabuf(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, I915_FORMAT_MOD_X_TILED);
	double_owner_start();
	probe();
	expect_text("display", "dmabuf");
	assert_true(json_object_get_boolean_member(report, "needs_gl"));
	expect_text("opened", "attached");
	assert_int_equal(
		json_object_get_int_member(json_object_get_object_member(report, "owner"), "pid"),
		4242);
	assert_string_equal(json_object_get_string_member(primary(), "way"), "dma-buf mmap");
	assert_int_equal(double_device_got(1), 1);
	assert_int_equal(double_count("open"), 0);
	expect_evidence("owner", "/proc/4242/fd/17 is /dev/vfio/42");
	expect_evidence("needed", "open already");
	expect_evidence("primary", "modifier x-tiled");
}

static void test_probe_says_both_and_what_qemu_takes(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.probes = ~0u;
	probe();
	expect_text("display", "both");
	assert_true(json_object_get_boolean_member(report, "needs_gl"));
	assert_int_equal(json_array_get_length(json_object_get_array_member(report, "features")),
			 2);
}

static void test_probe_of_a_driver_that_wants_a_machine(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.wants_kvm = true;
	probe();
	assert_string_equal(
		json_array_get_string_element(json_object_get_array_member(report, "needed"), 0),
		"kvm");
	expect_evidence("needed", "ESRCH until a KVM machine");
}

static void test_probe_without_a_display(void **state)
{
	(void)state;
	probe();
	expect_text("display", "none");
	assert_true(json_object_get_null_member(report, "primary"));
	assert_true(json_object_get_null_member(report, "damage"));
	assert_int_equal(double_count("QUERY"), 0);
}

static void test_probe_names_each_way_that_failed(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, I915_FORMAT_MOD_Yf_TILED);
	double_fail("mmap", -1, ENODEV);
	probe();
	assert_true(json_object_get_null_member(primary(), "way"));
	expect_evidence("primary", "dma-buf mmap: No such device; i915 pread: its GPU has no");
	expect_evidence("primary", "bochs: not a bochs-display)");
	double_heal();
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_fail("mmap", -1, EPERM);
	probe();
	assert_string_equal(json_object_get_string_member(primary(), "way"), "region pread");
	expect_evidence("primary", "before that: region mmap: Operation not permitted");
}

static void test_probe_of_numbers_that_cannot_be(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, I915_FORMAT_MOD_Y_TILED_CCS);
	probe();
	assert_true(json_object_get_null_member(primary(), "layout"));
	assert_true(json_object_get_null_member(primary(), "way"));
	expect_evidence("primary", "modifier y-tiled with CCS (0x0100000000000004)");
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.regions[16].size = 4096;
	probe();
	assert_true(json_object_get_null_member(primary(), "way"));
	expect_evidence("primary", "does not fit the 4096 bytes");
}

static void test_probe_of_a_display_that_is_off(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_fail("QUERY", -1, ENODEV);
	probe();
	expect_text("display", "region");
	assert_true(json_object_get_null_member(report, "primary"));
	expect_evidence("primary", "QUERY_GFX_PLANE: No such device");
}

static void test_probe_dmabuf_that_cannot_be_got(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	double_fail("GET_DMABUF", -1, EIO);
	probe();
	expect_evidence("primary", "no dma-buf 1: Input/output error");
}

/* mbochs' driver miscounts a dma-buf that is got twice: a guest's QEMU may have it. */
static void test_probe_gets_nothing_of_mbochs(void **state)
{
	(void)state;
	double_device_plug_bochs(0, 0);
	double_device.ungettable = true;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	probe();
	assert_string_equal(json_object_get_string_member(primary(), "way"), "bochs");
	assert_int_equal(double_count("GET_DMABUF"), 0);
}

static void test_probe_of_an_edid_region(void **state)
{
	static const struct vfio_region_info_cap_type cap = {
		.header = {.id = VFIO_REGION_INFO_CAP_TYPE, .version = 1},
		.type = VFIO_REGION_TYPE_GFX,
		.subtype = VFIO_REGION_SUBTYPE_GFX_EDID,
	};
	const struct vfio_region_gfx_edid edid = {
		.edid_max_size = 512,
		.max_xres = 5120,
		.max_yres = 2880,
		.link_state = VFIO_DEVICE_GFX_LINK_STATE_DOWN,
	};
	JsonObject *told;

	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	double_device.counted = 10;
	double_device.regions[9].size = sizeof(edid);
	double_device.regions[9].caps = &cap;
	double_device.regions[9].caps_size = sizeof(cap);
	double_device.regions[9].first_cap = sizeof(struct vfio_region_info);
	memcpy(double_device.bytes + (9 << DOUBLE_REGION_BIT), &edid, sizeof(edid));
	probe();
	told = json_object_get_object_member(report, "edid");
	assert_int_equal(json_object_get_int_member(told, "max_width"), 5120);
	assert_string_equal(json_object_get_string_member(told, "link"), "down");
	expect_evidence("edid", "region 9 is of type GFX and subtype EDID: at most 5120x2880");
	double_fail("pread", -1, EIO);
	probe();
	assert_true(json_object_get_null_member(report, "edid"));
	expect_evidence("edid", "region 9 cannot be read: Input/output error");
	double_fail("GET_INFO", -1, EIO);
	probe();
	expect_evidence("edid", "cannot be walked: Input/output error");
}

static void test_probe_refuses_with_one_line(void **state)
{
	(void)state;
	expect_refusal("sim:", -EINVAL, EXIT_USAGE, "nothing to probe");
	expect_refusal("replay:x", -EINVAL, EXIT_USAGE, "nothing to probe");
	expect_refusal("fd:900", -ENODEV, EXIT_FAILED, "not an open vfio device");
	double_owner.hidden = true;
	double_fail("open /dev/vfio/42", -1, EBUSY);
	expect_refusal(SPEC, -EBUSY, EXIT_REFUSED, "CAP_SYS_PTRACE");
	double_owner_start();
	double_fail("pidfd_getfd", -1, EPERM);
	expect_refusal(SPEC, -EACCES, EXIT_REFUSED, "CAP_SYS_PTRACE");
	double_fail("nodes", -1, ENOENT);
	expect_refusal(SPEC, -ENOENT, EXIT_FAILED, "no such device");
}

static void expect_xml(char *xml, const char *words)
{
	if (!xml || !strstr(xml, words))
		fail_msg("\"%s\" is not in: %s\n", words, xml ? xml : "nothing");
	g_free(xml);
}

static void test_probe_in_libvirts_forms(void **state)
{
	(void)state;
	double_device_show(VFIO_GFX_PLANE_TYPE_DMABUF, DRM_FORMAT_MOD_LINEAR);
	probe();
	expect_xml(libvirt_xml_hostdev(report), "display='on'");
	expect_xml(libvirt_xml_hostdev(report), "<graphics type='egl-headless'/>");
	expect_xml(libvirt_xml_nodedev(report), "<uuid>" DOUBLE_NAME "</uuid>");
	expect_xml(libvirt_xml_nodedev(report), "<!-- feature: display-dmabuf -->");
	double_device_show(VFIO_GFX_PLANE_TYPE_REGION, DRM_FORMAT_MOD_LINEAR);
	probe();
	expect_xml(libvirt_xml_hostdev(report), "needs no OpenGL");
	json_object_set_string_member(report, "name", "0000:af:1f.7");
	expect_xml(libvirt_xml_hostdev(report),
		   "<address domain='0x0000' bus='0xaf' slot='0x1f' function='0x7'/>");
	expect_xml(libvirt_xml_hostdev(report), "mediated devices only");
	expect_xml(libvirt_xml_nodedev(report), "<name>pci_0000_af_1f_7</name>");
	expect_xml(libvirt_xml_nodedev(report), "<function>7</function>");
	json_object_set_null_member(report, "name");
	assert_null(libvirt_xml_hostdev(report));
	assert_null(libvirt_xml_nodedev(report));
	double_device.probes = 0;
	probe();
	expect_xml(libvirt_xml_hostdev(report), "display='off'");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, double_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_probe_of_a_free_region),
		TEST(test_probe_of_an_owned_dmabuf),
		TEST(test_probe_says_both_and_what_qemu_takes),
		TEST(test_probe_of_a_driver_that_wants_a_machine),
		TEST(test_probe_without_a_display),
		TEST(test_probe_names_each_way_that_failed),
		TEST(test_probe_of_numbers_that_cannot_be),
		TEST(test_probe_of_a_display_that_is_off),
		TEST(test_probe_dmabuf_that_cannot_be_got),
		TEST(test_probe_gets_nothing_of_mbochs),
		TEST(test_probe_of_an_edid_region),
		TEST(test_probe_refuses_with_one_line),
		TEST(test_probe_in_libvirts_forms),
	};
#undef TEST

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
