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

// definition is one metric. The README's table is made of these.
type definition struct {
	name, unit, description string
	attributes              []string
	show                    func(o observe, g *events.Gauges, seen *combinations)
}

type observe func(value int64, options ...metric.ObserveOption)

var definitions = []definition{
	{
		name: names.MetricCallActive, unit: "{call}", description: "Meetings that are going on. One on several bridges counts once.",
		show: func(o observe, g *events.Gauges, _ *combinations) { o(g.Calls) },
	},
	{
		name: names.MetricCallRecording, unit: "{call}", description: "Meetings that are recorded.",
		show: func(o observe, g *events.Gauges, _ *combinations) { o(g.Recording) },
	},
	{
		name: names.MetricCallStreaming, unit: "{call}", description: "Meetings that are streamed.",
		show: func(o observe, g *events.Gauges, _ *combinations) { o(g.Streaming) },
	},
	{
		name: names.MetricCallLocked, unit: "{call}", description: "Meetings that are locked.",
		show: func(o observe, g *events.Gauges, _ *combinations) { o(g.Locked) },
	},
	{
		name: names.MetricParticipantActive, unit: "{participant}", description: "Participants of the meetings that are watched.",
		attributes: []string{names.KeyState, names.KeyDirection},
		show:       observeParticipants,
	},
}

// combinations are the label values that were seen: what was not zero once goes
// back to zero rather than away.
type combinations [events.StateLabels][events.DirectionLabels]bool

func newCombinations() *combinations {
	var c combinations
	c[events.Connected][events.Incoming] = true
	c[events.Connected][events.Outgoing] = true
	return &c
}

func observeParticipants(o observe, g *events.Gauges, seen *combinations) {
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

// participantOptions are the labels of each combination. One that was not sent
// is absent.
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

// instruments are the gauges of one server.
type instruments struct{}

// newInstruments makes the gauges of a server; read returns what they show now,
// nil if there is no picture of the server.
func newInstruments(meter metric.Meter, read func() *events.Gauges) (*instruments, error) {
	var errs error
	seen := newCombinations()
	for _, d := range definitions {
		_, err := meter.Int64ObservableGauge(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.description),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				if g := read(); g != nil {
					d.show(o.Observe, g, seen)
				}
				return nil
			}))
		errs = errors.Join(errs, err)
	}
	return new(instruments), errs
}
