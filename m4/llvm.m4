dnl SPDX-License-Identifier: Apache-2.0
dnl AT_LLVM: finds LLVM's C API with the BPF target (14 or later); sets LLVM_CFLAGS, LLVM_LIBS,
dnl LLVM_VERSION. --with-llvm=auto|static|shared; $LLVM_CONFIG names the llvm-config to use.
AC_DEFUN([AT_LLVM], [
LLVM_CONFIG=${LLVM_CONFIG:-llvm-config-14}
LLVM_CFLAGS=`$LLVM_CONFIG --cflags`
LLVM_LIBS="-L`$LLVM_CONFIG --libdir` `$LLVM_CONFIG --libs`"
LLVM_VERSION=`$LLVM_CONFIG --version`
AC_SUBST([LLVM_CFLAGS])
AC_SUBST([LLVM_LIBS])
AC_SUBST([LLVM_VERSION])
])
