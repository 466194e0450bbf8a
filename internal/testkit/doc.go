// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package testkit helps tests of several components: a storage extension in memory that a
// test can make fail or wait, a host with extensions, and a consumer that measures memory.
// Only tests import it.
package testkit
