// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// Events about a record on the wire that are no record of their own.
const (
	eventMalformed = "record.malformed"
	eventGap       = "record.gap"
	eventSession   = "session.start"
)

// compareRecords demands that the output has each record that was answered with 200 once, good
// ones as themselves and damaged ones in quarantine, and that no other did. Of a record in
// doubt (sent, and never answered) either is right.
func compareRecords(r *Report, got *truth.Truth, all []Record) {
	type identity struct {
		session string
		index   uint64
		damaged bool
	}
	came := map[identity]int{}
	for _, record := range all {
		switch record.Event {
		case eventGap, eventSession:
		default:
			came[identity{record.Session, record.Index, record.Event == eventMalformed}]++
		}
	}
	hold := func(session string, index uint64, damaged, required bool) {
		id := identity{session, index, damaged}
		n, subject := came[id], fmt.Sprintf("record %d of session %s", index, session)
		delete(came, id)
		if required {
			r.Compared["record"]++
		}
		switch {
		case n == 0 && required:
			r.add(Missing, subject, "it was answered with 200")
		case n > 1:
			r.add(Twice, subject, "%d times", n)
		}
	}
	for i := range got.Bridges {
		for _, s := range got.Bridges[i].Sessions {
			for _, span := range s.Acknowledged {
				for index := span[0]; index <= span[1]; index++ {
					hold(s.Session, index, false, true)
				}
			}
			for _, index := range s.Quarantined {
				hold(s.Session, index, true, true)
			}
			for _, span := range s.InDoubt {
				for index := span[0]; index <= span[1]; index++ {
					hold(s.Session, index, false, false)
					hold(s.Session, index, true, false)
				}
			}
		}
	}
	for id := range came {
		r.add(Unknown, fmt.Sprintf("record %d of session %s", id.index, id.session), "no bridge of the simulation had it taken")
	}
}
