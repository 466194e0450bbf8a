// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the real binary: it starts dist/otelcol-legato as a process with a
// configuration of its own, feeds it with callsim as a process, and compares the output with
// callsim's truth. If a binary is not built yet, the tests run `make build`.
//
// Nothing of the project is imported: the tests check the view of a user: the names in files
// and on pages.
package e2e
