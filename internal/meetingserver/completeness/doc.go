// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package completeness detects missing call detail records of a Call Bridge. It compares two
// numbers: how many records the bridge has created, which its API reports, and up to which
// record each receiver of this process has accounted for them.
//
// Receivers [Register] a function that returns their positions. The scraper of the API passes
// each observation, with the [Positions], to the [Watch] of the bridge. The components do not
// know each other. The owner of a position is asked each time, so that there is no copy.
// Nothing waits; the caller passes the time.
//
// # Missing records
//
// A receiver whose position moves is catching up; it counts gaps between the records that
// arrive itself. Records are missing at a receiver only if its position does not move while
// there are records that it should have got:
//
//	behind  the position is below the number of records that the bridge had created
//	        MaxDelay ago
//	silent  the bridge has created records since, but the position belongs to a former run
//	        of the bridge, or there is none
//
// A Watch reports nothing for [StartupGrace] after its first observation and after a start of
// the bridge, while a backlog arrives.
//
// TestFaultlessDays and TestFaultyDays simulate days of bridges and receivers.
package completeness
