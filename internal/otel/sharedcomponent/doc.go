// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package sharedcomponent shares one component instance between several signals. The
// Collector creates a receiver once for its logs and once for its metrics, but both come
// from one listener.
//
// # Order
//
// The key is the address of the configuration, which is the same for all signals of one
// component id. The first Start starts the instance; each Start returns its error. The
// first Shutdown stops the instance and removes the key, so that the same configuration can
// make a new instance. Shutdown without Start is allowed. The host of each signal gets all
// status events, in one order.
//
// # Who may block
//
// Start and Shutdown of later signals wait for the first call. Tests use instances that
// count their calls.
package sharedcomponent
