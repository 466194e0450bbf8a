// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/wire"
)

// Gap is a loss as an acknowledged record reports it.
type Gap struct {
	// Index is the correlator index of the record that carries the count.
	Index uint64 `json:"index"`
	// Missing is how many records directly before it were discarded.
	Missing uint64 `json:"missing"`
}

// Report is the outcome of the records of one session. Every index below Generated is in
// exactly one of the sets.
type Report struct {
	Session      string
	Generated    uint64
	LastRecord   time.Time // time of the last record generated
	Acknowledged Ranges    // answered with 200
	Quarantined  []uint64  // answered with 200, but damaged
	Dropped      Ranges    // lost to overflow
	InDoubt      Ranges    // sent, never answered with 200
	Unsent       Ranges    // never sent
	Gaps         []Gap     // acknowledged ones
}

// run is a session of the bridge and the state of its records.
type run struct {
	Report
	legacy  uint64 // last recordIndex given
	pending uint64 // dropped records that no waiting record reports yet
}

// recordAcknowledged counts a record that a 200 released.
func (r *run) recordAcknowledged(n wire.Numbered) {
	if n.Damage != wire.Intact {
		r.Quarantined = append(r.Quarantined, n.Correlator)
		return
	}
	r.Acknowledged.Add(n.Correlator)
	if n.Missing > 0 {
		r.Gaps = append(r.Gaps, Gap{Index: n.Correlator, Missing: n.Missing})
	}
}
