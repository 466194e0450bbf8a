// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package testkit holds what tests of several components need: a storage
// extension in memory that can be made to fail, and a host to put it in. It is
// imported by tests only.
package testkit
