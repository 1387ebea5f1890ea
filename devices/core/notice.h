/* SPDX-License-Identifier: MIT */
/*
 * notice.h: where a device says what a person should know while the guest runs. One
 * line without a newline; the board adds which device it was, and cuts a flood
 * short, so that a guest may cause one as often as it likes.
 */
#ifndef TRAPMAP_CORE_NOTICE_H
#define TRAPMAP_CORE_NOTICE_H

struct notice {
	/* Any thread, with a device's lock held. */
	void (*say)(void *opaque, const char *text);
	void *opaque;
};

/* Where say is NULL nobody listens. */
static inline void notice_say(const struct notice *notice, const char *text)
{
	if (notice->say)
		notice->say(notice->opaque, text);
}

#endif
