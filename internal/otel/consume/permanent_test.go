// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package consume

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// combined is an error as go.uber.org/multierr makes it, which the Collector's
// fan-out uses: it has several causes and is not the type of errors.Join.
type combined []error

func (combined) Error() string     { return "combined" }
func (c combined) Unwrap() []error { return c }

// wrapping is an error that may wrap nothing.
type wrapping struct{ cause error }

func (wrapping) Error() string   { return "wrapping" }
func (w wrapping) Unwrap() error { return w.cause }

func TestIsPermanent(t *testing.T) {
	busy := errors.New("sending queue is full")
	never := consumererror.NewPermanent(errors.New("message too large"))
	for _, row := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"plain", busy, false},
		{"cancelled", context.Canceled, false},
		{"permanent", never, true},
		{"permanent twice", consumererror.NewPermanent(never), true},
		{"permanent of a plain error that is wrapped", consumererror.NewPermanent(fmt.Errorf("a: %w", busy)), true},
		{"permanent of joined errors", consumererror.NewPermanent(errors.Join(busy, busy)), true},

		{"wrapped plain", fmt.Errorf("a: %w", busy), false},
		{"wrapped permanent", fmt.Errorf("a: %w", fmt.Errorf("b: %w", never)), true},
		{"wrapped without a cause", wrapping{}, false},
		{"permanent in a text only", fmt.Errorf("a: %s", never.Error()), false},

		{"joined: one permanent", errors.Join(never), true},
		{"joined: all permanent", errors.Join(never, never), true},
		{"joined: permanent first", errors.Join(never, busy), false},
		{"joined: permanent last", errors.Join(busy, never), false},
		{"joined: none permanent", errors.Join(busy, busy), false},
		{"joined in joined, all permanent", errors.Join(never, errors.Join(never, fmt.Errorf("a: %w", never))), true},
		{"joined in joined, the deepest is plain", errors.Join(never, errors.Join(never, fmt.Errorf("a: %w", busy))), false},
		{"wrapped with two verbs, all permanent", fmt.Errorf("%w and %w", never, never), true},
		{"wrapped with two verbs, one plain", fmt.Errorf("%w and %w", never, busy), false},

		{"combined: all permanent", combined{never, never}, true},
		{"combined: one plain", combined{never, busy, never}, false},
		{"combined: none", combined{}, false},
		{"combined: a nil among permanent", combined{never, nil}, false},
		{"combined in joined", errors.Join(never, combined{never, busy}), false},

		{"partial logs by a plain cause", consumererror.NewLogs(busy, plog.NewLogs()), false},
		{"partial logs by a permanent cause", consumererror.NewLogs(never, plog.NewLogs()), true},
		{"partial logs by mixed causes", consumererror.NewLogs(errors.Join(never, busy), plog.NewLogs()), false},
		{"partial metrics by a permanent cause", consumererror.NewMetrics(never, pmetric.NewMetrics()), true},
		{"partial traces by mixed causes", consumererror.NewTraces(combined{busy, never}, ptrace.NewTraces()), false},
		{"joined: partial and permanent", errors.Join(consumererror.NewLogs(busy, plog.NewLogs()), never), false},

		{"retryable", consumererror.NewRetryableError(busy), false},
		{"refused by a server, not marked as permanent", consumererror.NewOTLPHTTPError(busy, http.StatusBadRequest), false},
		{"refused by a server, marked as permanent", consumererror.NewPermanent(consumererror.NewOTLPHTTPError(busy, http.StatusBadRequest)), true},
		{"downstream permanent", consumererror.NewDownstream(never), true},
		{"downstream plain", consumererror.NewDownstream(busy), false},
	} {
		assert.Equal(t, row.want, IsPermanent(row.err), row.name)
	}
}

// Where there is one branch, the answer is consumererror's.
func TestIsPermanentOfOneBranch(t *testing.T) {
	for _, err := range []error{
		nil, errors.New("busy"), consumererror.NewPermanent(errors.New("never")),
		fmt.Errorf("a: %w", consumererror.NewPermanent(errors.New("never"))),
		consumererror.NewLogs(errors.New("busy"), plog.NewLogs()),
	} {
		assert.Equal(t, consumererror.IsPermanent(err), IsPermanent(err), "%v", err)
	}
}
