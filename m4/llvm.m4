dnl SPDX-License-Identifier: Apache-2.0
dnl AT_LLVM: finds LLVM's C API with the BPF target, 14 or later. Sets LLVM_CPPFLAGS, LLVM_LIBS,
dnl LLVM_LDFLAGS, LLVM_VERSION and LLVM_LINKAGE (static or shared).
dnl
dnl There is no pkg-config file for LLVM. Of its system libraries only those that the needed
dnl archives use are taken: llvm-config --system-libs names more (z3, xml2) than is linked.

AC_DEFUN([AT_LLVM], [
AC_ARG_WITH([llvm],
	[AS_HELP_STRING([--with-llvm=auto|static|shared],
		[how the code generator links LLVM (14 or later); auto, the default, is static where
		 LLVM's archives are installed, which starts faster and needs less memory])],
	[], [with_llvm=auto])
AC_ARG_VAR([LLVM_CONFIG],
	[the llvm-config to use (default: the highest version found of llvm-config-22 to -14, then
	 llvm-config)])
dnl AC_PATH_PROGS takes a value of the variable only when it is a path: a name is looked up first,
dnl or another version than the one asked for would be taken silently.
AS_CASE([$LLVM_CONFIG], [''|*/*], [],
	[at_llvm_named=$LLVM_CONFIG
	 AS_UNSET([LLVM_CONFIG])
	 AC_PATH_PROG([LLVM_CONFIG], [$at_llvm_named], [no])
	 AS_IF([test "x$LLVM_CONFIG" = xno],
		[AC_MSG_ERROR([LLVM_CONFIG is "$at_llvm_named", and there is no such program])])])
AC_PATH_PROGS([LLVM_CONFIG], [llvm-config-22 llvm-config-21 llvm-config-20 llvm-config-19 dnl
llvm-config-18 llvm-config-17 llvm-config-16 llvm-config-15 llvm-config-14 llvm-config], [no])
AS_IF([test "x$LLVM_CONFIG" = xno],
	[AC_MSG_ERROR([LLVM 14 or later is needed, no llvm-config found (Debian: apt-get install llvm-14-dev; or set LLVM_CONFIG)])])
AS_CASE([$with_llvm], [auto|static|shared], [],
	[AC_MSG_ERROR([--with-llvm takes auto, static or shared, not "$with_llvm"])])

AC_MSG_CHECKING([for the version of LLVM])
LLVM_VERSION=`"$LLVM_CONFIG" --version 2>/dev/null | sed 1q`
at_llvm_major=`echo "$LLVM_VERSION" | sed 's/\..*//'`
AC_MSG_RESULT([$LLVM_VERSION ($LLVM_CONFIG)])
AS_IF([test "0$at_llvm_major" -ge 14 2>/dev/null], [],
	[AC_MSG_ERROR([LLVM 14 or later is needed, $LLVM_CONFIG is "$LLVM_VERSION" (set LLVM_CONFIG to another)])])
AS_CASE([" `"$LLVM_CONFIG" --targets-built` "], [*" BPF "*], [],
	[AC_MSG_ERROR([this LLVM ($LLVM_CONFIG) was built without the BPF target])])

LLVM_CPPFLAGS="-isystem `"$LLVM_CONFIG" --includedir`"
at_save_CPPFLAGS=$CPPFLAGS
CPPFLAGS="$CPPFLAGS $LLVM_CPPFLAGS"
AC_CHECK_HEADER([llvm-c/Transforms/PassBuilder.h], [],
	[AC_MSG_ERROR([the headers of LLVM $LLVM_VERSION are missing (Debian: apt-get install llvm-$at_llvm_major-dev)])])

LLVM_LINKAGE=
AS_IF([test "$with_llvm" != shared], [AT_LLVM_STATIC])
AS_IF([test -z "$LLVM_LINKAGE" && test "$with_llvm" != static], [AT_LLVM_SHARED])
AS_IF([test "$with_llvm,$LLVM_LINKAGE" = auto,shared],
	[AC_MSG_WARN([LLVM's archives do not link, so its shared library is used, which starts slower (config.log says what is missing; of Debian's packages often libzstd-dev)])])
CPPFLAGS=$at_save_CPPFLAGS
AS_IF([test "x$LLVM_LINKAGE" = xstatic], [LLVM_CPPFLAGS="$LLVM_CPPFLAGS -DAT_LLVM_IS_OURS"])
AS_IF([test -z "$LLVM_LINKAGE"],
	[AC_MSG_ERROR([LLVM $LLVM_VERSION does not link ($with_llvm); config.log has the linker's words])])

AC_SUBST([LLVM_CPPFLAGS])
AC_SUBST([LLVM_LDFLAGS])
AC_SUBST([LLVM_LIBS])
AC_SUBST([LLVM_VERSION])
])

dnl AT_LLVM_TRY(LIBS, IF-IT-LINKS)
AC_DEFUN([AT_LLVM_TRY], [
at_save_LIBS=$LIBS
LIBS="$1 $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
], [
	LLVMInitializeBPFTarget();
	LLVMInitializeBPFAsmParser();
	return LLVMRunPasses(0, "", 0, LLVMCreatePassBuilderOptions()) != 0;
])], [LIBS=$at_save_LIBS; $2], [LIBS=$at_save_LIBS])
])

AC_DEFUN([AT_LLVM_STATIC], [
AC_MSG_CHECKING([whether LLVM links statically])
at_archives=`"$LLVM_CONFIG" --link-static --libs bpfcodegen bpfasmparser passes target analysis core 2>/dev/null`
at_libdir=`"$LLVM_CONFIG" --libdir`
AS_IF([test -n "$at_archives"], [
	for at_more in "-lz -ltinfo" "-lz -lzstd -ltinfo" "-lz" "" \
		"`"$LLVM_CONFIG" --link-static --system-libs 2>/dev/null`"; do
		at_libs="-L$at_libdir $at_archives -lstdc++ $at_more -lm -ldl -lpthread"
		AS_IF([test -z "$LLVM_LINKAGE"], [AT_LLVM_TRY([$at_libs],
			[LLVM_LINKAGE=static; LLVM_LIBS=$at_libs])])
	done
])
AS_IF([test -n "$LLVM_LINKAGE"], [AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
])

AC_DEFUN([AT_LLVM_SHARED], [
AC_MSG_CHECKING([whether LLVM links as a shared library])
at_libs="-L`"$LLVM_CONFIG" --libdir` `"$LLVM_CONFIG" --link-shared --libs 2>/dev/null`"
AT_LLVM_TRY([$at_libs], [LLVM_LINKAGE=shared; LLVM_LIBS=$at_libs])
AS_IF([test -n "$LLVM_LINKAGE"], [AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
])
