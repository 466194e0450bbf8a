// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"

	"github.com/legato-otel/legato/internal/archive/store"
)

// doubt says why a running meeting or leg may have ended: records of its bridge were lost.
type doubt struct {
	At      localTime
	Missing int64
}

func doubtOf(d store.Doubt) *doubt {
	if d.At.IsZero() {
		return nil
	}
	return &doubt{localTime{d.At}, d.Missing}
}

// setDoubts sets the doubts about running meetings.
func (p *conferencesPage) setDoubts(ctx context.Context, v *store.View) error {
	traces := make([]string, len(p.Running))
	for i := range p.Running {
		traces[i] = p.Running[i].TraceID
	}
	doubts, err := v.ConferenceDoubts(ctx, traces)
	for i := range p.Running {
		p.Running[i].Doubt = doubtOf(doubts[traces[i]])
	}
	return err
}

// setDoubts sets the doubts about running legs.
func (p *legsPage) setDoubts(ctx context.Context, v *store.View) error {
	legs := make([]string, len(p.Running))
	for i := range p.Running {
		legs[i] = p.Running[i].ID
	}
	doubts, err := v.LegDoubts(ctx, legs)
	for i := range p.Running {
		p.Running[i].Doubt = doubtOf(doubts[legs[i]])
	}
	return err
}

// countDoubts sets how many running meetings and legs are doubtful.
func (p *listPage) countDoubts(ctx context.Context, v *store.View) (err error) {
	if !p.ShowRunning {
		return nil
	}
	p.Doubts, err = v.Doubts(ctx)
	p.Doubt = doubtOf(p.Doubts.Newest)
	return err
}
