// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package sharedcomponent lets one component instance serve several signals: a receiver
// whose logs and metrics come from one listener is created once for each, but
// must listen once.
//
// The key is the configuration's address, which the Collector hands to all
// signals of one component id. The first Start starts the instance and its
// error is every signal's error; the first Shutdown stops it and forgets the
// key, so that the same configuration can be used for a new instance. Shutdown
// without Start is allowed. Status events reach the host of every signal.
package sharedcomponent
