// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/names"
)

// definition is one metric; the README's table is generated from these.
type definition struct {
	name, unit, description string
	attributes              []string
	observe                 func(o observeFunc, g *events.Gauges, seen *seenLabels)
}

type observeFunc func(value int64, options ...metric.ObserveOption)

var definitions = []definition{
	{
		name: names.MetricCallActive, unit: "{call}", description: "Meetings that are going on. One on several bridges counts once.",
		observe: func(o observeFunc, g *events.Gauges, _ *seenLabels) { o(g.Calls) },
	},
	{
		name: names.MetricCallRecording, unit: "{call}", description: "Meetings that are recorded.",
		observe: func(o observeFunc, g *events.Gauges, _ *seenLabels) { o(g.Recording) },
	},
	{
		name: names.MetricCallStreaming, unit: "{call}", description: "Meetings that are streamed.",
		observe: func(o observeFunc, g *events.Gauges, _ *seenLabels) { o(g.Streaming) },
	},
	{
		name: names.MetricCallLocked, unit: "{call}", description: "Meetings that are locked.",
		observe: func(o observeFunc, g *events.Gauges, _ *seenLabels) { o(g.Locked) },
	},
	{
		name: names.MetricParticipantActive, unit: "{participant}", description: "Participants of the meetings that are watched.",
		attributes: []string{names.KeyState, names.KeyDirection},
		observe:    observeParticipants,
	},
}

// seenLabels are the label combinations that had a value: such a series returns to zero
// rather than disappear.
type seenLabels [events.StateLabels][events.DirectionLabels]bool

func newSeenLabels() *seenLabels {
	var c seenLabels
	c[events.Connected][events.Incoming] = true
	c[events.Connected][events.Outgoing] = true
	return &c
}

func observeParticipants(o observeFunc, g *events.Gauges, seen *seenLabels) {
	for s := range g.Participants {
		for d, n := range g.Participants[s] {
			if n > 0 {
				seen[s][d] = true
			}
			if seen[s][d] {
				o(n, participantOptions[s][d])
			}
		}
	}
}

// participantOptions are the labels of each combination. A label that the server did not
// send is absent.
var participantOptions = func() (all [events.StateLabels][events.DirectionLabels]metric.ObserveOption) {
	for s := range events.StateLabels {
		for d := range events.DirectionLabels {
			var labels []attribute.KeyValue
			if s != events.NoState {
				labels = append(labels, attribute.String(names.KeyState, labelOf(s.String())))
			}
			if d != events.NoDirection {
				labels = append(labels, attribute.String(names.KeyDirection, labelOf(d.String())))
			}
			all[s][d] = metric.WithAttributeSet(attribute.NewSet(labels...))
		}
	}
	return all
}()

func labelOf(word string) string {
	if word == "" {
		return names.Other
	}
	return word
}

// instruments are the gauges of one server. Their callbacks hold all state.
type instruments struct{}

// newInstruments registers the gauges of a server. read returns their current values, or
// nil if there are none.
func newInstruments(meter metric.Meter, read func() *events.Gauges) (*instruments, error) {
	var errs error
	seen := newSeenLabels()
	for _, d := range definitions {
		_, err := meter.Int64ObservableGauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				if g := read(); g != nil {
					d.observe(o.Observe, g, seen)
				}
				return nil
			}))
		errs = errors.Join(errs, err)
	}
	return new(instruments), errs
}
