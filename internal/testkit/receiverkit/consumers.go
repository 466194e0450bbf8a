// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package receiverkit

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Failing returns an error from ConsumeLogs, or passes the logs to Next if there is none.
type Failing struct {
	Next  consumer.Logs
	Err   error // what the first Times calls return
	Times int   // 0: all calls
	Then  error // what later calls return

	mu    sync.Mutex
	calls int
}

// Set makes all later calls return err; nil ends the failure.
func (f *Failing) Set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Err, f.Times = err, 0
}

// FailOnce makes the next call return err.
func (f *Failing) FailOnce(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Err, f.Times, f.Then = err, f.calls+1, nil
}

// Calls returns how often ConsumeLogs was called.
func (f *Failing) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Capabilities implements consumer.Logs.
func (*Failing) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (f *Failing) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if err := f.result(); err != nil {
		return err
	}
	return f.Next.ConsumeLogs(ctx, logs)
}

func (f *Failing) result() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.Times > 0 && f.calls > f.Times {
		return f.Then
	}
	return f.Err
}

// Refusing returns the errors of Refuse from ConsumeLogs, and passes the logs to Next where it
// is nil.
type Refusing struct {
	Next   consumer.Logs
	Refuse func(call int, logs plog.Logs) error // calls are counted from 1

	mu    sync.Mutex
	calls int
}

// InTurn returns a Refuse for the first calls, an error for each; later calls are passed on.
func InTurn(errs ...error) func(int, plog.Logs) error {
	return func(call int, _ plog.Logs) error {
		if call > len(errs) {
			return nil
		}
		return errs[call-1]
	}
}

// Capabilities implements consumer.Logs.
func (*Refusing) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (f *Refusing) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	f.mu.Lock()
	f.calls++
	call := f.calls
	f.mu.Unlock()
	if err := f.Refuse(call, logs); err != nil {
		return err
	}
	return f.Next.ConsumeLogs(ctx, logs)
}

// Gated passes a request on after the test has received from Entered and sent to Leave.
type Gated struct {
	Next           consumer.Logs
	Entered, Leave chan struct{}
}

// NewGated returns a Gated in front of next.
func NewGated(next consumer.Logs) *Gated {
	return &Gated{Next: next, Entered: make(chan struct{}), Leave: make(chan struct{})}
}

// Capabilities implements consumer.Logs.
func (*Gated) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (g *Gated) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	g.Entered <- struct{}{}
	<-g.Leave
	return g.Next.ConsumeLogs(ctx, logs)
}

// Records returns the log records of all requests in order.
func Records(all []plog.Logs) (records []plog.LogRecord) {
	for _, logs := range all {
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					records = append(records, lr)
				}
			}
		}
	}
	return records
}

// EventNames returns the event names of the records that a sink received, in order.
func EventNames(sink *consumertest.LogsSink) (names []string) {
	for _, lr := range Records(sink.AllLogs()) {
		names = append(names, lr.EventName())
	}
	return names
}

// Attribute returns the value of an attribute, or an empty one.
func Attribute(lr plog.LogRecord, key string) pcommon.Value {
	value, ok := lr.Attributes().Get(key)
	if !ok {
		return pcommon.NewValueEmpty()
	}
	return value
}
