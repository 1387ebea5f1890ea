// SPDX-License-Identifier: MIT
/*
 * qcow2 images of every shape that qemu-img makes: read, written to at random beside
 * a plain copy, and then judged by qemu-img.
 */
#include "qcow2_rig.h"

#include <errno.h>
#include <pthread.h>

/* Writes "something" all over an image of 4 MiB; pieces of it stay empty. */
#define FILL(image)                                                       \
	"qemu-io -f qcow2 -c 'write -P 17 0 1M' -c 'write -P 34 1537k 3k' " \
	"-c 'write -P 51 3000k 200k' -c 'write -P 68 4095k 1k' " image " >/dev/null"

#define OVERLAY(options)                                                     \
	"qemu-img create -q -f qcow2 -o " options " base 4M && " FILL("base") \
	" && qemu-img create -q -f qcow2 -o " options                        \
	" -b base -F qcow2 disk && qemu-io -f qcow2 -c 'write -P 85 900k "   \
	"300k' -c 'write -z 2M 100k' disk >/dev/null"
#define COMPRESSED(options)                                              \
	"qemu-img create -q -f qcow2 base 4M && " FILL("base")            \
	" && qemu-img convert -c -f qcow2 -O qcow2 -o " options " base disk"

static const struct shape {
	const char *name, *make;
} shapes[] = {
	{ "plain", "qemu-img create -q -f qcow2 disk 4M" },
	{ "of data", "qemu-img create -q -f qcow2 disk 4M && " FILL("disk") },
	{ "version 2", "qemu-img create -q -f qcow2 -o compat=0.10 disk 4M && "
		       FILL("disk") },
	{ "clusters of 512",
	  "qemu-img create -q -f qcow2 -o cluster_size=512 disk 4M && "
	  FILL("disk") },
	{ "clusters of 2M",
	  "qemu-img create -q -f qcow2 -o cluster_size=2M disk 9M && "
	  FILL("disk") },
	{ "refcounts of 1 bit",
	  "qemu-img create -q -f qcow2 -o refcount_bits=1,cluster_size=4k disk 4M" },
	{ "refcounts of 2 bits",
	  "qemu-img create -q -f qcow2 -o refcount_bits=2,cluster_size=512 disk 4M" },
	{ "refcounts of 4 bits",
	  "qemu-img create -q -f qcow2 -o refcount_bits=4,cluster_size=1k disk 4M" },
	{ "refcounts of 8 bits",
	  "qemu-img create -q -f qcow2 -o refcount_bits=8 disk 4M" },
	{ "refcounts of 32 bits",
	  "qemu-img create -q -f qcow2 -o refcount_bits=32,cluster_size=2k disk 4M" },
	{ "refcounts of 64 bits",
	  "qemu-img create -q -f qcow2 -o refcount_bits=64,cluster_size=512 disk 4M" },
	{ "metadata there",
	  "qemu-img create -q -f qcow2 -o preallocation=metadata disk 4M" },
	{ "all there", "qemu-img create -q -f qcow2 -o preallocation=full disk 4M" },
	{ "odd size", "qemu-img create -q -f qcow2 disk 4391424 && " FILL("disk") },
	{ "over qcow2", OVERLAY("cluster_size=64k") },
	{ "over qcow2, small clusters", OVERLAY("cluster_size=512") },
	{ "over qcow2, version 2", OVERLAY("compat=0.10") },
	{ "over a shorter raw file",
	  "head -c 2500000 /dev/urandom >base && qemu-img create -q -f qcow2 "
	  "-b base -F raw disk 4M" },
	{ "over a longer raw file",
	  "head -c 5000000 /dev/urandom >base && qemu-img create -q -f qcow2 "
	  "-b base -F raw disk 4M" },
	{ "three deep",
	  "head -c 1M /dev/urandom >a && qemu-img create -q -f qcow2 -b a -F raw "
	  "-o cluster_size=4k b 2M && qemu-io -f qcow2 -c 'write -P 9 100k 77k' b "
	  ">/dev/null && mkdir d && qemu-img create -q -f qcow2 -b ../b -F qcow2 "
	  "d/c 3M && qemu-io -f qcow2 -c 'write -P 8 150k 99k' d/c >/dev/null && "
	  "qemu-img create -q -f qcow2 -b d/c -F qcow2 disk 4M" },
	{ "compressed", COMPRESSED("cluster_size=64k") },
	{ "compressed, zstd", COMPRESSED("compression_type=zstd") },
	{ "compressed, small clusters", COMPRESSED("cluster_size=4k") },
	{ "compressed, large clusters", COMPRESSED("cluster_size=2M") },
	{ "compressed, version 2", COMPRESSED("compat=0.10") },
	{ "snapshots",
	  "qemu-img create -q -f qcow2 disk 4M && " FILL("disk")
	  " && qemu-img snapshot -c one disk && qemu-io -f qcow2 -c 'write -P 3 "
	  "500k 600k' disk >/dev/null && qemu-img snapshot -c two disk" },
	{ "a snapshot is gone",
	  "qemu-img create -q -f qcow2 disk 4M && " FILL("disk")
	  " && qemu-img snapshot -c one disk && qemu-img snapshot -d one disk" },
	{ "lazy refcounts", "qemu-img create -q -f qcow2 -o lazy_refcounts=on disk "
			    "4M && " FILL("disk") },
	{ "a bitmap", "qemu-img create -q -f qcow2 disk 4M && qemu-img bitmap "
		      "--add disk b" },
	{ "refcount table to grow",
	  "qemu-img create -q -f qcow2 -o cluster_size=512,refcount_bits=64 disk "
	  "24M" },
};

static void images_of_every_shape_are_read_and_written(void **state)
{
	unsigned i, n, round;
	struct rig rig;

	need_qemu_img();
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		rig_init(&rig);
		if (sh(&rig, "%s", shapes[i].make)) {
			print_message("not here: %s\n", shapes[i].name);
			rig_done(&rig);
			continue;
		}
		print_message("%s\n", shapes[i].name);
		rig_load(&rig, "disk");
		rig.seed = i + 1;
		for (round = 0; round < 3; round++) {
			assert_int_equal(rig_open(&rig, "disk", round == 0,
						  false), 0);
			assert_true(qcow2_size(rig.q) == rig.size);
			for (n = 0; n < (round ? 100 : 40); n++)
				rig_step(&rig, round > 0);
			qcow2_close(rig.q);
			rig.q = NULL;
			assert_int_equal(rig.notices, 0);
			rig_judge(&rig, "disk",
				  !strcmp(shapes[i].name, "a bitmap"));
		}
		rig_done(&rig);
	}
}

static void snapshots_stay_as_they_were(void **state)
{
	struct rig rig;
	unsigned n;

	need_qemu_img();
	rig_init(&rig);
	assert_int_equal(sh(&rig, "qemu-img create -q -f qcow2 disk 4M && "
			    FILL("disk") " && qemu-img snapshot -c one disk && "
			    "qemu-img convert -O raw disk before"), 0);
	rig_load(&rig, "disk");
	assert_int_equal(rig_open(&rig, "disk", false, false), 0);
	for (n = 0; n < 300; n++)
		rig_step(&rig, true);
	qcow2_close(rig.q);
	rig.q = NULL;
	rig_judge(&rig, "disk", false);
	assert_int_equal(sh(&rig, "qemu-img snapshot -a one disk && qemu-img "
			    "check -q disk && qemu-img compare -q -f raw -F qcow2 "
			    "before disk"), 0);
	rig_done(&rig);
}

static void backing_files_are_not_written_to(void **state)
{
	struct rig rig;
	unsigned n;

	need_qemu_img();
	rig_init(&rig);
	assert_int_equal(sh(&rig, OVERLAY("cluster_size=64k")
			    " && cp base before && chmod 400 base"), 0);
	rig_load(&rig, "disk");
	assert_int_equal(rig_open(&rig, "disk", false, false), 0);
	for (n = 0; n < 300; n++)
		rig_step(&rig, true);
	qcow2_close(rig.q);
	rig.q = NULL;
	assert_int_equal(sh(&rig, "cmp base before"), 0);
	rig_done(&rig);
}

/* What O_DIRECT asks for is done, whatever the format has where. */
static void direct_io_gives_the_same(void **state)
{
	struct rig rig;
	unsigned n;
	int r;

	need_qemu_img();
	rig_init(&rig);
	assert_int_equal(sh(&rig, COMPRESSED("cluster_size=64k")), 0);
	rig_load(&rig, "disk");
	r = rig_open(&rig, "disk", false, true);
	if (r == -EOPNOTSUPP || (r == 0 && qcow2_align(rig.q) > 512)) {
		rig_done(&rig);
		skip();
	}
	assert_int_equal(r, 0);
	for (n = 0; n < 200; n++)
		rig_step(&rig, true);
	qcow2_close(rig.q);
	rig.q = NULL;
	rig_judge(&rig, "disk", false);
	rig_done(&rig);
}

/* ---- several at once ---------------------------------------------------- */

#define WORKERS 4
#define STRIPE 1024 /* each worker has every fourth such piece */

struct worker {
	struct rig *rig;
	unsigned number;
	bool failed;
};

/* Neighbours share every cluster, so all of them copy and allocate at once. */
static void *work(void *opaque)
{
	struct worker *w = opaque;
	uint8_t buf[STRIPE], got[STRIPE];
	uint64_t off, seed = w->number + 1;
	unsigned n;

	for (n = 0; n < 1500 && !w->failed; n++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		off = (seed >> 20) % (w->rig->size / STRIPE / WORKERS) * WORKERS;
		off = (off + w->number) * STRIPE;
		memset(buf, (int)(seed >> 56) | 1, sizeof(buf));
		if (rig_move(w->rig, true, buf, off, STRIPE) ||
		    rig_move(w->rig, false, got, off, STRIPE) ||
		    memcmp(buf, got, STRIPE))
			w->failed = true;
		memcpy(w->rig->ref + off, buf, STRIPE);
		if (n % 97 == 0 && qcow2_flush(w->rig->q))
			w->failed = true;
	}
	return NULL;
}

static void requests_at_once_do_not_disturb_each_other(void **state)
{
	static const char *const makes[] = {
		OVERLAY("cluster_size=64k"), OVERLAY("cluster_size=4k"),
		COMPRESSED("cluster_size=64k"),
	};
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	struct rig rig;
	unsigned i, k;

	need_qemu_img();
	for (k = 0; k < ARRAY_SIZE(makes); k++) {
		rig_init(&rig);
		assert_int_equal(sh(&rig, "%s", makes[k]), 0);
		rig_load(&rig, "disk");
		assert_int_equal(rig_open(&rig, "disk", false, false), 0);
		for (i = 0; i < WORKERS; i++) {
			workers[i] = (struct worker){ &rig, i, false };
			assert_int_equal(pthread_create(&threads[i], NULL, work,
							&workers[i]), 0);
		}
		for (i = 0; i < WORKERS; i++) {
			pthread_join(threads[i], NULL);
			assert_false(workers[i].failed);
		}
		qcow2_close(rig.q);
		rig.q = NULL;
		rig_judge(&rig, "disk", false);
		rig_done(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_of_every_shape_are_read_and_written),
		cmocka_unit_test(snapshots_stay_as_they_were),
		cmocka_unit_test(backing_files_are_not_written_to),
		cmocka_unit_test(direct_io_gives_the_same),
		cmocka_unit_test(requests_at_once_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
