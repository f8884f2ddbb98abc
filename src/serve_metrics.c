/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_metrics.h"

#include "metrics.h"

void serve_metrics_finish(struct serve_metrics *metrics)
{
	g_strfreev(metrics->addresses);
}

void serve_metrics_entries(struct serve_metrics *metrics, GArray *entries)
{
	const GOptionEntry own[] = {
		{"metrics", 0, 0, G_OPTION_ARG_STRING_ARRAY, &metrics->addresses,
		 "answer Prometheus here, by http at /metrics; may be repeated", "ADDR"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

static char *answer(void *data)
{
	JsonNode *root = status_node(data);
	char *text = metrics_text(json_node_get_object(root));

	json_node_unref(root);
	return text;
}

int serve_metrics_start(struct serve_metrics *metrics, struct status *status, bool open,
			GError **error)
{
	int ret = 0;

	if (!metrics->addresses)
		return 0;
	metrics->server = metrics_server_new(answer, status);
	for (char **address = metrics->addresses; *address && !ret; address++)
		ret = metrics_server_listen(metrics->server, *address, open, error);
	return ret;
}

void serve_metrics_stop(struct serve_metrics *metrics)
{
	metrics_server_destroy(metrics->server);
	metrics->server = NULL;
}
