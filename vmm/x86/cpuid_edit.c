// SPDX-License-Identifier: MIT
/*
 * cpuid_edit.c: "host,-cx16,+x2apic": what a user wants a processor to have
 * and not to have; or a model, of which the rest is known.
 *
 * Nothing can be added that KVM does not offer: a guest that believes a bit and
 * uses the instruction would fault. So "+x" is a promise checked, and "-x"
 * takes away x and all that needs it.
 */
#include "x86/cpuid.h"
#include "x86/cpuid_features.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "x86/cpu_models.h"

#define NAME_SHOWN 40 /* how much of a user's word a sentence repeats */

/* A user's word for a sentence: short, and without control characters. */
static const char *shown(char buf[NAME_SHOWN + 1], const char *s, size_t len)
{
	size_t i;

	if (len > NAME_SHOWN)
		len = NAME_SHOWN;
	for (i = 0; i < len; i++)
		buf[i] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
	buf[len] = '\0';
	return buf;
}

/* Edit distance: letters put in, taken out or replaced. a is at most 40 long. */
static unsigned distance(const char *a, size_t len, const char *b)
{
	unsigned row[NAME_SHOWN + 1];
	size_t i;

	for (i = 0; i <= len; i++)
		row[i] = (unsigned)i;
	for (; *b; b++) {
		unsigned diagonal = row[0];

		row[0]++;
		for (i = 1; i <= len; i++) {
			unsigned best = diagonal + (a[i - 1] != *b);

			if (row[i] + 1 < best)
				best = row[i] + 1;
			if (row[i - 1] + 1 < best)
				best = row[i - 1] + 1;
			diagonal = row[i];
			row[i] = best;
		}
	}
	return row[len];
}

/* The known name that is most like a word, so far. */
struct nearest {
	const char *word;
	size_t len; /* at most NAME_SHOWN */
	unsigned distance;
	const char *name;
};

static void consider(struct nearest *n, const char *name)
{
	unsigned d = name ? distance(n->word, n->len, name) : UINT32_MAX;

	if (d < n->distance) {
		n->distance = d;
		n->name = name;
	}
}

/* NULL: no name is at all like it. */
static const char *nearest_name(const struct nearest *n)
{
	return n->distance <= 1 + n->len / 5 ? n->name : NULL;
}

static const char *nearest(const char *name, size_t len)
{
	struct nearest n = { name, len, UINT32_MAX, NULL };
	unsigned w, b;

	for (w = 0; w < CPUID_WORDS; w++)
		for (b = 0; b < 32; b++)
			consider(&n, cpuid_words[w].name[b]);
	return nearest_name(&n);
}

static int unknown_model(const char *word, char *err, size_t errlen)
{
	struct nearest n = { word, strlen(word), UINT32_MAX, NULL };
	size_t i, at;

	consider(&n, "host");
	for (i = 0; i < cpu_model_count; i++)
		consider(&n, cpu_models[i].name);
	if (nearest_name(&n)) {
		snprintf(err, errlen, "unknown model '%s'; did you mean '%s'?",
			 word, n.name);
		return -EINVAL;
	}
	snprintf(err, errlen, "unknown model '%s'; there are host", word);
	for (i = 0; i < cpu_model_count; i++) {
		at = strlen(err);
		snprintf(err + at, errlen - at, "%s%s",
			 i + 1 < cpu_model_count ? ", " : " and ",
			 cpu_models[i].name);
	}
	return -EINVAL;
}

static int unknown_feature(const char *word, char *err, size_t errlen)
{
	const char *known = nearest(word, strlen(word));

	if (known)
		snprintf(err, errlen, "unknown feature '%s'; did you mean '%s'?",
			 word, known);
	else
		snprintf(err, errlen,
			 "unknown feature '%s'; names are those of the flags "
			 "in /proc/cpuinfo",
			 word);
	return -EINVAL;
}

static int parse_item(const char *item, size_t len, struct cpuid_edits *edits,
		      char *err, size_t errlen)
{
	char word[NAME_SHOWN + 1] = "";
	struct cpuid_bit bit;
	uint32_t mask;

	if (len == 0) {
		snprintf(err, errlen, "a feature is missing between commas");
		return -EINVAL;
	}
	if (*item != '+' && *item != '-') {
		shown(word, item, len);
		snprintf(err, errlen,
			 "'%s' has no sign: +%s asks for it, -%s takes it away",
			 word, word, word);
		return -EINVAL;
	}
	shown(word, item + 1, len - 1);
	if (cpuid_bit_find(item + 1, len - 1, &bit))
		return unknown_feature(word, err, errlen);
	mask = BIT(bit.bit);
	edits->add[bit.word] &= ~mask;
	edits->remove[bit.word] &= ~mask;
	if (*item == '+')
		edits->add[bit.word] |= mask;
	else
		edits->remove[bit.word] |= mask;
	return 0;
}

static bool has(const uint32_t set[CPUID_WORDS], struct cpuid_bit bit)
{
	return set[bit.word] & BIT(bit.bit);
}

/* The bit of a name in our own tables; a unit test sees that each is known. */
static struct cpuid_bit known_bit(const char *name)
{
	struct cpuid_bit bit = { 0, 10 }; /* reserved: never in a set */

	(void)cpuid_bit_find(name, strlen(name), &bit);
	return bit;
}

static bool is_in(struct cpuid_bit bit, const uint32_t *set)
{
	return set && has(set, bit);
}

/*
 * Takes away too what needs something that was taken away; what the user asked for
 * by name is not to go like that.
 */
static int remove_dependents(struct cpuid_edits *edits, const uint32_t *asked,
			     char *err, size_t errlen)
{
	bool changed;
	size_t i;

	do {
		changed = false;
		for (i = 0; i < cpuid_dependency_count; i++) {
			const struct cpuid_dependency *d =
				&cpuid_dependencies[i];
			struct cpuid_bit bit = known_bit(d->feature);

			if (!has(edits->remove, known_bit(d->needed)) ||
			    has(edits->remove, bit))
				continue;
			if (is_in(bit, asked)) {
				snprintf(err, errlen,
					 "+%s needs %s, which is taken away",
					 d->feature, d->needed);
				return -EINVAL;
			}
			edits->add[bit.word] &= ~BIT(bit.bit);
			edits->remove[bit.word] |= BIT(bit.bit);
			changed = true;
		}
	} while (changed);
	return 0;
}

/* Adds the features of a list, blanks between, to a set. */
static void add_list(uint32_t set[CPUID_WORDS], const char *list)
{
	struct cpuid_bit bit;
	size_t len;

	for (; *list; list += len + strspn(list + len, " ")) {
		len = strcspn(list, " ");
		if (cpuid_bit_find(list, len, &bit) == 0)
			set[bit.word] |= BIT(bit.bit);
	}
}

/* What a model must have is added, as if the user had asked for it. */
static void begin_model(struct cpuid_edits *edits, const struct cpu_model *model)
{
	edits->model = model;
	for (; model; model = model->base)
		add_list(edits->add, model->features);
}

static int allow(struct cpuid_edits *edits, const uint32_t *asked, char *err,
		 size_t errlen)
{
	unsigned w;
	size_t i;

	add_list(edits->allow, cpu_models_kvm);
	add_list(edits->allow, cpu_models_guards);
	for (w = 0; w < CPUID_WORDS; w++)
		edits->allow[w] |= edits->add[w];
	for (i = 0; i < cpuid_dependency_count; i++) {
		const struct cpuid_dependency *d = &cpuid_dependencies[i];

		if (is_in(known_bit(d->feature), asked) &&
		    !has(edits->allow, known_bit(d->needed))) {
			snprintf(err, errlen,
				 "+%s needs %s, which %s does not have: add "
				 "+%s",
				 d->feature, d->needed, edits->model->name,
				 d->needed);
			return -EINVAL;
		}
	}
	return 0;
}

int cpuid_edit_parse(const char *spec, struct cpuid_edits *ret, char *err,
		     size_t errlen)
{
	struct cpuid_edits edits = { 0 }, user = { 0 };
	size_t len = strcspn(spec, ",");
	const struct cpu_model *model = cpu_model_find(spec, len);
	char word[NAME_SHOWN + 1] = "";
	unsigned w;
	int r;

	if (!model && (len != 4 || memcmp(spec, "host", 4) != 0))
		return unknown_model(shown(word, spec, len), err, errlen);
	begin_model(&edits, model);
	for (spec += len; *spec == ','; spec += len) {
		spec++;
		len = strcspn(spec, ",");
		r = parse_item(spec, len, &user, err, errlen);
		if (r)
			return r;
	}
	for (w = 0; w < CPUID_WORDS; w++) {
		edits.add[w] = (edits.add[w] | user.add[w]) & ~user.remove[w];
		edits.remove[w] = user.remove[w];
	}
	r = remove_dependents(&edits, user.add, err, errlen);
	if (r == 0 && model)
		r = allow(&edits, user.add, err, errlen);
	if (r)
		return r;
	*ret = edits;
	return 0;
}

/*
 * State components of XSAVE, by the feature that they hold registers of. Those
 * from 8 on that are not in XCR0 are in IA32_XSS.
 */
static const struct component {
	const char *feature;
	uint32_t mask;
} components[] = {
	{ "avx", BIT(2) },
	{ "mpx", BIT(3) | BIT(4) },
	{ "avx512f", BIT(5) | BIT(6) | BIT(7) },
	{ "intel_pt", BIT(8) },
	{ "pku", BIT(9) },
	{ "enqcmd", BIT(10) },
	{ "shstk", BIT(11) | BIT(12) },
	{ "ibt", BIT(11) | BIT(12) },
	{ "uintr", BIT(14) },
	{ "arch_lbr", BIT(15) },
	{ "amx_tile", BIT(17) | BIT(18) },
};

#define XSAVE_LEAF 0xd
#define XSAVE_LEGACY_LEN 576 /* x87, SSE and the header */

static void clear_registers(struct kvm_cpuid_entry2 *e)
{
	e->eax = e->ebx = e->ecx = e->edx = 0;
}

/*
 * SDM volume 1, 13.2: leaf 0xd says which components there are and where they
 * lie. With one gone, what XCR0 may hold and the area's size change.
 */
static void edit_xstate(struct kvm_cpuid2 *table,
			const struct cpuid_edits *edits)
{
	struct kvm_cpuid_entry2 *user = cpuid_find(table, XSAVE_LEAF, 0);
	struct kvm_cpuid_entry2 *extended = cpuid_find(table, XSAVE_LEAF, 1);
	bool none = has(edits->remove, known_bit("xsave")) ||
		    (edits->model && !cpuid_feature(table, "xsave"));
	uint32_t gone = 0, kept = 0, size = XSAVE_LEGACY_LEN, i;

	for (i = 0; i < ARRAY_SIZE(components); i++) {
		if (has(edits->remove, known_bit(components[i].feature)))
			gone |= components[i].mask;
		else if (cpuid_feature(table, components[i].feature))
			kept |= components[i].mask;
	}
	/* A model has no component that it does not know. */
	if (edits->model)
		gone = ~(kept | 3);
	if (edits->model && user)
		user->edx = 0;
	gone &= ~kept;
	if (user)
		user->eax &= ~gone;
	if (extended)
		extended->ecx &= ~gone;
	if (extended && (has(edits->remove, known_bit("xsaves")) ||
			 (edits->model && !cpuid_feature(table, "xsaves"))))
		extended->ecx = extended->edx = 0;

	for (i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function != XSAVE_LEAF)
			continue;
		if (none ||
		    (e->index >= 2 && e->index < 32 && gone & BIT(e->index)))
			clear_registers(e);
		/* EBX is the offset; ECX bit 0 tells that it has none. */
		else if (e->index >= 2 && !(e->ecx & 1) && e->ebx + e->eax > size)
			size = e->ebx + e->eax;
	}
	if (user && !none && gone) {
		user->ecx = size;
		if (user->ebx > size)
			user->ebx = size;
	}
}

/* The names of a word's bits, behind those in text. */
static void add_names(char *text, size_t len, const struct cpuid_word *word,
		      uint32_t bits)
{
	size_t at = strlen(text);

	for (; bits; bits &= bits - 1) {
		snprintf(text + at, len - at, "%s%s", at ? ", " : "",
			 word->name[__builtin_ctz(bits)]);
		at = strlen(text);
	}
}

int cpuid_edit_apply(struct kvm_cpuid2 *table, const struct cpuid_edits *edits,
		     char *err, size_t errlen)
{
	struct kvm_cpuid_entry2 *e;
	char missing[256] = "";
	unsigned w;

	if (edits->model)
		cpuid_model_restrict(table, edits);
	for (w = 0; w < CPUID_WORDS; w++) {
		const struct cpuid_word *word = &cpuid_words[w];
		uint32_t none = 0, *reg = &none;

		e = cpuid_find(table, word->leaf, word->subleaf);
		if (e)
			reg = cpuid_register(e, word->reg);
		add_names(missing, sizeof(missing), word, edits->add[w] & ~*reg);
		*reg &= ~edits->remove[w];
	}
	if (*missing) {
		snprintf(err, errlen, "KVM here does not offer %s", missing);
		return -ENOTSUP;
	}
	e = cpuid_find(table, 0x80000001, 0);
	if (e && cpuid_vendor(table) == CPUID_AMD)
		e->edx &= ~(edits->remove[0] & CPUID_AMD_REPEATED);
	edit_xstate(table, edits);
	return 0;
}
