/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a probe found, in libvirt's forms (its schemas domaincommon.rng and nodedev.rng). */
#ifndef PLANECAST_LIBVIRT_XML_H
#define PLANECAST_LIBVIRT_XML_H

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * A domain's <hostdev> for a device (a report of probe_device()), and the <graphics> that its
 * display would need in that domain. With lines' ends, for g_free(); NULL: its name is not known.
 */
char *libvirt_xml_hostdev(JsonObject *report);

/* The node device, with the features as comments. Asks sysfs. */
char *libvirt_xml_nodedev(JsonObject *report);

#endif
