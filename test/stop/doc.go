// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package stop holds one test over all components: each is started, brought to each
// place where it can wait, and stopped with a context that has no deadline.
package stop
