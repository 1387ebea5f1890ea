/* SPDX-License-Identifier: MIT */
/*
 * manifest_yaml.h: a YAML document as a manifest uses it: mappings with known
 * keys, lists, and text. Whatever is not as expected is told with its place.
 */
#ifndef TRAPMAP_CLI_TEST_MANIFEST_YAML_H
#define TRAPMAP_CLI_TEST_MANIFEST_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

#include "test/suite.h"

struct manifest {
	const char *path; /* for messages, and for the folder it is in */
	yaml_document_t doc;
	char *err; /* of TEST_ERR_SIZE */
	size_t taken; /* bytes of values; aliases can make more of a small file */
};

/*
 * The one document in buf, to be released by manifest_unload(). Returns 0,
 * -EINVAL or -ENOMEM with a line in m->err.
 */
int manifest_load(struct manifest *m, const char *path, const char *buf,
		  size_t len, char err[TEST_ERR_SIZE]);
void manifest_unload(struct manifest *m);

/* Puts the place of node and the text into m->err. Returns -EINVAL. */
int manifest_bad(struct manifest *m, const yaml_node_t *node, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));
int manifest_no_memory(struct manifest *m);

/* What the file has where something else was expected: "a list". */
const char *manifest_kind(const yaml_node_t *node);

struct manifest_key {
	const char *name;
	const char *expected; /* "a size, as 512M" */
};

/*
 * The values of a mapping, by the numbers of their keys; NULL: not there. what:
 * "a test", for messages. An unknown key, one that is there twice and one
 * without a value are errors.
 */
int manifest_map(struct manifest *m, const yaml_node_t *node, const char *what,
		 const struct manifest_key *keys, size_t count,
		 const yaml_node_t **ret_values);

/*
 * How many values the key has, which may be a list or a single one; and one of
 * them. An empty list is an error.
 */
int manifest_list(struct manifest *m, const struct manifest_key *key,
		  const yaml_node_t *node, size_t *ret_count);
const yaml_node_t *manifest_item(struct manifest *m, const yaml_node_t *node,
				 size_t i);

/* The text of a scalar, which lives as long as the document. */
int manifest_text(struct manifest *m, const struct manifest_key *key,
		  const yaml_node_t *node, const char **ret_text);

#endif
