// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

// Each concern draws from a random stream of its own, so that restarts, for example, do not
// change who is invited.
const (
	streamEvents uint64 = iota + 1
	streamRestarts
	streamClocks
	streamBehavior
	streamEstate
)
