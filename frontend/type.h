/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of the language, and the layout of their values in memory (map keys
 * and values, events, scratch). Types are immutable and live in an arena or in
 * static storage; compare them with at_type_equal(), never by address.
 *
 * Layout: little words of the machine. bool 1 byte, int 1/2/4/8, pointer 8,
 * enum as its int. string: `size` bytes, a multiple of 8, aligned to 8; the
 * text, then zeros to the end, always at least one (so equal strings are equal
 * bytes); a text that did not fit ends in "..". tuple and struct: fields at their offsets, padding zero.
 */
#ifndef AT_FRONTEND_TYPE_H
#define AT_FRONTEND_TYPE_H

#include <stdint.h>

#include "lib/base/arena.h"

enum at_tkind {
	AT_T_VOID,   /* a call that has no value */
	AT_T_NONE,   /* null: what an untouched map holds */
	AT_T_BOOL,
	AT_T_INT,
	AT_T_ENUM,   /* an int whose values have names */
	AT_T_STRING,
	AT_T_TUPLE,
	AT_T_STRUCT, /* args, records, kernel structs */
	AT_T_PTR,
	AT_T_ARRAY,
	AT_T_INET,   /* 20 bytes: u32 family (AF_INET, AF_INET6), 16 address bytes */
	AT_T_TIME,   /* u64 nanoseconds since 1970, 0: none; name: the format it is shown by */
	AT_T_AGG,    /* what an aggregation keeps in a map; see at_agg */
};

enum at_unit { AT_UNIT_NONE, AT_UNIT_NS };

struct at_type_field {
	const char *name; /* NULL in tuples */
	const struct at_type *type;
	unsigned offset;  /* bytes from the start of the struct */
	unsigned char bits, shift; /* of a bit field of a far struct: how many, after how many of that byte */
	const char *brief; /* for manuals and -lv; may be NULL */
};

struct at_enum_name {
	int64_t value;
	const char *name;
};

struct at_type {
	enum at_tkind kind;
	unsigned size;  /* bytes in memory; 0 for void */
	unsigned align;
	bool sign;      /* int, enum */
	bool far;       /* struct: of the kernel, its fields are looked up (at_lang.kernel_struct) */
	bool literal;   /* int: a literal, fits any type that can hold it */
	enum at_unit unit;
	const char *name; /* struct, enum: its name; time: its format; else NULL */
	const struct at_type *elem; /* ptr, array; agg: type of its argument, or NULL */
	const struct at_type_field *fields; /* tuple, struct */
	unsigned nfields;
	const struct at_enum_name *names; /* enum */
	unsigned nnames;
	unsigned id;    /* far struct: number in the kernel's BTF, 0: only its name is known */
	const struct at_func *func; /* agg: the aggregation */
	const int64_t *args; /* agg: its literal arguments (hist bits, lhist bounds) */
	unsigned nargs;
};

/* The common ones. */
extern const struct at_type at_type_void, at_type_none, at_type_bool, at_type_inet;
extern const struct at_type at_type_int8, at_type_int16, at_type_int32, at_type_int64;
extern const struct at_type at_type_uint8, at_type_uint16, at_type_uint32, at_type_uint64;
extern const struct at_type at_type_ns; /* uint64, unit ns */

const struct at_type *at_type_int(unsigned size, bool sign);
const struct at_type *at_type_string(struct at_arena *a, unsigned size); /* rounded up to 8 */
/* Fields in order with natural alignment; the tuple's size is a multiple of its alignment. */
const struct at_type *at_type_tuple(struct at_arena *a, const struct at_type *const *elems,
				    unsigned n);
const struct at_type_field *at_type_field(const struct at_type *t, const char *name);

bool at_type_equal(const struct at_type *a, const struct at_type *b);
static inline bool at_type_is_int(const struct at_type *t) /* usable as a 64-bit number */
{
	return t->kind == AT_T_INT || t->kind == AT_T_BOOL || t->kind == AT_T_ENUM;
}
/* A value of it is one 64-bit word when lowered; the others are addresses of bytes. */
static inline bool at_type_is_word(const struct at_type *t)
{
	return at_type_is_int(t) || t->kind == AT_T_PTR || t->kind == AT_T_TIME;
}
/* Are two ints computed and compared with sign? Literals take the other's. */
bool at_type_signed_pair(const struct at_type *a, const struct at_type *b);
/* "uint64", "string[64]", "(uint32,string[16])", "quantile_t", … */
const char *at_type_text(struct at_arena *a, const struct at_type *t);

#endif
