// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package postgres starts a real PostgreSQL for tests and benchmarks: a cluster of its own in a
// temporary directory, on a free port of localhost. It needs the server's
// programs (Debian: package postgresql); the server that the package brings is
// not used and need not run.
//
// Where they are not installed, tests skip, unless LEGATO_REQUIRE_POSTGRES is
// set: .ci/run sets it, so that nothing is skipped unseen.
package postgres
