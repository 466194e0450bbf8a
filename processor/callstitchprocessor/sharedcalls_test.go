// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/cluster"
	"github.com/legato-otel/legato/internal/otel/consume"
	"github.com/legato-otel/legato/internal/testkit"
)

// gate is a next consumer that holds its calls until the test lets them go on, and
// answers each as the test says. It keeps the legs of each call that it accepted.
type gate struct {
	mutates bool
	answer  func(ctx context.Context, legs []string) error
	release chan struct{} // nil: nobody is held

	mu       sync.Mutex
	calls    [][]string
	accepted []string
	bytes    []int
}

func (g *gate) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: g.mutates}
}

func (g *gate) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	var legs []string
	for _, lr := range records(logs) {
		legs = append(legs, str(lr, names.CallLegID))
	}
	g.mu.Lock()
	g.calls = append(g.calls, legs)
	g.bytes = append(g.bytes, (&plog.ProtoMarshaler{}).LogsSize(logs))
	g.mu.Unlock()
	if g.mutates { // as its capabilities say
		logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
	} else {
		logs.MarkReadOnly() // as a fan-out does
	}
	if g.release != nil {
		select {
		case <-g.release:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if g.answer != nil {
		if err := g.answer(ctx, legs); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accepted = append(g.accepted, legs...)
	return nil
}

// seen are the calls so far.
func (g *gate) seen() [][]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([][]string(nil), g.calls...)
}

// sharingRig starts a processor with storage before a gate. It keeps what is
// stitched from the gate: nothing is due within its linger.
func sharingRig(t *testing.T, g *gate) consumer.Logs {
	t.Helper()
	r := newHarness(t, func(r *harness) {
		withStorage(testkit.NewStorage())(r)
		r.config.Linger = time.Hour
		r.behind = g
	})
	return r
}

// postLegs posts legs, each in a request of its own. wait returns the answers in
// that order when all are there.
func postLegs(t *testing.T, to consumer.Logs, legs ...string) (wait func() []error) {
	t.Helper()
	errs := make([]error, len(legs))
	var wg sync.WaitGroup
	for i, leg := range legs {
		wg.Go(func() { errs[i] = to.ConsumeLogs(t.Context(), startOf(leg)) })
		synctest.Wait() // in this order
	}
	return func() []error {
		wg.Wait()
		return errs
	}
}

// awaitWrites waits until all requests are stored, after the pause of their write.
func awaitWrites() {
	time.Sleep(writeInterval)
	synctest.Wait()
}

func numbered(n int) (legs []string) {
	for i := range n {
		legs = append(legs, fmt.Sprintf("leg %02d", i))
	}
	return legs
}

// Requests that wait for the next consumer share its next call, in the order in
// which they came.
func TestRequestsShareACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{release: make(chan struct{})}
		r := sharingRig(t, g)
		legs := numbered(20)
		first := postLegs(t, r, "first")
		lock := postLegs(t, r, legs...)
		assert.Equal(t, [][]string{{"first"}}, g.seen(), "one call at a time")
		g.release <- struct{}{}
		synctest.Wait()
		g.release <- struct{}{}
		assert.Equal(t, [][]string{{"first"}, legs}, g.seen())
		for _, err := range append(first(), lock()...) {
			require.NoError(t, err)
		}
	})
}

// Each request has its own outcome when the next consumer refuses all of a call
// permanently because of one of them, whatever the consumer did to the data.
func TestPoisonIsRefusedAlone(t *testing.T) {
	for _, mutates := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := &gate{mutates: mutates, release: make(chan struct{}), answer: func(_ context.Context, legs []string) error {
				if strings.Contains(strings.Join(legs, ","), "poison") {
					return consumererror.NewPermanent(errors.New("cannot be encoded"))
				}
				return nil
			}}
			r := sharingRig(t, g)
			first := postLegs(t, r, "first")
			legs := append(numbered(10), "poison", "last")
			lock := postLegs(t, r, legs...)
			close(g.release)
			require.NoError(t, first()[0])
			for i, err := range lock() {
				if legs[i] == "poison" {
					assert.True(t, consume.IsPermanent(err), "%v", err)
				} else {
					require.NoError(t, err, legs[i])
				}
			}
			assert.ElementsMatch(t, append(numbered(10), "first", "last"), g.accepted, "each is passed on once")
		})
	}
}

// A branch that is busy does not make a permanent refusal of another one
// permanent: nothing of the call may be given up.
func TestSharedCallRefusedForNow(t *testing.T) {
	mixed := errors.Join(consumererror.NewPermanent(errors.New("too large")), errBusy)
	for _, refusal := range []error{errBusy, mixed} {
		synctest.Test(t, func(t *testing.T) {
			refused := false
			g := &gate{release: make(chan struct{}), answer: func(_ context.Context, legs []string) error {
				if len(legs) > 1 && !refused {
					refused = true
					return refusal
				}
				return nil
			}}
			r := sharingRig(t, g)
			first := postLegs(t, r, "first")
			legs := numbered(10)
			lock := postLegs(t, r, legs...)
			close(g.release)
			require.NoError(t, first()[0])
			for _, err := range lock() {
				require.ErrorIs(t, err, errBusy)
				assert.False(t, consume.IsPermanent(err))
			}
			assert.Equal(t, [][]string{{"first"}, legs}, g.seen(), "no request is tried again by the processor")
			for _, err := range postLegs(t, r, legs...)() {
				require.NoError(t, err)
			}
			assert.ElementsMatch(t, append(legs, "first"), g.accepted)
		})
	}
}

// A receiver with retry_on_failure sends the same payload again. After a refused shared call it
// has all of its records, whatever the next consumer did to the shared payload.
func TestRefusedPayloadIsSentAgain(t *testing.T) {
	for _, mutates := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			refused := false
			g := &gate{mutates: mutates, release: make(chan struct{}), answer: func(_ context.Context, legs []string) error {
				if len(legs) > 1 && !refused {
					refused = true
					return errBusy
				}
				return nil
			}}
			r := sharingRig(t, g)
			first := postLegs(t, r, "first")
			legs := numbered(10)
			refusals := make([]error, len(legs))
			var wg sync.WaitGroup
			for i, leg := range legs {
				wg.Go(func() {
					payload := startOf(leg)
					if refusals[i] = r.ConsumeLogs(t.Context(), payload); refusals[i] != nil {
						assert.NoError(t, r.ConsumeLogs(t.Context(), payload))
					}
				})
				synctest.Wait()
			}
			close(g.release)
			require.NoError(t, first()[0])
			wg.Wait()
			for _, err := range refusals {
				require.ErrorIs(t, err, errBusy)
			}
			assert.ElementsMatch(t, append(legs, "first"), g.accepted)
		})
	}
}

// A request that is refused for now again and again, and comes again each time,
// does not keep the others from being accepted.
func TestRequestThatIsAlwaysRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{answer: func(_ context.Context, legs []string) error {
			time.Sleep(time.Millisecond)
			if strings.Contains(strings.Join(legs, ","), "refused") {
				return errBusy
			}
			return nil
		}}
		r := sharingRig(t, g)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for ctx.Err() == nil {
				assert.Error(t, r.ConsumeLogs(ctx, startOf("refused")))
			}
		})
		most := make([]int, 20)
		for i, leg := range numbered(20) {
			wg.Go(func() {
				for second := range 30 {
					tries := 1
					for r.ConsumeLogs(ctx, startOf(fmt.Sprint(leg, " ", second))) != nil {
						tries++
					}
					most[i] = max(most[i], tries)
					time.Sleep(time.Second)
				}
			})
		}
		time.Sleep(time.Minute)
		cancel()
		wg.Wait()
		for _, tries := range most {
			assert.LessOrEqual(t, tries, 2)
		}
	})
}

// An error with the data that was not taken has that of several requests. None of
// them gets another's.
func TestPartialErrorOfASharedCall(t *testing.T) {
	for _, cause := range []error{errBusy, consumererror.NewPermanent(errBusy)} {
		synctest.Test(t, func(t *testing.T) {
			g := &gate{release: make(chan struct{}), answer: func(_ context.Context, legs []string) error {
				if strings.Contains(strings.Join(legs, ","), "partial") {
					return consumererror.NewLogs(cause, together(startOf("partial"), startOf("rest")))
				}
				return nil
			}}
			r := sharingRig(t, g)
			first := postLegs(t, r, "first")
			lock := postLegs(t, r, "a", "partial", "b")
			close(g.release)
			require.NoError(t, first()[0])
			answers := lock()
			require.NoError(t, answers[0])
			require.NoError(t, answers[2])
			var partial consumererror.Logs
			require.ErrorAs(t, answers[1], &partial)
			assert.Equal(t, consume.IsPermanent(cause), consume.IsPermanent(answers[1]))
		})
	}
}

// A requester who gives up gets the error of its context; the call goes on for
// the others, and ends when none is left.
func TestRequesterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{release: make(chan struct{})}
		r := sharingRig(t, g)
		first := postLegs(t, r, "first")
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() { errs[0] = r.ConsumeLogs(short, startOf("gone before the call")) })
		synctest.Wait()
		wg.Go(func() { errs[1] = r.ConsumeLogs(t.Context(), startOf("patient")) })
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		require.ErrorIs(t, errs[0], context.DeadlineExceeded)
		assert.False(t, consume.IsPermanent(errs[0]))
		g.release <- struct{}{}
		synctest.Wait()
		assert.Equal(t, [][]string{{"first"}, {"patient"}}, g.seen(), "nobody waits for the other one any more")
		g.release <- struct{}{}
		wg.Wait()
		require.NoError(t, errs[1])
		require.NoError(t, first()[0])

		// In a call.
		first = postLegs(t, r, "second")
		ctx, giveUp := context.WithCancel(t.Context())
		for i := range errs {
			wg.Go(func() { errs[i] = r.ConsumeLogs(ctx, startOf(fmt.Sprint("in a call ", i))) })
			synctest.Wait()
		}
		awaitWrites()
		g.release <- struct{}{}
		require.NoError(t, first()[0])
		synctest.Wait()
		assert.Len(t, g.seen()[3], 2)
		giveUp()
		wg.Wait() // the gate has nobody who releases it: the context of the call ended
		for _, err := range errs {
			require.ErrorIs(t, err, context.Canceled)
		}
	})
}

type user string

func (u user) GetAttribute(string) any   { return string(u) }
func (user) GetAttributeNames() []string { return []string{"user"} }

// No request gets what the context of another one says of its client: a shared call
// has a context without values, and one with metadata or authentication is alone.
func TestContextOfASharedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var mu sync.Mutex
		clients := make(map[string]client.Info)
		values := make(map[string]any)
		g := &gate{release: make(chan struct{}), answer: func(ctx context.Context, legs []string) error {
			mu.Lock()
			defer mu.Unlock()
			for _, leg := range legs {
				clients[leg], values[leg] = client.FromContext(ctx), ctx.Value(key{})
			}
			if len(legs) > 1 {
				assert.NotContains(t, legs, "tenant")
				assert.NotContains(t, legs, "user")
			}
			return nil
		}}
		r := sharingRig(t, g)
		infos := map[string]client.Info{
			"tenant": {Metadata: client.NewMetadata(map[string][]string{"tenant": {"a"}})},
			"user":   {Auth: user("ann")},
			"plain":  {},
			"other":  {},
		}
		first := postLegs(t, r, "first")
		var wg sync.WaitGroup
		for leg, info := range infos {
			wg.Go(func() {
				ctx := client.NewContext(context.WithValue(t.Context(), key{}, leg), info)
				assert.NoError(t, r.ConsumeLogs(ctx, startOf(leg)))
			})
		}
		awaitWrites()
		assert.Len(t, g.seen(), 3, "two do not wait for the call under way")
		close(g.release)
		wg.Wait()
		require.NoError(t, first()[0])
		assert.Len(t, g.seen(), 4)
		delete(clients, "first")
		assert.Equal(t, infos, clients)
		assert.Equal(t, map[string]any{"first": nil, "tenant": "tenant", "user": "user", "plain": nil, "other": nil}, values)
	})
}

// startIn is the start of a leg of a cluster.
func startIn(name, leg string) plog.Logs {
	logs := startOf(leg)
	logs.ResourceLogs().At(0).Resource().Attributes().PutStr(names.Cluster, name)
	return logs
}

// The name of the cluster in the client metadata keeps no request alone: a shared call
// has it if all its records have.
func TestClusterOfASharedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		clusters := make(map[string][]string)
		g := &gate{release: make(chan struct{}), answer: func(ctx context.Context, legs []string) error {
			mu.Lock()
			defer mu.Unlock()
			clusters[strings.Join(legs, ",")] = client.FromContext(ctx).Metadata.Get(cluster.MetadataKey)
			return nil
		}}
		r := sharingRig(t, g)
		var wg sync.WaitGroup
		post := func(name string, legs ...string) {
			for _, leg := range legs {
				wg.Go(func() {
					logs := startIn(name, leg)
					assert.NoError(t, r.ConsumeLogs(cluster.WithMetadata(t.Context(), logs), logs))
				})
				synctest.Wait() // in this order
			}
		}
		post("east", "1", "2", "3") // 1 is under way, 2 and 3 wait for it
		awaitWrites()
		g.release <- struct{}{}
		synctest.Wait()
		post("east", "4")
		post("west", "5")
		awaitWrites()
		close(g.release)
		wg.Wait()
		assert.Equal(t, map[string][]string{"1": {"east"}, "2,3": {"east"}, "4,5": nil}, clusters)
	})
}

// A shared call is no larger than its bound, unless a single request is.
func TestSharedCallsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{release: make(chan struct{})}
		r := sharingRig(t, g)
		large := func(leg string, size int) plog.Logs {
			return say(names.EventCallLegStart, 0, map[string]any{names.CallLegID: leg, "text": strings.Repeat("x", size)})
		}
		var wg sync.WaitGroup
		post := func(leg string, size int) {
			wg.Go(func() { assert.NoError(t, r.ConsumeLogs(t.Context(), large(leg, size))) })
			synctest.Wait()
		}
		post("first", 1)
		for i := range 8 {
			post(fmt.Sprint("medium ", i), maxShared/4)
		}
		post("large", 2*maxShared)
		for i := range maxSharedRequests + 1 {
			post(fmt.Sprint("small ", i), 1)
		}
		close(g.release)
		wg.Wait()
		calls := g.seen()
		require.Len(t, calls, 7)
		for i, legs := range calls {
			if legs[0] != "large" {
				assert.LessOrEqual(t, g.bytes[i], maxShared)
			}
			assert.LessOrEqual(t, len(legs), maxSharedRequests)
		}
	})
}

// A next consumer that does not come back for one request does not hold up the
// others for longer than slowCall.
func TestSlowCallKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{answer: func(ctx context.Context, legs []string) error {
			if strings.HasPrefix(legs[0], "hanging") {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		r := sharingRig(t, g)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range maxCalls - 1 {
			wg.Go(func() { assert.ErrorIs(t, r.ConsumeLogs(ctx, startOf(fmt.Sprint("hanging ", i))), context.Canceled) })
			time.Sleep(2 * slowCall)
		}
		begun := time.Now()
		for _, err := range postLegs(t, r, numbered(5)...)() {
			require.NoError(t, err)
		}
		assert.LessOrEqual(t, time.Since(begun), slowCall)
		wg.Go(func() { assert.ErrorIs(t, r.ConsumeLogs(ctx, startOf("hanging too")), context.Canceled) })
		time.Sleep(2 * slowCall)
		late := postLegs(t, r, "late")
		time.Sleep(time.Minute)
		assert.Len(t, g.accepted, 5, "as many calls as there may be are under way")
		cancel()
		require.NoError(t, late()[0])
		wg.Wait()
	})
}

// A stop waits for the calls under way, and refuses what waits for one.
func TestStopWithSharedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{release: make(chan struct{})}
		r := sharingRig(t, g)
		first, waiting := postLegs(t, r, "first"), postLegs(t, r, "a", "b")
		stopped := make(chan error)
		go func() { stopped <- r.(*harness).Shutdown(context.WithoutCancel(t.Context())) }()
		for _, err := range waiting() {
			require.ErrorIs(t, err, errClosed)
		}
		close(g.release)
		require.NoError(t, first()[0])
		require.NoError(t, <-stopped)
		assert.Equal(t, [][]string{{"first"}}, g.seen())
	})
}
