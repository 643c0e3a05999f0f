# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += man/apitrace.1 man/apitrace.5
