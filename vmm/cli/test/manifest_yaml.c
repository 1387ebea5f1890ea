// SPDX-License-Identifier: MIT
/*
 * manifest_yaml.c: over libyaml's documents. An alias there is a second way to
 * the same node, so that a document is never larger than its file; what is made
 * of it is bounded here, by what its values add up to. libyaml takes a time that
 * grows with the square of the depth, and of the number of anchors: so the
 * events are looked through first, and neither gets far.
 */
#include "test/manifest_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"

#define LIST_MAX 256
#define TEXT_MAX 65536
#define TAKEN_MAX ((size_t)8 << 20)
#define KEYS_MAX 32
#define DEPTH_MAX 16
#define ANCHORS_MAX 1000

__attribute__((format(printf, 4, 0))) static int bad_at(struct manifest *m,
							size_t line,
							size_t column,
							const char *fmt,
							va_list ap)
{
	int n = snprintf(m->err, TEST_ERR_SIZE, "%.600s:%zu:%zu: ", m->path,
			 line, column);

	if (n > 0 && n < TEST_ERR_SIZE)
		vsnprintf(m->err + n, TEST_ERR_SIZE - (size_t)n, fmt, ap);
	return -EINVAL;
}

__attribute__((format(printf, 3, 4))) static int bad_mark(
	struct manifest *m, const yaml_mark_t *mark, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = bad_at(m, mark->line + 1, mark->column + 1, fmt, ap);
	va_end(ap);
	return r;
}

int manifest_bad(struct manifest *m, const yaml_node_t *node, const char *fmt,
		 ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = bad_at(m, node->start_mark.line + 1, node->start_mark.column + 1,
		   fmt, ap);
	va_end(ap);
	return r;
}

int manifest_no_memory(struct manifest *m)
{
	snprintf(m->err, TEST_ERR_SIZE, "%.600s:1:1: out of memory", m->path);
	return -ENOMEM;
}

/* Bytes that are no text have an offset, not a line and a column. */
static yaml_mark_t mark_of(const char *buf, size_t len, size_t offset)
{
	yaml_mark_t mark = { 0 };
	size_t i;

	for (i = 0; i < offset && i < len; i++) {
		mark.column++;
		if (buf[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

/* Whether a tab is all that there is at or before a place in its line. */
static bool is_tab_indented(const char *buf, size_t len, const yaml_mark_t *mark)
{
	size_t line = 0, column = 0, i;

	for (i = 0; i < len && line < mark->line; i++)
		line += buf[i] == '\n';
	for (; i < len && buf[i] == ' '; i++)
		column++;
	return i < len && buf[i] == '\t' && column <= mark->column;
}

static int bad_yaml(struct manifest *m, const yaml_parser_t *parser,
		    const char *buf, size_t len)
{
	const char *problem = parser->problem ? parser->problem : "malformed";
	yaml_mark_t mark = parser->problem_mark;

	switch (parser->error) {
	case YAML_MEMORY_ERROR: return manifest_no_memory(m);
	case YAML_READER_ERROR:
		mark = mark_of(buf, len, parser->problem_offset);
		return bad_mark(m, &mark, "not text in UTF-8: %s", problem);
	case YAML_COMPOSER_ERROR: return bad_mark(m, &mark, "%s", problem);
	default:
		if (is_tab_indented(buf, len, &mark))
			return bad_mark(m, &mark,
					"a tab; YAML indents with blanks only");
		return bad_mark(m, &mark, "not YAML: %s%s%s", problem,
				parser->context ? " " : "",
				parser->context ? parser->context : "");
	}
}

struct shape {
	unsigned depth;
	unsigned anchors; /* and aliases */
};

static int look_at(struct manifest *m, const yaml_event_t *event,
		   struct shape *shape)
{
	const yaml_char_t *anchor = NULL;

	switch (event->type) {
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		shape->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		shape->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: shape->depth--; break;
	case YAML_SCALAR_EVENT: anchor = event->data.scalar.anchor; break;
	case YAML_ALIAS_EVENT: anchor = event->data.alias.anchor; break;
	default: break;
	}
	if (anchor)
		shape->anchors++;
	if (shape->depth > DEPTH_MAX)
		return bad_mark(m, &event->start_mark,
				"nested deeper than any manifest is");
	if (shape->anchors > ANCHORS_MAX)
		return bad_mark(m, &event->start_mark,
				"more than %d anchors and aliases", ANCHORS_MAX);
	return 0;
}

/* Whether libyaml can make a document of it, in a time that is in proportion. */
static int check_shape(struct manifest *m, const char *buf, size_t len)
{
	struct shape shape = { 0 };
	yaml_parser_t parser;
	yaml_event_t event;
	bool ended = false;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return manifest_no_memory(m);
	yaml_parser_set_input_string(&parser, (const unsigned char *)buf, len);
	while (r == 0 && !ended) {
		if (!yaml_parser_parse(&parser, &event)) {
			r = bad_yaml(m, &parser, buf, len);
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		r = look_at(m, &event, &shape);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return r;
}

/* A second document, which nobody would look at. */
static int check_end(struct manifest *m, yaml_parser_t *parser, const char *buf,
		     size_t len)
{
	const yaml_node_t *root;
	yaml_document_t more;
	int r = 0;

	if (!yaml_parser_load(parser, &more))
		return bad_yaml(m, parser, buf, len);
	root = yaml_document_get_root_node(&more);
	if (root)
		r = manifest_bad(m, root, "a second document; one is expected");
	yaml_document_delete(&more);
	return r;
}

int manifest_load(struct manifest *m, const char *path, const char *buf,
		  size_t len, char err[TEST_ERR_SIZE])
{
	static const yaml_mark_t start;
	yaml_parser_t parser;
	int r = 0;

	memset(m, 0, sizeof(*m));
	m->path = path;
	m->err = err;
	r = check_shape(m, buf, len);
	if (r)
		return r;
	if (!yaml_parser_initialize(&parser))
		return manifest_no_memory(m);
	yaml_parser_set_input_string(&parser, (const unsigned char *)buf, len);
	if (!yaml_parser_load(&parser, &m->doc)) {
		r = bad_yaml(m, &parser, buf, len);
		yaml_parser_delete(&parser);
		return r;
	}
	if (!yaml_document_get_root_node(&m->doc))
		r = bad_mark(m, &start,
			     "an empty file; a mapping with 'version' and "
			     "'tests' is expected");
	else
		r = check_end(m, &parser, buf, len);
	yaml_parser_delete(&parser);
	if (r)
		manifest_unload(m);
	return r;
}

void manifest_unload(struct manifest *m)
{
	yaml_document_delete(&m->doc);
}

static bool is_null(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	return node->type == YAML_SCALAR_NODE &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

const char *manifest_kind(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE: return "a list";
	case YAML_MAPPING_NODE: return "a mapping";
	default: return is_null(node) ? "nothing" : "text";
	}
}

/* "!!int" and the like would say that a value is not what it looks like. */
static int check_tag(struct manifest *m, const yaml_node_t *node)
{
	const char *plain = node->type == YAML_SCALAR_NODE
				    ? YAML_DEFAULT_SCALAR_TAG
			    : node->type == YAML_SEQUENCE_NODE
				    ? YAML_DEFAULT_SEQUENCE_TAG
				    : YAML_DEFAULT_MAPPING_TAG;

	if (!node->tag || strcmp((const char *)node->tag, plain) == 0)
		return 0;
	return manifest_bad(m, node,
			    "the tag '%.64s' is not taken; leave it out",
			    (const char *)node->tag);
}

static int unknown_key(struct manifest *m, const yaml_node_t *node,
		       const char *what, const struct manifest_key *keys,
		       size_t count)
{
	const char *text = (const char *)node->data.scalar.value;
	const char *names[KEYS_MAX], *known;
	char list[256] = "";
	size_t i;

	if (strcmp(text, "<<") == 0)
		return manifest_bad(m, node,
				    "'<<' does not merge here; values for all "
				    "tests go under 'defaults'");
	for (i = 0; i < count; i++) {
		size_t len = strlen(list);

		names[i] = keys[i].name;
		snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
			 names[i]);
	}
	known = nearest(text, names, count);
	if (known)
		return manifest_bad(
			m, node, "unknown key '%.64s' of %s; did you mean '%s'?",
			text, what, known);
	return manifest_bad(m, node, "unknown key '%.64s' of %s; known: %s",
			    text, what, list);
}

/* The number of the key, which must be one of them and new. */
static int find_key(struct manifest *m, const yaml_node_t *key,
		    const char *what, const struct manifest_key *keys,
		    size_t count, const yaml_node_t **values, size_t *ret_i)
{
	const char *text;
	size_t i;

	if (key->type != YAML_SCALAR_NODE)
		return manifest_bad(m, key, "%s as a key; a name is expected",
				    manifest_kind(key));
	text = (const char *)key->data.scalar.value;
	for (i = 0; i < count && strcmp(text, keys[i].name); i++)
		;
	if (i == count || strlen(text) != key->data.scalar.length)
		return unknown_key(m, key, what, keys, count);
	if (values[i])
		return manifest_bad(m, key,
				    "'%s' is given twice; it is in line %zu "
				    "already",
				    text, values[i]->start_mark.line + 1);
	*ret_i = i;
	return 0;
}

int manifest_map(struct manifest *m, const yaml_node_t *node, const char *what,
		 const struct manifest_key *keys, size_t count,
		 const yaml_node_t **ret_values)
{
	const yaml_node_t *values[KEYS_MAX] = { NULL }, *key, *value;
	const yaml_node_pair_t *pair;
	size_t i = 0;
	int r;

	if (node->type != YAML_MAPPING_NODE)
		return manifest_bad(m, node,
				    "%s; %s is a mapping, KEY: VALUE in each "
				    "line",
				    manifest_kind(node), what);
	r = check_tag(m, node);
	for (pair = node->data.mapping.pairs.start;
	     r == 0 && pair < node->data.mapping.pairs.top; pair++) {
		key = yaml_document_get_node(&m->doc, pair->key);
		value = yaml_document_get_node(&m->doc, pair->value);
		r = find_key(m, key, what, keys, count, values, &i);
		if (r)
			break;
		if (is_null(value))
			r = manifest_bad(m, key,
					 "'%s' has no value; %s is expected",
					 keys[i].name, keys[i].expected);
		values[i] = value;
	}
	for (i = 0; r == 0 && i < count; i++)
		ret_values[i] = values[i];
	return r;
}

int manifest_list(struct manifest *m, const struct manifest_key *key,
		  const yaml_node_t *node, size_t *ret_count)
{
	size_t count = 1;
	int r;

	if (node->type == YAML_SEQUENCE_NODE) {
		r = check_tag(m, node);
		if (r)
			return r;
		count = (size_t)(node->data.sequence.items.top -
				 node->data.sequence.items.start);
		if (count == 0)
			return manifest_bad(m, node,
					    "'%s' is an empty list; %s is "
					    "expected",
					    key->name, key->expected);
		if (count > LIST_MAX)
			return manifest_bad(m, node,
					    "'%s' has %zu items; at most %d "
					    "are taken",
					    key->name, count, LIST_MAX);
	}
	*ret_count = count;
	return 0;
}

const yaml_node_t *manifest_item(struct manifest *m, const yaml_node_t *node,
				 size_t i)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return node;
	return yaml_document_get_node(&m->doc,
				      node->data.sequence.items.start[i]);
}

int manifest_text(struct manifest *m, const struct manifest_key *key,
		  const yaml_node_t *node, const char **ret_text)
{
	size_t len;
	int r;

	if (node->type != YAML_SCALAR_NODE || is_null(node))
		return manifest_bad(m, node, "'%s' is %s; %s is expected",
				    key->name, manifest_kind(node),
				    key->expected);
	r = check_tag(m, node);
	if (r)
		return r;
	len = node->data.scalar.length;
	if (strlen((const char *)node->data.scalar.value) != len)
		return manifest_bad(m, node, "'%s' has a NUL in it", key->name);
	if (len > TEXT_MAX)
		return manifest_bad(m, node,
				    "'%s' has %zu bytes; at most %d are taken",
				    key->name, len, TEXT_MAX);
	m->taken += len;
	if (m->taken > TAKEN_MAX)
		return manifest_bad(m, node,
				    "with this the manifest's aliases have "
				    "grown to more than 8 MiB");
	*ret_text = (const char *)node->data.scalar.value;
	return 0;
}
