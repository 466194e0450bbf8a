// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package outage has tests of an archive whose database is away for long, with the real
// queue on the disk and a real PostgreSQL.
package outage
