// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
	"github.com/legato-otel/legato/cmd/callsim/internal/events"
)

// Account is the outcome of the records of one bridge.
type Account struct {
	Sessions     []bridge.Report
	Acknowledged map[string]uint64 // good records by type
	Garbage      [][]byte
}

// Truth joins the events of the scenario with the outcome of the records. The accounts are in
// the order of the scenario's bridges. It may be called once. [Recorder.Events] adds the truth
// of the event servers.
func (r *Recorder) Truth(seed uint64, accounts []Account) Truth {
	t := Truth{
		Seed: seed, Bridges: []Bridge{}, Garbage: []Garbage{}, Counts: map[string]uint64{},
		Calls: orEmpty(r.calls), Legs: orEmpty(r.legs),
		Recordings: orEmpty(r.recordings), Streamings: orEmpty(r.streamings),
		Conferences: orEmpty(conferences(r.calls)),
	}
	got := map[string]bridge.Ranges{} // acknowledged indices by session
	for i, a := range accounts {
		t.addBridge(r.bridges[i].Name, r.bridges[i].CallBridge, a)
		for _, s := range a.Sessions {
			got[s.Session] = s.Acknowledged
		}
	}
	for _, l := range r.lives() {
		l.LostRecords = !containsAll(got[l.Session], l.records)
	}
	return t
}

// Events is the truth about the Events servers, nil without them. The accounts
// are in the order of the scenario's bridges.
func (r *Recorder) Events(accounts []events.Account) *Events {
	if r.rosters == nil {
		return nil
	}
	return r.rosters.result(accounts)
}

// Write writes the truth as indented JSON.
func (t Truth) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(t)
}

func (t *Truth) addBridge(name, callBridge string, a Account) {
	b := Bridge{Name: name, CallBridge: callBridge}
	for _, report := range a.Sessions {
		b.Sessions = append(b.Sessions, session(report))
		for _, gap := range report.Gaps {
			t.Missing += gap.Missing
		}
		t.Interrupted = t.Interrupted || len(report.InDoubt)+len(report.Unsent) > 0
	}
	t.Bridges = append(t.Bridges, b)
	for kind, n := range a.Acknowledged {
		t.Counts[kind] += n
	}
	for _, body := range a.Garbage {
		sum := sha256.Sum256(body)
		t.Garbage = append(t.Garbage, Garbage{Bridge: name, Bytes: body, SHA256: hex.EncodeToString(sum[:])})
	}
}

func session(r bridge.Report) Session {
	s := Session{
		Session: r.Session, Generated: r.Generated,
		Acknowledged: orEmpty(r.Acknowledged), Quarantined: orEmpty(r.Quarantined),
		Dropped: orEmpty(r.Dropped), InDoubt: orEmpty(r.InDoubt), Unsent: orEmpty(r.Unsent),
		Gaps: orEmpty(r.Gaps),
	}
	if r.Generated > 0 {
		s.LastRecordTime = &r.LastRecord
	}
	return s
}

// orEmpty makes an empty list of none, which JSON writes as [] rather than null.
func orEmpty[S ~[]E, E any](s S) S {
	if s == nil {
		return S{}
	}
	return s
}

// lives lists all objects.
func (r *Recorder) lives() []*Life {
	var lives []*Life
	for _, c := range r.calls {
		lives = append(lives, &c.Life)
	}
	for _, l := range r.legs {
		lives = append(lives, &l.Life)
	}
	for _, services := range [][]*Service{r.recordings, r.streamings} {
		for _, s := range services {
			lives = append(lives, &s.Life)
		}
	}
	return lives
}

func containsAll(got bridge.Ranges, wanted []uint64) bool {
	for _, index := range wanted {
		if !got.Has(index) {
			return false
		}
	}
	return true
}
