// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package completeness finds out whether all call detail records of a Call Bridge
// arrive, from two numbers: how many records the bridge has created, which its API
// tells, and how far they are accounted for at each receiver of this process.
//
// Receivers [Register] how their positions are read; whoever scrapes the API gives
// what it read, together with [Positions], to the [Watch] of the bridge. Neither
// component knows the other, and the owner of a position is asked for it each time,
// so that there is no second copy of it.
//
// # When records are missing
//
// A position that moves is catching up, whatever it is: records between two that
// arrived are counted as missing by the receiver itself. So records are missing at
// a receiver only if its position stands still while there are records that it
// should have had for a while:
//
//	behind  what the bridge had created by then is above the position
//	silent  the bridge has created records since, though its numbers say nothing: the
//	        position is that of a former run of the bridge, or there is none
//
// A Watch is silent for [Settle] after it begins and after the bridge started, when
// a backlog comes in.
package completeness
