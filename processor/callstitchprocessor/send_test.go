// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit"
)

// refuses answers batches that have a leg with an error, and takes all others.
func refuses(leg string, err error) func(context.Context, []plog.LogRecord) error {
	return func(_ context.Context, all []plog.LogRecord) error {
		for _, lr := range all {
			if str(lr, names.CallLegID) == leg {
				return err
			}
		}
		return nil
	}
}

// One record that is refused for now again and again holds up no others, is not
// lost, and is sent when it is taken at last.
func TestOneRefusedForNowAgainAndAgain(t *testing.T) {
	const legs = 1000
	for _, odd := range []int{0, 499, 999} {
		synctest.Test(t, func(t *testing.T) {
			r := newHarness(t, nil)
			id := fmt.Sprint("leg ", odd)
			r.next.refuseWith(refuses(id, errBusy))
			for i := range legs {
				r.consume(legEnd(fmt.Sprint("leg ", i)))
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			require.Len(t, r.next.spans(), legs-1, "odd %d", odd)
			counts := r.counts()
			assert.EqualValues(t, 1, counts["owed"])
			assert.EqualValues(t, 1, counts["aside"])
			assert.EqualValues(t, 1, counts["set_aside"])
			assert.Greater(t, counts["owed_age"], int64(500))
			before := counts["send_failures"]
			time.Sleep(time.Hour)
			synctest.Wait()
			assert.Less(t, r.counts()["send_failures"]-before, int64(120), "with a back-off")
			r.consume(legEnd("another"))
			time.Sleep(2 * linger)
			assert.Len(t, r.next.spans(), legs, "and others pass by")
			r.next.refuseWith(nil)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			require.Len(t, r.next.spans(), legs+1)
			assert.Zero(t, r.counts()["owed"])
			assert.Zero(t, r.counts()["aside"])
		})
	}
}

// A state that cannot be stored says nothing about the records: none is set aside, and all are sent
// when the storage works again.
func TestStorageFailuresAreNoRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		for i := range 10 {
			r.consume(legEnd(fmt.Sprint("leg ", i)))
		}
		synctest.Wait()
		store.Fail(errors.New("no space left on device"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.Empty(t, r.next.spans())
		assert.EqualValues(t, 10, r.counts()["owed"])
		assert.Zero(t, r.counts()["set_aside"])
		store.Fail(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 10)
		assert.Zero(t, r.counts()["set_aside"])
	})
}

// A record that was set aside is pending after a restart.
func TestSetAsideAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.next.refuseWith(busy)
		r.consume(legEnd("leg"))
		time.Sleep(10 * time.Minute)
		assert.EqualValues(t, 1, r.counts()["aside"])
		r.stop()
		again := newHarness(t, withStorage(store))
		synctest.Wait()
		require.Len(t, again.next.spans(), 1)
		assert.Equal(t, "leg", str(again.next.spans()[0], names.CallLegID))
	})
}

// A joined error of which one branch may still take it is no permanent error: the
// record is kept.
func TestPermanentForOneBranchOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		r.next.refuseWith(refuses("leg", errors.Join(consumererror.NewPermanent(errors.New("odd")), errBusy)))
		r.consume(legEnd("leg"))
		time.Sleep(time.Hour)
		assert.Zero(t, r.counts()["rejected"])
		r.next.refuseWith(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 1)
	})
}

// Time passes while the next consumer has a batch: objects that are due become pending,
// and the gauge counts them.
func TestTimeGoesOnWhileSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		release := make(chan struct{})
		r.next.refuseWith(func(context.Context, []plog.LogRecord) error {
			<-release
			return nil
		})
		r.consume(legEnd("first"))
		time.Sleep(linger)
		for i := range 50 {
			r.consume(legEnd(strconv.Itoa(i)))
		}
		r.consume(startOf("open"))
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		counts := r.counts()
		assert.EqualValues(t, 51, counts["owed"])
		assert.EqualValues(t, 1, counts["open_objects call_leg"])
		assert.Greater(t, counts["owed_age"], int64(3*3600-60))
		logged := r.log.FilterMessageSnippet("has not answered").Len()
		assert.Greater(t, logged, 100)
		assert.LessOrEqual(t, logged, 181, "more than once a minute")
		time.Sleep(r.config.MaxOpen)
		assert.EqualValues(t, 52, r.counts()["owed"], "it expired")
		close(release)
		synctest.Wait()
		assert.Len(t, r.next.spans(), 52)
	})
}

// A stop without storage tries again until its time is up.
func TestStopTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, nil)
		const legs = 2000
		for i := range legs {
			r.consume(legEnd(strconv.Itoa(i)))
		}
		refusals := 0
		r.next.refuseWith(func(context.Context, []plog.LogRecord) error {
			if refusals++; refusals <= 3 {
				return errBusy
			}
			return nil
		})
		r.stop()
		assert.Len(t, r.next.spans(), legs)
		assert.Empty(t, r.log.FilterMessageSnippet("lost").All())
	})
}

// Records that are never taken do not take the others with them, wherever they
// stand: a stop sends all others within the default shutdown_timeout.
func TestStopWithSomeRefused(t *testing.T) {
	const legs = 2000
	apart := make([]int, 0, legs/100)
	for i := 50; i < legs; i += 100 {
		apart = append(apart, i)
	}
	together := make([]int, 0, 100)
	for i := range 100 {
		together = append(together, 700+i)
	}
	for name, odd := range map[string][]int{
		"the oldest": {0}, "the 51st": {50}, "the newest": {legs - 1}, "some, far apart": apart, "some, one after the other": together,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newHarness(t, nil)
				for i := range legs {
					r.consume(legEnd(strconv.Itoa(i)))
				}
				refused := make(map[string]bool)
				for _, i := range odd {
					refused[strconv.Itoa(i)] = true
				}
				calls := 0
				r.next.refuseWith(func(_ context.Context, all []plog.LogRecord) error {
					calls++
					for _, lr := range all {
						if refused[str(lr, names.CallLegID)] {
							return errBusy
						}
					}
					return nil
				})
				start := time.Now()
				r.stop()
				assert.Len(t, r.next.spans(), legs-len(odd))
				assert.Equal(t, 5*time.Second, time.Since(start).Round(time.Second), "they are tried again until then")
				assert.Len(t, r.log.FilterMessageSnippet("lost").All(), 1)
				assert.Less(t, calls, legs, "with a back-off")
			})
		})
	}
}

// A next consumer that refuses everything for some seconds of a stop gets
// everything after that, in few batches, and is not asked without a pause.
func TestStopWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const legs, busyFor = 2000, 2 * time.Second
		r := newHarness(t, nil)
		for i := range legs {
			r.consume(legEnd(strconv.Itoa(i)))
		}
		start := time.Now()
		refusals, taken := 0, 0
		r.next.refuseWith(func(ctx context.Context, _ []plog.LogRecord) error {
			// A round trip to a backend takes that long.
			if !sleep(ctx, 5*time.Millisecond) {
				return ctx.Err()
			}
			if time.Since(start) < busyFor {
				refusals++
				return errBusy
			}
			taken++
			return nil
		})
		r.stop()
		assert.Len(t, r.next.spans(), legs)
		assert.Less(t, time.Since(start), 5*time.Second)
		assert.Less(t, refusals, 300)
		assert.Less(t, taken, 300)
		assert.Empty(t, r.log.FilterMessageSnippet("lost").All())
	})
}

// A stop takes no longer than shutdown_timeout and a little, whatever the next
// consumer and the storage do, and whatever they think of a context.
func TestStopIsBounded(t *testing.T) {
	for _, name := range []string{"consumer", "storage", "both"} {
		for _, stored := range []bool{true, false} {
			if name != "consumer" && !stored {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				store := &stuckStorage{Storage: testkit.NewStorage(), release: release}
				r := newHarness(t, func(r *harness) {
					if stored {
						withStorage(store)(r)
					}
					r.config.ShutdownTimeout = 3 * time.Second
				})
				r.consume(legEnd("leg"))
				if name != "storage" {
					r.next.refuseWith(func(context.Context, []plog.LogRecord) error {
						<-release
						return errBusy
					})
					time.Sleep(linger)
				}
				r.consume(legEnd("another"))
				synctest.Wait()
				store.stuck = name != "consumer"
				r.stop = func() {}
				start := time.Now()
				err := r.Shutdown(context.Background())
				if name == "consumer" && stored {
					assert.ErrorContains(t, err, "shutdown_timeout (3s)")
				} else if stored {
					assert.ErrorIs(t, err, errStorage)
				}
				assert.Less(t, time.Since(start), 3*time.Second+lastWriteTimeout+5*stopMargin)
				close(release)
				synctest.Wait()
				require.NoError(t, r.telemetry.Shutdown(context.Background()))
			})
		}
	}
}

// stuckStorage is a storage whose writes do not come back, whatever the context.
type stuckStorage struct {
	*testkit.Storage
	release chan struct{}
	stuck   bool
}

func (s *stuckStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Storage.GetClient(ctx, kind, id, name)
	return &stuckClient{client, s}, err
}

type stuckClient struct {
	storage.Client
	storage *stuckStorage
}

func (c *stuckClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	if c.storage.stuck {
		<-c.storage.release
	}
	return c.Client.Batch(ctx, operations...)
}

// A request with more objects than max_objects gets in, and each of them is one
// span.
func TestRequestLargerThanTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const legs = 5000
		r := newHarness(t, func(r *harness) { r.config.MaxObjects = 1000 })
		var all []plog.Logs
		for i := range legs {
			all = append(all, startOf(fmt.Sprint("leg ", i)))
		}
		request := together(all...)
		require.NoError(t, r.ConsumeLogs(t.Context(), request))
		time.Sleep(r.config.MaxOpen + linger)
		synctest.Wait()
		assert.Len(t, bySpan(t, r.next.spans()), legs)
		assert.Len(t, r.next.spans(), legs, "a span was sent twice")
	})
}

// A large request gives others their turns.
func TestLargeRequestYields(t *testing.T) {
	s := newState(createDefaultConfig().(*Config))
	known := newSources()
	br := &requestReader{engine: s.engine, sources: &known}
	var all []plog.Logs
	for i := range 3000 {
		all = append(all, startOf(fmt.Sprint("leg ", i)))
	}
	logs := together(all...)
	lock := &counting{}
	_, err := br.merge(logs, lock)
	require.NoError(t, err)
	assert.Equal(t, 3000/recordsPerTurn, lock.turns)
	require.NoError(t, br.stamp(lock))
	assert.Equal(t, 6000/recordsPerTurn, lock.turns)
}

// counting counts the turns that others have.
type counting struct{ turns int }

func (*counting) now() time.Time { return noon }
func (c *counting) yield() error {
	c.turns++
	return nil
}
func (*counting) waitForRoom(int) bool { return false }

// What a newer release stored is left as it is, and the start fails.
func TestNewerState(t *testing.T) {
	values := someSegments(t)
	values[keyLog] = append([]byte{formatVersion + 1}, values[keyLog][1:]...)
	store := storageWith(values)
	err := startWith(t, createDefaultConfig().(*Config), store)
	require.ErrorContains(t, err, fmt.Sprintf("format %d and this release reads up to %d", formatVersion+1, formatVersion))
	assert.Equal(t, values, store.Values())
	assert.Zero(t, store.Open())
}

// A stop while a large request is being merged ends it, and nothing worse.
func TestStopDuringALargeRequest(t *testing.T) {
	var all []plog.Logs
	for i := range 20 * recordsPerTurn {
		all = append(all, startOf(strconv.Itoa(i)))
	}
	logs := together(all...)
	for range 20 {
		r := newHarness(t, nil)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := r.ConsumeLogs(t.Context(), clone(logs)); err != nil {
					assert.ErrorIs(t, err, errClosed)
				}
			})
		}
		r.stop()
		wg.Wait()
	}
}
