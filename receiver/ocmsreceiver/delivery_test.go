// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

var errBusy = errors.New("the queue is full")

// Lines that the next consumer refused are tried until they are taken: each comes
// out once, though the file input has moved on.
func TestRefusedLinesComeAgain(t *testing.T) {
	sink := new(consumertest.LogsSink)
	busy := &receiverkit.Failing{Next: sink, Err: errBusy, Times: 5}
	r := newHarness(t, func(r *harness) {
		r.Logs = busy
		r.write("events.log", events(0, 250))
	})
	r.eventually(sink, callIDsOf(0, 250))
	assert.EqualValues(t, 500, r.outcome("refused"))
	assert.EqualValues(t, 250, r.outcome("accepted"))
	assert.NotEmpty(t, r.Log.FilterMessage("Events refused by the pipeline; trying again").All())
	r.write("events.log", events(250, 260))
	r.eventually(sink, callIDsOf(0, 260))
}

// A stop ends the trying. What was not taken is read again after the next start,
// and what was taken is not.
func TestStopWhileRefused(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	gate := &receiverkit.Failing{Next: sink}
	r := newHarness(t, func(r *harness) {
		r.Logs = gate
		withStorage(r, store)
		r.write("events.log", events(0, 10))
	})
	r.eventually(sink, callIDsOf(0, 10))
	gate.Set(errBusy)
	r.write("events.log", events(10, 20))
	require.Eventually(t, func() bool { return r.outcome("refused") > 20 }, waitFor, tick)
	r.Stop()
	assert.Len(t, callIDs(sink), 10)
	gate.Set(nil)
	r.write("events.log", events(20, 30))
	r.Start()
	r.eventually(sink, callIDsOf(0, 30))
	r.Stop()
	assert.Len(t, callIDs(sink), 30)
}

// With an end to the trying, the lines are lost, counted and logged.
func TestGivingUp(t *testing.T) {
	sink := new(consumertest.LogsSink)
	busy := &receiverkit.Failing{Next: sink, Err: errBusy}
	r := newHarness(t, func(r *harness) {
		r.Logs = busy
		r.config.RetryOnFailure.MaxElapsedTime = 20 * time.Millisecond
		r.write("events.log", events(0, 3))
	})
	require.Eventually(t, func() bool { return r.outcome("lost") == 3 }, waitFor, tick)
	busy.Set(nil)
	r.write("events.log", events(3, 5))
	r.eventually(sink, callIDsOf(3, 5))
	logged := r.Log.FilterMessage("Gave up as retry_on_failure says; the events are lost").All()
	require.Len(t, logged, 1)
	assert.EqualValues(t, 3, logged[0].ContextMap()["events"])
}

// What the pipeline refuses permanently goes to quarantine as bytes, and is lost
// only if the pipeline refuses that too.
func TestPermanentRefusal(t *testing.T) {
	sink := new(consumertest.LogsSink)
	f := func(err, then error) *harness {
		return newHarness(t, func(r *harness) {
			r.Logs = &receiverkit.Failing{Next: sink, Err: err, Times: 1, Then: then}
			r.write("events.log", events(0, 2))
		})
	}
	r := f(consumererror.NewPermanent(errors.New("too new")), nil)
	require.Eventually(t, func() bool { return r.outcome("malformed") == 2 }, waitFor, tick)
	all := receiverkit.Records(sink.AllLogs())
	require.Len(t, all, 2)
	assert.Equal(t, names.EventOCMSMalformed, all[0].EventName())
	assert.Equal(t, strings.TrimSuffix(event(0), "\n"), all[0].Body().Str())
	assert.Equal(t, "rejected_by_pipeline", all[0].Attributes().AsRaw()[names.ErrorType])
	r = f(consumererror.NewPermanent(errors.New("too new")), consumererror.NewPermanent(errors.New("too old")))
	require.Eventually(t, func() bool { return r.outcome("lost") == 2 }, waitFor, tick)
	// One branch of two that is only busy: both get it again.
	sink.Reset()
	r = f(errors.Join(consumererror.NewPermanent(errors.New("too new")), errBusy), nil)
	r.eventually(sink, callIDsOf(0, 2))
}

// Rotation by rename, as Log4j does it: what was written to the old file up to the
// last moment comes out, and each line once.
func TestRotationByRename(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withStorage(r, testkit.NewStorage())
	})
	const files, lines = 4, 50
	for file := range files {
		for i := range lines {
			r.write("events.log", event(file*lines+i))
		}
		for backup := file; backup > 0; backup-- {
			require.NoError(t, os.Rename(r.path(fmt.Sprintf("events.log.%d", backup)), r.path(fmt.Sprintf("events.log.%d", backup+1))))
		}
		require.NoError(t, os.Rename(r.path("events.log"), r.path("events.log.1")))
	}
	r.eventually(sink, callIDsOf(0, files*lines))
}

// Rotation while nobody reads: the rest of the file that was renamed is found by
// its fingerprint.
func TestRotationWhileStopped(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withStorage(r, testkit.NewStorage())
		r.write("events.log", events(0, 20))
	})
	r.eventually(sink, callIDsOf(0, 20))
	r.Stop()
	r.write("events.log", events(20, 30))
	require.NoError(t, os.Rename(r.path("events.log"), r.path("events.log.1")))
	r.write("events.log", events(30, 40))
	r.Start()
	r.eventually(sink, callIDsOf(0, 40))
}

// Rotation by copy and truncation: the copy is known by its fingerprint.
func TestRotationByCopyTruncate(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withStorage(r, testkit.NewStorage())
		r.write("events.log", events(0, 20))
	})
	r.eventually(sink, callIDsOf(0, 20))
	content := fixture(t, r.path("events.log"))
	require.NoError(t, os.WriteFile(r.path("events.log.1"), []byte(content), 0o600))
	require.NoError(t, os.Truncate(r.path("events.log"), 0))
	r.write("events.log", events(20, 25))
	r.eventually(sink, callIDsOf(0, 25))
	r.write("events.log", events(25, 45)) // longer than before
	r.eventually(sink, callIDsOf(0, 45))
}

// A glob that matches .1 to .10 reads all of them, each once.
func TestBackups(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		for backup := range 11 {
			name := "events.log"
			if backup > 0 {
				name = fmt.Sprintf("events.log.%d", backup)
			}
			r.write(name, events(backup*10, backup*10+10))
		}
	})
	r.eventually(sink, callIDsOf(0, 110))
}

// Half a line waits for its other half.
func TestHalfWrittenLine(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) { r.Logs = sink })
	line := event(1)
	r.write("events.log", event(0)+line[:100])
	r.eventually(sink, callIDsOf(0, 1))
	r.write("events.log", line[100:200])
	r.write("events.log", line[200:]+event(2))
	r.eventually(sink, callIDsOf(0, 3))
	assert.Zero(t, r.outcome("malformed"))
}

// Half a line of which no more comes is kept as it is.
func TestHalfALineAtTheEnd(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.File.FlushPeriod = 20 * time.Millisecond
	})
	r.write("events.log", event(0)+"CreationTime=2024-06-10T09:00:00.101Z,Method=INVI")
	require.Eventually(t, func() bool { return sink.LogRecordCount() == 2 }, waitFor, tick)
	last := receiverkit.Records(sink.AllLogs())[1]
	assert.Equal(t, names.EventOCMSMalformed, last.EventName())
	assert.Equal(t, "CreationTime=2024-06-10T09:00:00.101Z,Method=INVI", last.Body().Str())
	assert.Equal(t, "INVI", last.Attributes().AsRaw()[names.SIPMethod])
}

// Half a line that reads like an event is none: its last value may be cut. The rest, which
// comes too late, is kept as well.
func TestHalfALineThatReadsLikeAnEvent(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.File.FlushPeriod = 20 * time.Millisecond
	})
	const half = "Service=eventlogger.a.REQUEST.BYE,Method=BYE,CSeq=2 BYE,Call-ID=abc"
	r.write("events.log", event(0)+half)
	require.Eventually(t, func() bool { return sink.LogRecordCount() == 2 }, waitFor, tick)
	r.write("events.log", "def@h\n"+event(1))
	require.Eventually(t, func() bool { return sink.LogRecordCount() == 4 }, waitFor, tick)
	var bodies []string
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		if lr.EventName() == names.EventOCMSMalformed {
			bodies = append(bodies, lr.Body().Str())
			assert.Equal(t, "malformed_line", lr.Attributes().AsRaw()[names.ErrorType])
		}
	}
	assert.Equal(t, []string{half, "def@h"}, bodies)
	assert.EqualValues(t, 2, r.outcome("malformed"))
	assert.EqualValues(t, 2, r.outcome("accepted"))
}

// A line that is longer than max_log_size comes in pieces, none of which is an event.
func TestLineInPieces(t *testing.T) {
	long := strings.TrimSuffix(event(1), "\n") + ",note=" + strings.Repeat("x", 3000) + "\n"
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.File.MaxLogSize = 1024
		r.write("events.log", event(0)+long+event(2))
	})
	require.Eventually(t, func() bool { return r.outcome("accepted") == 2 }, waitFor, tick)
	var kept strings.Builder
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		if lr.EventName() == names.EventOCMSMalformed {
			kept.WriteString(lr.Body().Str())
		}
	}
	assert.Equal(t, strings.TrimSuffix(long, "\n"), kept.String())
}

// A line of a mebibyte is an event, and all of its bytes are kept.
func TestLongLine(t *testing.T) {
	const size = 1 << 20
	long := strings.TrimSuffix(event(1), "\n") + ",note=" + strings.Repeat("0123456789abcdef", size/16) + "\n"
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.write("events.log", event(0)+long+event(2))
	})
	require.Eventually(t, func() bool { return r.outcome("accepted") == 3 }, waitFor, tick)
	var kept strings.Builder
	var ids []any
	seen := make(map[any]bool)
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		attributes := lr.Attributes().AsRaw()
		assert.False(t, seen[attributes[names.LogRecordUID]], "each record has a uid of its own")
		seen[attributes[names.LogRecordUID]] = true
		if lr.EventName() == names.EventOCMSLong {
			kept.WriteString(lr.Body().Str())
			continue
		}
		ids = append(ids, attributes[names.SIPCallID])
	}
	assert.ElementsMatch(t, []any{"call-0@192.0.2.33", "call-1@192.0.2.33", "call-2@192.0.2.33"}, ids)
	assert.Equal(t, strings.TrimSuffix(long, "\n"), kept.String())
	assert.Zero(t, r.outcome("malformed"))
}

// Two appenders write each event twice, into two files: it comes out once. One of
// them writes more, so that the files are not copies.
func TestTwoAppenders(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.write("events.log", events(0, 300))
		r.write("other.log", event(999)+events(0, 300))
	})
	require.Eventually(t, func() bool { return r.outcome("duplicate") == 300 }, waitFor, tick)
	r.eventually(sink, append(callIDsOf(0, 300), callIDsOf(999, 1000)...))
}

// Two files with the same bytes are one file to the input, which knows them by
// their first bytes.
func TestTwoFilesWithTheSameBytes(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.write("events.log", events(0, 20))
		r.write("other.log", events(0, 20))
	})
	r.eventually(sink, callIDsOf(0, 20))
	r.write("events.log", events(20, 30))
	r.write("other.log", events(20, 30))
	r.eventually(sink, callIDsOf(0, 30))
}

// What differs in one part of its identity is another message.
func TestIdentity(t *testing.T) {
	base := strings.TrimSuffix(event(1), "\n")
	same := []string{base, strings.Replace(base, ".001Z", ".501Z", 1)}
	others := []string{
		strings.Replace(base, "a.B.RESPONSE", "a.C.RESPONSE", 1),
		strings.Replace(base, "call-1", "call-2", 1),
		strings.Replace(base, "CSeq=1", "CSeq=2", 1),
		strings.Replace(base, "tag=t1", "tag=t2", 1),
		strings.Replace(base, "z9hG4bK1", "z9hG4bK2", 1),
		strings.NewReplacer("INVITE.200", "INVITE.202", "StatusCode=200", "StatusCode=202").Replace(base),
	}
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.write("events.log", strings.Join(append(same, others...), "\n")+"\n")
	})
	require.Eventually(t, func() bool { return r.outcome("duplicate") == 1 }, waitFor, tick)
	assert.EqualValues(t, 1+len(others), r.outcome("accepted"))
	assert.Len(t, receiverkit.Records(sink.AllLogs()), 1+len(others))
}

// crash copies the storage as a kill -9 would leave it.
func crash(store *testkit.Storage) *testkit.Storage {
	left := testkit.NewStorage()
	for key, value := range store.Values() {
		left.Put(key, value)
	}
	return left
}

// A crash after any batch: the lines that were taken since the offsets were stored
// are not taken again, and no other line is missing.
func TestCrash(t *testing.T) {
	const lines = 450
	for batches := range 5 {
		t.Run(strconv.Itoa(batches), func(t *testing.T) {
			store := testkit.NewStorage()
			var left *testkit.Storage
			taken := new(consumertest.LogsSink)
			reached := make(chan struct{})
			calls := 0
			next, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
				if calls == batches {
					left = crash(store)
					close(reached)
				}
				if calls++; calls > batches {
					<-ctx.Done() // the process is gone
					return ctx.Err()
				}
				return taken.ConsumeLogs(ctx, logs)
			})
			require.NoError(t, err)
			r := newHarness(t, func(r *harness) {
				r.Logs = next
				r.config.ShutdownTimeout = time.Millisecond
				withStorage(r, store)
				r.write("events.log", events(0, lines))
			})
			<-reached
			r.Stop()
			require.Len(t, receiverkit.Records(taken.AllLogs()), 100*batches)

			withStorage(r, left)
			r.Logs = taken
			r.config.ShutdownTimeout = 5 * time.Second // this stop stores the offsets, however slow the machine is
			r.write("events.log", events(lines, lines+10))
			r.Start()
			r.eventually(taken, callIDsOf(0, lines+10))
			r.Stop()
			assert.Len(t, callIDs(taken), lines+10)
			for key := range left.Values() {
				assert.False(t, strings.HasPrefix(key, "taken/"), "%s is left", key)
			}
		})
	}
}

// The window that is left: a crash between the taking of a batch and the storing of
// that. The batch comes twice, with the same uids, and nothing is missing.
func TestCrashBeforeStoring(t *testing.T) {
	store := testkit.NewStorage()
	var left *testkit.Storage
	sink := new(consumertest.LogsSink)
	next, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
		if left == nil {
			left = crash(store)
		}
		return sink.ConsumeLogs(ctx, logs)
	})
	require.NoError(t, err)
	r := newHarness(t, func(r *harness) {
		r.Logs = next
		withStorage(r, store)
		r.write("events.log", events(0, 100))
	})
	r.eventually(sink, callIDsOf(0, 100))
	r.Stop()
	withStorage(r, left)
	r.Start()
	require.Eventually(t, func() bool { return sink.LogRecordCount() == 200 }, waitFor, tick)
	count := make(map[any]int)
	for _, lr := range receiverkit.Records(sink.AllLogs()) {
		count[lr.Attributes().AsRaw()[names.LogRecordUID]]++
	}
	assert.Len(t, count, 100)
	for id, n := range count {
		assert.Equal(t, 2, n, "%v", id)
	}
}

// A storage that fails keeps no line back.
func TestStorageFails(t *testing.T) {
	store := testkit.NewStorage()
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		withStorage(r, store)
		r.write("events.log", events(0, 1))
	})
	r.eventually(sink, callIDsOf(0, 1))
	store.Fail(errors.New("disk full"))
	r.write("events.log", events(1, 5))
	r.eventually(sink, callIDsOf(0, 5))
	require.Eventually(t, func() bool {
		return r.Log.FilterMessage("Cannot store what was taken; after a crash it may be taken again").Len() == 1
	}, waitFor, tick)
	store.Fail(nil)
}

// A file that appears while the receiver is stopped is read from its beginning,
// whatever start_at says.
func TestFileThatAppearsWhileStopped(t *testing.T) {
	sink := new(consumertest.LogsSink)
	store := testkit.NewStorage()
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.File.StartAt = "end"
		withStorage(r, store)
	})
	require.Eventually(t, func() bool { return store.Values()["file.knownFiles"] != nil }, waitFor, tick)
	r.Stop()
	r.write("events.log", events(0, 5))
	r.Start()
	r.eventually(sink, callIDsOf(0, 5))
}

// A long run of lines is cut into payloads of max_batch_bytes.
func TestBatchBytes(t *testing.T) {
	sink := new(consumertest.LogsSink)
	r := newHarness(t, func(r *harness) {
		r.Logs = sink
		r.config.MaxBatchBytes = 3*len(event(10)) + 10
		r.write("events.log", events(10, 20))
	})
	r.eventually(sink, callIDsOf(10, 20))
	assert.Len(t, sink.AllLogs(), 4)
}
