// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The state of a participant is merged element by element: an event about a change has
// the changed elements only, and events of one participant may be written in any order.
// Each element has the value of the newest event that has it. So a row is a function of
// the set of its events, whatever their order.
//
// The key is the participant, not the leg: an event often comes before the record of the
// leg's start, and names the participant only.

var legStates = table[LegState]{
	name:    "leg_state",
	about:   "What a participant of a running leg does now, if `cmsevents` follows its Call Bridge. A participant has a row until its legs have ended.",
	columns: columnsOf[LegState](),
}

// versionsColumn has the version of each element as JSON. Only the store reads it.
const versionsColumn = "versions"

// firstElement is the first column of an element in legStates.columns: those before it
// are the key and the time of the row.
const firstElement = 2

// LegChangeKind is the kind of an event about a participant.
type LegChangeKind uint8

// Kinds of a [LegChange]. Of events of one time the kind with the larger number is the
// newer one.
const (
	// LegAdded has all elements of a participant: an element that it does not have is
	// unset.
	LegAdded LegChangeKind = iota
	// LegUpdated has the elements that changed.
	LegUpdated
	// LegRemoved unsets all elements: the participant left, or is no longer watched.
	LegRemoved
)

// LegChange is an event about a participant.
type LegChange struct {
	LegState
	Kind LegChangeKind
	// Elements are the columns of LegState that an update has.
	Elements []string
	// LegSpanID is the span of the participant's leg, or of something else if the leg
	// was not known.
	LegSpanID string
}

// has reports whether a change sets an element.
func (c *LegChange) has(element string) bool {
	return c.Kind != LegUpdated || slices.Contains(c.Elements, element)
}

// stateVersion orders the events that set an element.
type stateVersion struct {
	Nanoseconds int64         `json:"t"`
	Kind        LegChangeKind `json:"k,omitempty"`
}

func (v stateVersion) compare(other stateVersion) int {
	return cmp.Or(cmp.Compare(v.Nanoseconds, other.Nanoseconds), cmp.Compare(v.Kind, other.Kind))
}

// participantState is the row of a participant, with the version of each element.
type participantState struct {
	row      LegState
	versions map[string]stateVersion
	stored   bool
	changed  bool
}

// merge applies a change to those elements for which it is the newest change.
func (s *participantState) merge(c *LegChange) {
	version := stateVersion{c.At.UnixNano(), c.Kind}
	for i := range legStates.columns[firstElement:] {
		column := &legStates.columns[firstElement+i]
		if !c.has(column.name) {
			continue
		}
		to, from := column.field(&s.row), column.field(&c.LegState)
		known, has := s.versions[column.name]
		if order := version.compare(known); has && (order < 0 || order == 0 && compareElements(from, to) <= 0) {
			continue
		}
		copyElement(to, from)
		s.versions[column.name] = version
		s.changed = true
	}
	// Both databases keep milliseconds.
	if at := c.At.Truncate(time.Millisecond); at.After(s.row.At) {
		s.row.At, s.changed = at, true
	}
}

// compareElements orders the values of an element, unset before all others. It decides
// between events of one time and kind.
func compareElements(a, b any) int {
	switch a := a.(type) {
	case *string:
		return cmp.Compare(*a, *b.(*string))
	case **bool:
		return cmp.Compare(rankBool(*a), rankBool(*b.(**bool)))
	default:
		return 0
	}
}

func rankBool(v *bool) int {
	switch {
	case v == nil:
		return 0
	case !*v:
		return 1
	default:
		return 2
	}
}

func copyElement(to, from any) {
	switch to := to.(type) {
	case *string:
		*to = *from.(*string)
	case **bool:
		*to = *from.(**bool)
	}
}

// writeLegStates merges the changes of a batch, and deletes the states of participants
// whose legs have ended. It runs no query as long as the table has no rows.
func (s *Store) writeLegStates(ctx context.Context, w *write, b *Batch) error {
	if err := w.mergeLegChanges(ctx, b.LegChanges); err != nil {
		return err
	}
	s.hasLegStates = s.hasLegStates || len(b.LegChanges) > 0
	if !s.hasLegStates || len(w.endedParticipants) == 0 {
		return nil
	}
	_, err := w.tx.exec(ctx, "DELETE FROM leg_state WHERE "+w.dialect.in("id", "$1")+" AND "+noRunningLeg, w.dialect.list(w.endedParticipants))
	return err
}

// noRunningLeg is the condition that no running leg has the participant of a state.
const noRunningLeg = "NOT EXISTS (SELECT 1 FROM call_legs WHERE call_legs.participant_id = leg_state.id AND call_legs.state = 'running')"

// mergeLegChanges merges changes into the states of their participants.
func (w *write) mergeLegChanges(ctx context.Context, changes []LegChange) error {
	if len(changes) == 0 {
		return nil
	}
	ended, err := w.endedSpans(ctx, changes)
	if err != nil {
		return err
	}
	states, err := w.loadLegStates(ctx, changes)
	if err != nil {
		return err
	}
	var order []string
	for i := range changes {
		c := &changes[i]
		if ended[c.LegSpanID] {
			w.result.Unchanged++
			continue
		}
		state := states[c.ID]
		if state == nil {
			state = &participantState{row: LegState{ID: c.ID}, versions: map[string]stateVersion{}}
			states[c.ID] = state
		}
		before := state.changed
		if state.merge(c); !state.changed {
			w.result.Unchanged++
		} else if !before {
			order = append(order, c.ID)
		}
	}
	return w.putLegStates(ctx, order, states)
}

// endedSpans returns which of the changes' spans are of legs that have ended and whose
// participants have no running leg.
func (w *write) endedSpans(ctx context.Context, changes []LegChange) (map[string]bool, error) {
	var spans []string
	for i := range changes {
		if span := changes[i].LegSpanID; span != "" {
			spans = append(spans, span)
		}
	}
	slices.Sort(spans)
	spans = slices.Compact(spans)
	if len(spans) == 0 {
		return nil, nil //nolint:nilnil // an empty map reads the same
	}
	found, err := w.keys(ctx, "SELECT span_id FROM call_legs WHERE "+w.dialect.in("span_id", "$1")+" AND state <> 'running'"+
		" AND NOT EXISTS (SELECT 1 FROM call_legs AS other WHERE other.participant_id = call_legs.participant_id AND other.state = 'running')", w.dialect.list(spans))
	if err != nil {
		return nil, err
	}
	ended := make(map[string]bool, len(found))
	for _, span := range found {
		ended[span] = true
	}
	return ended, nil
}

// loadLegStates reads the states that changes are about.
func (w *write) loadLegStates(ctx context.Context, changes []LegChange) (map[string]*participantState, error) {
	ids := make([]string, 0, len(changes))
	for i := range changes {
		ids = append(ids, changes[i].ID)
	}
	slices.Sort(ids)
	found, err := w.tx.query(ctx, "SELECT id, at, state, audio_muted, video_muted, presenting, active_speaker, endpoint_recording, layout, versions FROM leg_state WHERE "+
		w.dialect.in("id", "$1"), w.dialect.list(slices.Compact(ids)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	states := make(map[string]*participantState)
	for found.Next() {
		state := &participantState{stored: true}
		var versions string
		if err := found.Scan(append(legStates.targets(&state.row, scanTarget), scanTarget(&versions))...); err != nil {
			return nil, err
		}
		if json.Unmarshal([]byte(versions), &state.versions) != nil || state.versions == nil {
			// Another program wrote to it: events from now on are newer.
			state.versions = map[string]stateVersion{}
		}
		states[state.row.ID] = state
	}
	return states, found.Err()
}

// putLegStates writes the states that changed.
func (w *write) putLegStates(ctx context.Context, changed []string, states map[string]*participantState) error {
	if len(changed) == 0 {
		return nil
	}
	rows := make([]tableRow, 0, len(changed))
	for _, id := range changed {
		state := states[id]
		versions, err := json.Marshal(state.versions)
		if err != nil {
			return err
		}
		rows = append(rows, tableRow{values: append(legStates.values(&state.row, w.dialect.instant, 1), string(versions)), mayExist: state.stored})
	}
	w.result.Changed += len(rows)
	return w.tx.put(ctx, legStates.name, append(legStates.names(), versionsColumn), rows)
}

// LiveGrace is how long the live rows of a participant without a running leg are kept:
// the record of the leg's start may be on its way.
const LiveGrace = time.Hour

// ExpireLive deletes the states of participants without a running leg whose newest event
// came before a time, LiveGrace ago: their leg's start was lost, or the removal came
// after the leg's end.
func (s *Store) ExpireLive(ctx context.Context, before time.Time) (deleted int, err error) {
	for {
		n, err := s.expireOnce(ctx, before, map[string]int64{}, (*write).expireLegStates)
		deleted += n
		if err != nil || n < ExpireStep {
			return deleted, err
		}
	}
}

func (w *write) expireLegStates(ctx context.Context, before time.Time, deleted map[string]int64) (int, error) {
	return w.expireRows(ctx, legStates.name, "at < $1 AND "+noRunningLeg, "at", deleted, w.dialect.instant(before))
}

// LegStates returns the known states of the participants of running legs, by the leg's id.
func (v *View) LegStates(ctx context.Context, of []Leg) (map[string]LegState, error) {
	var ids []string
	for i := range of {
		if of[i].State == StateRunning && of[i].ParticipantID != "" && len(ids) < maxQualities {
			ids = append(ids, of[i].ParticipantID)
		}
	}
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // an empty map reads the same
	}
	rows, err := Select[LegState](ctx, v, fmt.Sprintf("WHERE %s LIMIT %d", v.d.in("id", "$1"), maxQualities), v.d.list(ids))
	if err != nil {
		return nil, err
	}
	byParticipant := make(map[string]LegState, len(rows))
	for i := range rows {
		byParticipant[rows[i].ID] = rows[i]
	}
	all := make(map[string]LegState, len(rows))
	for i := range of {
		if state, known := byParticipant[of[i].ParticipantID]; known && of[i].State == StateRunning {
			all[of[i].ID] = state
		}
	}
	return all, nil
}

// ConferenceState is the known state of the participants of a running meeting.
type ConferenceState struct {
	// Ringing, OnHold and Muted are how many participants.
	Ringing, OnHold, Muted int64
	// Presenter and Speaker are the name of one who does so, else the address; empty if none
	// does.
	Presenter, Speaker string
}

// ConferenceStates returns the states of running meetings, by trace.
func (v *View) ConferenceStates(ctx context.Context, traces []string) (map[string]ConferenceState, error) {
	if len(traces) == 0 {
		return nil, nil //nolint:nilnil // an empty map reads the same
	}
	all := make(map[string]ConferenceState)
	err := v.each(ctx, func(found *sql.Rows) error {
		var trace string
		var c ConferenceState
		if err := found.Scan(&trace, &c.Ringing, &c.OnHold, &c.Muted, scanTarget(&c.Presenter), scanTarget(&c.Speaker)); err != nil {
			return err
		}
		all[trace] = c
		return nil
	}, `SELECT l.trace_id, COUNT(DISTINCT CASE WHEN s.state IN ('initial', 'ringing') THEN s.id END), COUNT(DISTINCT CASE WHEN s.state = 'onHold' THEN s.id END),
  COUNT(DISTINCT CASE WHEN s.audio_muted THEN s.id END),
  MIN(CASE WHEN s.presenting THEN COALESCE(l.display_name, l.remote_party) END), MIN(CASE WHEN s.active_speaker THEN COALESCE(l.display_name, l.remote_party) END)
FROM leg_state AS s JOIN call_legs AS l ON l.participant_id = s.id AND l.state = 'running'
WHERE `+v.d.in("l.trace_id", "$1")+` AND COALESCE(l.role, 'participant') = 'participant' GROUP BY l.trace_id`, v.d.list(traces))
	return all, err
}
