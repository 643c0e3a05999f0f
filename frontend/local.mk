# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += frontend/ir.c frontend/ir.h frontend/ir.def frontend/plan.c frontend/plan.h \
	frontend/dump.h frontend/dump_plan.c frontend/dump_ir.c
# Types, check, lowering.
libat_la_SOURCES += frontend/type.c frontend/type.h frontend/check.c frontend/check.h \
	frontend/check_int.h frontend/check_expr.c frontend/check_call.c frontend/check_map.c frontend/check_part.c \
	frontend/check_stmt.c frontend/check_type.c frontend/scope.c frontend/fold.c frontend/expand.c frontend/config.c \
	frontend/lower.c frontend/lower.h frontend/lower_int.h frontend/lower_stmt.c \
	frontend/lower_expr.c frontend/lower_string.c frontend/lower_map.c frontend/lower_part.c frontend/lower_frame.c \
	frontend/lower_hash.c frontend/lower_each.c

# The parser: generated at build time from the two grammars, which are what is distributed.
libat_la_SOURCES += frontend/parse.h frontend/parse.c frontend/token.c frontend/attachpt.c \
	frontend/ast.c frontend/ast.h frontend/ast.def frontend/dump_ast.c
nodist_libat_la_SOURCES = frontend/parser.c frontend/lexer.c
EXTRA_DIST += frontend/parser.y frontend/lexer.l
BUILT_SOURCES += frontend/parser.h
CLEANFILES += frontend/parser.c frontend/parser.h frontend/lexer.c

frontend/parser.c: frontend/parser.y
	$(AM_V_YACC)$(MKDIR_P) frontend && $(YACC) -Wno-yacc -d -o $@ $<
frontend/parser.h: frontend/parser.c
	@test -f $@ || { rm -f frontend/parser.c && $(MAKE) $(AM_MAKEFLAGS) frontend/parser.c; }
frontend/lexer.c: frontend/lexer.l
	$(AM_V_LEX)$(MKDIR_P) frontend && $(LEX) -o $@ $<
libat_la_SOURCES += frontend/lang.c frontend/lang.h
