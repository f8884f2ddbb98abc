/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libvirt_xml.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define PCI_DEVICES  "/sys/bus/pci/devices"

struct address {
	unsigned int domain, bus, slot, function;
};

static bool parse_address(const char *name, struct address *address)
{
	return sscanf(name, "%x:%x:%x.%x", &address->domain, &address->bus, &address->slot,
		      &address->function) == 4;
}

static const char *name_of(JsonObject *report)
{
	return json_object_get_null_member(report, "name")
		       ? NULL
		       : json_object_get_string_member(report, "name");
}

static bool has_display(JsonObject *report)
{
	return strcmp(json_object_get_string_member(report, "display"), "none") != 0;
}

static void add_pci_hostdev(GString *xml, const struct address *address, bool display)
{
	g_string_append_printf(xml,
			       "<hostdev mode='subsystem' type='pci' managed='yes'>\n"
			       "  <source>\n    <address domain='0x%04x' bus='0x%02x' slot='0x%02x'"
			       " function='0x%x'/>\n  </source>\n</hostdev>\n",
			       address->domain, address->bus, address->slot, address->function);
	if (display)
		g_string_append(xml, "<!-- it has a display, which libvirt switches on for "
				     "mediated devices only -->\n");
}

static void add_mdev_hostdev(GString *xml, const char *name, bool display, bool gl)
{
	g_string_append_printf(xml,
			       "<hostdev mode='subsystem' type='mdev' model='vfio-pci' "
			       "display='%s'>\n  <source>\n    <address uuid='%s'/>\n"
			       "  </source>\n</hostdev>\n",
			       display ? "on" : "off", name);
	if (display)
		g_string_append(
			xml,
			gl ? "<!-- display='on' needs OpenGL there: -->\n"
			     "<graphics type='egl-headless'/>\n"
			   : "<!-- display='on' needs no OpenGL there, but VNC or SPICE -->\n");
}

char *libvirt_xml_hostdev(JsonObject *report)
{
	const char *name = name_of(report);
	struct address address;
	GString *xml;

	if (!name)
		return NULL;
	xml = g_string_new(NULL);
	if (parse_address(name, &address))
		add_pci_hostdev(xml, &address, has_display(report));
	else
		add_mdev_hostdev(xml, name, has_display(report),
				 json_object_get_boolean_member(report, "needs_gl"));
	return g_string_free(xml, FALSE);
}

/* The last part of a link of the device's, for g_free(); NULL without it. */
static char *link_name(const char *folder, const char *link)
{
	char *path = g_build_filename(folder, link, NULL);
	char *target = g_file_read_link(path, NULL);
	char *name = target ? g_path_get_basename(target) : NULL;

	g_free(target);
	g_free(path);
	return name;
}

/* The device that an mdev is a part of, for g_free(). */
static char *parent_name(const char *folder)
{
	char *real = realpath(folder, NULL);
	char *parent = real ? g_path_get_dirname(real) : NULL;
	char *name = parent ? g_path_get_basename(parent) : NULL;

	g_free(parent);
	free(real);
	return name;
}

static unsigned int read_id(const char *folder, const char *file)
{
	char *path = g_build_filename(folder, file, NULL);
	char *text = NULL;
	unsigned int id = 0;

	if (g_file_get_contents(path, &text, NULL, NULL))
		id = (unsigned int)strtoul(text, NULL, 16);
	g_free(text);
	g_free(path);
	return id;
}

static char *node_name(const char *kind, const char *name, const char *parent)
{
	char *node = g_strjoin("_", kind, name, parent, NULL);

	return g_strcanon(node, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS, '_');
}

static void add_escaped(GString *xml, const char *before, const char *text, const char *after)
{
	char *escaped = g_markup_escape_text(text, -1);

	g_string_append_printf(xml, "%s%s%s", before, escaped, after);
	g_free(escaped);
}

static void add_mdev_node(GString *xml, const char *name, const char *folder)
{
	char *type = link_name(folder, "mdev_type"), *parent = parent_name(folder);
	char *group = link_name(folder, "iommu_group"), *node = node_name("mdev", name, parent);

	g_string_append_printf(xml, "  <name>%s</name>\n  <capability type='mdev'>\n", node);
	add_escaped(xml, "    <type id='", type ? type : "", "'/>\n");
	g_string_append_printf(xml, "    <uuid>%s</uuid>\n", name);
	if (parent)
		add_escaped(xml, "    <parent_addr>", parent, "</parent_addr>\n");
	if (group)
		add_escaped(xml, "    <iommuGroup number='", group, "'/>\n");
	g_free(node);
	g_free(group);
	g_free(parent);
	g_free(type);
}

static void add_pci_node(GString *xml, const char *name, const char *folder,
			 const struct address *address)
{
	char *node = node_name("pci", name, NULL);

	g_string_append_printf(xml,
			       "  <name>%s</name>\n  <capability type='pci'>\n"
			       "    <class>0x%06x</class>\n    <domain>%u</domain>\n"
			       "    <bus>%u</bus>\n    <slot>%u</slot>\n"
			       "    <function>%u</function>\n    <product id='0x%04x'/>\n"
			       "    <vendor id='0x%04x'/>\n",
			       node, read_id(folder, "class"), address->domain, address->bus,
			       address->slot, address->function, read_id(folder, "device"),
			       read_id(folder, "vendor"));
	g_free(node);
}

char *libvirt_xml_nodedev(JsonObject *report)
{
	JsonArray *features = json_object_get_array_member(report, "features");
	const char *name = name_of(report);
	struct address address;
	char *folder;
	GString *xml;
	bool pci;

	if (!name)
		return NULL;
	pci = parse_address(name, &address);
	folder = g_build_filename(pci ? PCI_DEVICES : MDEV_DEVICES, name, NULL);
	xml = g_string_new("<device>\n");
	if (pci)
		add_pci_node(xml, name, folder, &address);
	else
		add_mdev_node(xml, name, folder);
	g_string_append(xml, "  </capability>\n");
	for (guint i = 0; i < json_array_get_length(features); i++)
		g_string_append_printf(xml, "  <!-- feature: %s -->\n",
				       json_array_get_string_element(features, i));
	g_string_append(xml, "</device>\n");
	g_free(folder);
	return g_string_free(xml, FALSE);
}
