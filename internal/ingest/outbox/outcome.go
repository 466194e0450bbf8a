// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Outcome of a part: the attribute "outcome" of a receiver's counter of records.
type Outcome uint8

// The outcomes.
const (
	Accepted  Outcome = iota
	Duplicate         // accepted before
	Refused           // by the next consumer, with an error that is not permanent
	Malformed         // quarantined: it cannot be decoded, or the consumer refused it permanently
	Unknown           // accepted, of a type that is not documented
	Lost              // refused permanently by the consumer, in quarantine too
	outcomeCount
)

var outcomeNames = [outcomeCount]string{"accepted", "duplicate", "refused", "malformed", "unknown", "lost"}

// String returns the outcome as the counter of records has it.
func (o Outcome) String() string { return outcomeNames[o] }

var outcomeOptions = func() (options [outcomeCount][]metric.AddOption) {
	for outcome, name := range outcomeNames {
		options[outcome] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", name)))}
	}
	return options
}()

// OutcomeOf returns the outcome of a part of the chunk; decoded is the outcome of a new
// part that is not quarantined.
func (c *Chunk) OutcomeOf(isDuplicate bool, decoded Outcome) Outcome {
	switch {
	case isDuplicate:
		return Duplicate
	case c.Lost:
		return Lost
	case c.QuarantineReason != nil:
		return Malformed
	default:
		return decoded
	}
}

// Outcomes counts parts by their outcome.
type Outcomes [outcomeCount]int64

// AddTo adds the counts to a receiver's counter of records.
func (o *Outcomes) AddTo(ctx context.Context, counter metric.Int64Counter) {
	for outcome, n := range o {
		if n > 0 {
			counter.Add(ctx, n, outcomeOptions[outcome]...)
		}
	}
}

// AddZeros adds 0 for each outcome, because rate() does not see the value that a series
// begins with.
func AddZeros(ctx context.Context, counter metric.Int64Counter) {
	for _, options := range outcomeOptions {
		counter.Add(ctx, 0, options...)
	}
}
