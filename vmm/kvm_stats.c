// SPDX-License-Identifier: MIT
#include "kvm_stats.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm.h"

/* There are fewer than a hundred; more would be a sign of a misreading. */
#define COUNT_MAX 4096
#define NAME_MAX_LEN 1024

int kvm_stats_open(struct kvm_stats *stats, int vcpu_fd)
{
	struct kvm_stats_header header;
	struct kvm_stats s = KVM_STATS_INIT;
	ssize_t n;
	int r = -EIO;

	s.fd = kvm_ioctl_val(vcpu_fd, KVM_GET_STATS_FD, 0);
	if (s.fd < 0)
		return s.fd;
	n = pread(s.fd, &header, sizeof(header), 0);
	if (n != (ssize_t)sizeof(header) || header.num_desc > COUNT_MAX ||
	    header.name_size > NAME_MAX_LEN)
		goto fail;
	s.count = header.num_desc;
	s.desc_size = sizeof(struct kvm_stats_desc) + header.name_size;
	s.data_offset = header.data_offset;
	s.desc = calloc(s.count ? s.count : 1, s.desc_size);
	r = -ENOMEM;
	if (!s.desc)
		goto fail;
	r = -EIO;
	n = pread(s.fd, s.desc, s.count * s.desc_size, header.desc_offset);
	if (n < 0 || (size_t)n != s.count * s.desc_size)
		goto fail;
	*stats = s;
	return 0;
fail:
	kvm_stats_close(&s);
	return r;
}

bool kvm_stats_get(const struct kvm_stats *stats, const char *name,
		   uint64_t *ret_value)
{
	const size_t name_size =
		stats->desc_size - sizeof(struct kvm_stats_desc);
	struct kvm_stats_desc desc;
	uint64_t value;
	uint32_t i;

	for (i = 0; i < stats->count; i++) {
		const uint8_t *p = stats->desc + i * stats->desc_size;

		if (strncmp((const char *)p + sizeof(desc), name, name_size))
			continue;
		memcpy(&desc, p, sizeof(desc));
		if (pread(stats->fd, &value, sizeof(value),
			  (off_t)(stats->data_offset + desc.offset)) !=
		    (ssize_t)sizeof(value))
			return false;
		*ret_value = value;
		return true;
	}
	return false;
}

void kvm_stats_close(struct kvm_stats *stats)
{
	if (stats->fd >= 0)
		close(stats->fd);
	free(stats->desc);
	*stats = (struct kvm_stats)KVM_STATS_INIT;
}
