/* SPDX-License-Identifier: MIT */
/*
 * flight.h: the flight recorder: the last exits of a vCPU, always on. Its own
 * thread writes, with no lock, no call and no allocation; others read once that
 * thread has quit, or take flight_total() as a sign of life.
 */
#ifndef TRAPMAP_FLIGHT_H
#define TRAPMAP_FLIGHT_H

#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

struct bus;
struct device;

#define FLIGHT_RECORDS 256 /* a power of two */

/* Bits of flight_record.flags. */
#define FLIGHT_WRITE 1u /* else the guest read */
/*
 * Nothing answers there. For ports and memory it is not looked up at the exit:
 * flight_settle() sets it once the vCPU has quit.
 */
#define FLIGHT_UNCLAIMED 2u

/* One exit. */
struct flight_record {
	uint64_t tsc; /* the host's time stamp counter, at the exit */
	uint64_t addr; /* port, physical address, MSR, hypercall; else 0 */
	/*
	 * Read or written; of a string instruction the first item. Of others: a
	 * hypercall's first argument, KVM's suberror, the reason of a failed
	 * entry, the type of a system event; else 0.
	 */
	uint64_t value;
	uint64_t rip; /* 0: not known, which it costs time to be */
	uint32_t reason; /* KVM_EXIT_* */
	uint16_t count; /* items of a string instruction, up to 65535; else 1 */
	uint8_t size; /* of the access in bytes; 0: it is none */
	uint8_t flags;
};

struct flight {
	_Atomic uint64_t total; /* exits so far; the next goes to total % 256 */
	struct flight_record record[FLIGHT_RECORDS];
};

/* Exits so far. Any thread. */
static inline uint64_t flight_total(const struct flight *flight)
{
	return atomic_load_explicit(&flight->total, memory_order_relaxed);
}

/* What flight_put() has of an exit that is neither a port nor memory. */
void flight_fill_other(struct flight_record *rec, const struct kvm_run *run);

/* The low `len` bytes of a value, 1 to 8. */
static inline uint64_t flight_item(const void *data, unsigned len)
{
	uint64_t val;

	memcpy(&val, data, sizeof(val));
	return len < 8 ? val & ((UINT64_C(1) << (len * 8)) - 1) : val;
}

/*
 * Records the exit that *run tells of and that has been handled, so that what
 * the guest read is there. Returns the record, for the caller to add to. Every
 * exit goes here.
 */
static inline struct flight_record *
flight_put(struct flight *flight, const struct kvm_run *run, uint64_t tsc)
{
	uint64_t total = flight_total(flight);
	struct flight_record *rec = &flight->record[total % FLIGHT_RECORDS];

	rec->tsc = tsc;
	rec->rip = 0;
	rec->reason = run->exit_reason;
	if (run->exit_reason == KVM_EXIT_IO) {
		rec->addr = run->io.port;
		rec->size = run->io.size;
		rec->count = run->io.count < UINT16_MAX ?
				     (uint16_t)run->io.count :
				     UINT16_MAX;
		rec->flags = run->io.direction == KVM_EXIT_IO_OUT;
		/* The data has a page of its own, so eight bytes are there. */
		rec->value = flight_item((const uint8_t *)run +
						 run->io.data_offset,
					 run->io.size);
	} else if (run->exit_reason == KVM_EXIT_MMIO) {
		rec->addr = run->mmio.phys_addr;
		rec->size = (uint8_t)run->mmio.len;
		rec->count = 1;
		rec->flags = run->mmio.is_write != 0;
		rec->value = flight_item(run->mmio.data, run->mmio.len);
	} else {
		flight_fill_other(rec, run);
	}
	/* One thread writes: no need for a locked addition. */
	atomic_store_explicit(&flight->total, total + 1, memory_order_relaxed);
	return rec;
}

/* "IO", "MMIO", "HLT": KVM's name for a reason without KVM_EXIT_, or NULL. */
const char *flight_reason(uint32_t reason);

/* The device that the whole port or memory access went to, or NULL. */
const struct device *flight_device(const struct flight_record *rec,
				   const struct bus *pio,
				   const struct bus *mmio);

/* Sets FLIGHT_UNCLAIMED in every record. The vCPU's thread has quit. */
void flight_settle(struct flight *flight, const struct bus *pio,
		   const struct bus *mmio);

#endif
