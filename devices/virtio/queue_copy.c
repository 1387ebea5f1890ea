// SPDX-License-Identifier: MIT
/* Bytes of a chain, wherever the driver has cut it (VIRTIO 1.2, 2.7.4). */
#include <string.h>

#include "virtio/queue.h"

/* dst or src is NULL: then it is the spans'. */
static size_t copy(const struct iovec *iov, unsigned count, uint64_t off,
		   uint8_t *dst, const uint8_t *src, size_t len)
{
	size_t done = 0, n;
	unsigned i;

	for (i = 0; i < count && done < len; i++) {
		if (off >= iov[i].iov_len) {
			off -= iov[i].iov_len;
			continue;
		}
		n = iov[i].iov_len - off;
		if (n > len - done)
			n = len - done;
		if (dst)
			memcpy(dst + done, (uint8_t *)iov[i].iov_base + off, n);
		else
			memcpy((uint8_t *)iov[i].iov_base + off, src + done, n);
		done += n;
		off = 0;
	}
	return done;
}

size_t virtq_copy_out(const struct virtq_chain *chain, uint64_t off, void *buf,
		      size_t len)
{
	return copy(chain->iov, chain->out, off, buf, NULL, len);
}

size_t virtq_copy_in(const struct virtq_chain *chain, uint64_t off,
		     const void *buf, size_t len)
{
	return copy(chain->iov + chain->out, chain->in, off, NULL, buf, len);
}

struct iovec *virtq_trim(struct iovec *iov, unsigned *count, uint64_t off,
			 uint64_t len)
{
	unsigned left = *count, n;

	for (; left > 0 && off >= iov->iov_len; left--, iov++)
		off -= iov->iov_len;
	if (left > 0) {
		iov->iov_base = (uint8_t *)iov->iov_base + off;
		iov->iov_len -= off;
	}
	for (n = 0; n < left && len > 0; n++) {
		if (iov[n].iov_len > len)
			iov[n].iov_len = len;
		len -= iov[n].iov_len;
	}
	*count = n;
	return iov;
}
