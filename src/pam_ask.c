/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_ask.h"

#include <security/pam_appl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The caller frees what was answered before, as it would free the rest. */
static int answer(const struct pam_message *message, struct pam_response *response,
		  const char *password)
{
	switch (message->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
		response->resp = strdup(password);
		return response->resp ? PAM_SUCCESS : PAM_BUF_ERR;
	case PAM_TEXT_INFO:
	case PAM_ERROR_MSG:
		return PAM_SUCCESS;
	default:
		return PAM_CONV_ERR; /* there is nobody to ask anything else */
	}
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses,
		    void *password)
{
	struct pam_response *list;
	int r = PAM_SUCCESS;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	list = calloc((size_t)count, sizeof(*list));
	if (!list)
		return PAM_BUF_ERR;
	for (int i = 0; i < count && r == PAM_SUCCESS; i++)
		r = answer(messages[i], &list[i], password);
	if (r == PAM_SUCCESS) {
		*responses = list;
		return r;
	}
	for (int i = 0; i < count; i++) {
		if (list[i].resp)
			explicit_bzero(list[i].resp, strlen(list[i].resp));
		free(list[i].resp);
	}
	free(list);
	return r;
}

/* Who guesses waits at the door, not here. */
static void no_delay(int status, unsigned int microseconds, void *data)
{
	(void)status;
	(void)microseconds;
	(void)data;
}

bool pam_ask(const char *service, const char *name, const char *password)
{
	const struct pam_conv conversation = {converse, (void *)(uintptr_t)password};
	const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
	pam_handle_t *pam = NULL;
	int r = pam_start(service, name, &conversation, &pam);

	if (r != PAM_SUCCESS)
		return false;
	r = pam_set_item(pam, PAM_FAIL_DELAY, (const void *)no_delay);
	if (r == PAM_SUCCESS)
		r = pam_authenticate(pam, flags);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pam, flags);
	pam_end(pam, r);
	return r == PAM_SUCCESS;
}
