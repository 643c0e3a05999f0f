/* SPDX-License-Identifier: Apache-2.0 */
/* The config block and map declarations: keys, values, ranges of values. */
#include "frontend/check_int.h"
#include "frontend/plan.h"
#include "lib/base/closest.h"

#include <string.h>
#include <strings.h>

static const struct at_config_key *find_key(const struct at_lang *lang, const char *name)
{
	if (strncasecmp(name, "BPFTRACE_", 9) == 0)
		name += 9;
	for (const struct at_config_key *k = lang->config; k && k->name; k++)
		if (strcasecmp(k->name, name) == 0)
			return k;
	return NULL;
}

static void unknown_key(struct at_check *c, const struct at_config_entry *e)
{
	struct at_closest best = at_closest_to(e->key);

	at_diag(c->diags, AT_D_UNKNOWN_CONFIG, e->range, "there is no setting `%s`", e->key);
	for (const struct at_config_key *k = c->lang->config; k && k->name; k++)
		at_closest_offer(&best, k->name);
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
}

static const char *word_of(const struct at_node *v)
{
	if (v->kind == AT_N_IDENT)
		return ((const struct at_n_ident *)v)->name;
	return at_fold_string(v);
}

static bool bool_value(const struct at_node *v, uint64_t *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "true", true }, { "false", false }, { "on", true }, { "off", false },
		{ "yes", true },  { "no", false },    { "1", true },  { "0", false },
	};
	const char *word = word_of(v);
	int64_t num;

	if (at_fold_int(v, &num) && (num == 0 || num == 1)) {
		*out = num;
		return true;
	}
	for (size_t i = 0; word && i < at_count(words); i++)
		if (strcasecmp(word, words[i].word) == 0) {
			*out = words[i].value;
			return true;
		}
	return false;
}

static bool uint_value(const struct at_config_key *k, const struct at_node *v, uint64_t *out)
{
	int64_t num;

	if (!at_fold_int(v, &num) || num < 0)
		return false;
	*out = num;
	return *out >= k->min && *out <= k->max;
}

static bool word_value(const struct at_config_key *k, const char *text, uint64_t *out)
{
	for (*out = 0; text && k->words[*out]; (*out)++)
		if (strcasecmp(k->words[*out], text) == 0)
			return true;
	return false;
}

/* "error, warn or ignore" */
static const char *all_words(struct at_check *c, const struct at_config_key *k)
{
	const char *all = k->words[0];

	for (size_t i = 1; k->words[i]; i++)
		all = at_sprintf(c->arena, "%s%s%s", all, k->words[i + 1] ? ", " : " or ",
				 k->words[i]);
	return all;
}

static void bad_value(struct at_check *c, const struct at_config_key *k, struct at_range range)
{
	if (k->kind == AT_CONFIG_BOOL)
		at_diag(c->diags, AT_D_BAD_CONFIG, range, "%s is true or false", k->name);
	else if (k->kind == AT_CONFIG_UINT)
		at_diag(c->diags, AT_D_BAD_CONFIG, range, "%s is a number from %llu to %llu",
			k->name, (unsigned long long)k->min, (unsigned long long)k->max);
	else if (k->kind == AT_CONFIG_WORD)
		at_diag(c->diags, AT_D_BAD_CONFIG, range, "%s is %s", k->name, all_words(c, k));
	else
		at_diag(c->diags, AT_D_BAD_CONFIG, range, "%s is a string", k->name);
}

static void check_entry(struct at_check *c, const struct at_config_entry *e)
{
	const struct at_config_key *k = find_key(c->lang, e->key);
	const char *text = NULL;
	uint64_t num = 0;
	bool ok;

	if (!k) {
		unknown_key(c, e);
		return;
	}
	if (k->kind == AT_CONFIG_STRING)
		ok = (text = word_of(e->value)) != NULL;
	else if (k->kind == AT_CONFIG_BOOL)
		ok = bool_value(e->value, &num);
	else if (k->kind == AT_CONFIG_WORD)
		ok = word_value(k, text = word_of(e->value), &num);
	else
		ok = uint_value(k, e->value, &num);
	if (!ok) {
		bad_value(c, k, e->value_range);
		return;
	}
	at_vec_push(c->arena, &c->config, (typeof(*c->config.v)){ 0 });
	c->config.v[c->config.n - 1].key = k;
	c->config.v[c->config.n - 1].num = num;
	c->config.v[c->config.n - 1].text = text;
	c->config.v[c->config.n - 1].range = e->range;
}

void at_check_config(struct at_check *c)
{
	for (size_t i = 0; i < c->script->config.n; i++)
		check_entry(c, &c->script->config.v[i]);
}

uint64_t at_config_num(const struct at_check *c, const char *key)
{
	for (size_t i = c->config.n; i > 0; i--)
		if (strcmp(c->config.v[i - 1].key->name, key) == 0)
			return c->config.v[i - 1].num;
	for (const struct at_config_key *k = c->lang->config; k && k->name; k++)
		if (strcmp(k->name, key) == 0)
			return k->def;
	return 0;
}

const char *at_config_text(const struct at_check *c, const char *key)
{
	for (size_t i = c->config.n; i > 0; i--)
		if (strcmp(c->config.v[i - 1].key->name, key) == 0)
			return c->config.v[i - 1].text;
	return NULL;
}

/* ---- let @m = hash(N) ---- */

static const struct {
	const char *name;
	enum at_map_kind kind;
} map_kinds[] = {
	{ "hash", AT_MAP_HASH },
	{ "lruhash", AT_MAP_LRU_HASH },
	{ "percpuhash", AT_MAP_PERCPU_HASH },
	{ "percpulruhash", AT_MAP_LRU_PERCPU_HASH },
};

enum { MOST_ENTRIES = 1 << 24 };

static void check_decl(struct at_check *c, const struct at_map_decl *d)
{
	struct at_mapsym *m = at_scope_map(c, d->name, d->range);

	for (size_t i = 0; i < at_count(map_kinds); i++)
		if (strcmp(map_kinds[i].name, d->kind) == 0)
			m->decl_kind = map_kinds[i].kind;
	if (m->decl_kind < 0) {
		at_diag(c->diags, AT_D_BAD_MAP_DECL, d->range, "there is no kind of map `%s`",
			d->kind);
		at_hint(c->diags, "kinds are hash, lruhash, percpuhash, percpulruhash");
	} else if (d->size > MOST_ENTRIES) {
		at_diag(c->diags, AT_D_BAD_MAP_DECL, d->range, "%s can have 1 to %d entries",
			d->name, MOST_ENTRIES);
	} else {
		m->max_entries = d->size;
	}
}

void at_check_map_decls(struct at_check *c)
{
	for (size_t i = 0; i < c->script->maps.n; i++)
		check_decl(c, &c->script->maps.v[i]);
}
