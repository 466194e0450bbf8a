// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/legato-otel/legato/internal/archive/store"
)

// apiLive are the live rows of running legs, as far as they are known.
type apiLive struct {
	States    []json.RawMessage `json:"leg_states,omitempty"`
	Qualities []json.RawMessage `json:"leg_qualities,omitempty"`
	// Doubts whether legs run, by their ids.
	Doubts map[string]store.Doubt `json:"leg_doubts,omitempty"`
}

// apiLiveOf reads the live rows of legs.
func apiLiveOf(ctx context.Context, v *store.View, legs []store.Leg) (*apiLive, error) {
	qualities, err := v.Quality(ctx, legs)
	if err != nil {
		return nil, err
	}
	states, err := v.LegStates(ctx, legs)
	if err != nil {
		return nil, err
	}
	doubts, err := v.LegDoubts(ctx, legs)
	if err != nil {
		return nil, err
	}
	return apiLiveRows(legs, states, qualities, doubts)
}

// apiLiveRows are the live rows in the order of their legs. A participant with several
// legs has one state.
func apiLiveRows(legs []store.Leg, states map[string]store.LegState, qualities map[string]store.LegQuality, doubts map[string]store.Doubt) (*apiLive, error) {
	var stateRows []store.LegState
	var qualityRows []store.LegQuality
	written := map[string]bool{}
	for i := range legs {
		if s, known := states[legs[i].ID]; known && !written[s.ID] {
			written[s.ID] = true
			stateRows = append(stateRows, s)
		}
		if q, known := qualities[legs[i].ID]; known {
			qualityRows = append(qualityRows, q)
		}
	}
	live := &apiLive{Doubts: doubts}
	return live, errors.Join(apiRowsOf(stateRows, &live.States), apiRowsOf(qualityRows, &live.Qualities))
}

// apiMeetings is the list of meetings, with the doubts whether they run.
func apiMeetings(ctx context.Context, r *apiRequest) (any, error) {
	found, err := readList(ctx, r, (*store.View).Conferences)
	if err != nil {
		return nil, err
	}
	page, err := apiPageOf(r, &found)
	if err != nil {
		return nil, err
	}
	page.Doubts, err = r.view.ConferenceDoubts(ctx, found.Rows)
	return page, err
}

// apiLegs is the list of legs; running legs have their live rows.
func apiLegs(ctx context.Context, r *apiRequest) (any, error) {
	found, err := readList(ctx, r, (*store.View).Legs)
	if err != nil {
		return nil, err
	}
	page, err := apiPageOf(r, &found)
	if err != nil {
		return nil, err
	}
	page.apiLive, err = apiLiveOf(ctx, r.view, found.Rows)
	return page, err
}
