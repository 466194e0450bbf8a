// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// noReceiver is a URL where no receiver listens.
const noReceiver = "http://localhost:1/cdr"

var errSettled = errors.New("a Collector has followed the bridge for long enough")

// faulty returns the drill of a simulated Call Bridge that has a fault, given as flags of
// callsim, after it was in good health and before it is so again.
func faulty(standard time.Duration, bridges int, fault ...string) func(context.Context, *Settings) error {
	return func(ctx context.Context, s *Settings) error {
		return s.simulated(ctx, s.hold(standard), bridges, func(ctx context.Context, healthy []string) error {
			return s.Simulate(ctx, nil, slices.Concat(healthy, fault)...)
		})
	}
}

// away is the drill of a Call Bridge that is down.
func away(ctx context.Context, s *Settings) error {
	return s.simulated(ctx, s.hold(standardHold), 1, func(ctx context.Context, _ []string) error {
		<-ctx.Done()
		return nil
	})
}

// simulated runs Call Bridges in good health until a Collector has followed them for
// s.Settle, fails for a while, and runs them in good health again.
func (s *Settings) simulated(ctx context.Context, hold time.Duration, bridges int, fail func(ctx context.Context, healthy []string) error) error {
	healthy := []string{"-live", "-bridges", strconv.Itoa(bridges), "-events", s.Events, "-target", s.Target.String()}
	run := func(ctx context.Context) error { return s.Simulate(ctx, nil, healthy...) }
	s.Report("waiting until a Collector follows the bridge at " + s.Events)
	if err := s.untilSettled(ctx, healthy); err != nil {
		return err
	}
	s.reportBegin(hold)
	if err := runFor(ctx, hold, func(ctx context.Context) error { return fail(ctx, healthy) }); err != nil {
		return err
	}
	return s.recovered(ctx, run)
}

// runFor runs something for some time. It is an error if ctx ends before.
func runFor(ctx context.Context, d time.Duration, run func(context.Context) error) error {
	phase, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if err := run(phase); err != nil {
		return err
	}
	return ctx.Err()
}

// untilSettled simulates Call Bridges until a Collector has followed the first of them for
// s.Settle. Nothing happens at them until it does.
func (s *Settings) untilSettled(ctx context.Context, flags []string) error {
	phase, end := context.WithCancelCause(ctx)
	defer end(nil)
	giveUp := time.AfterFunc(s.FollowWithin, func() {
		end(fmt.Errorf("no Collector followed the bridge at %s within %s: is it in servers of cmsevents, and can the Collector reach it?", s.Events, s.FollowWithin))
	})
	defer giveUp.Stop()
	followed := func() {
		if giveUp.Stop() {
			s.Report(fmt.Sprintf("a Collector follows the bridge, which is in good health for %s", s.Settle))
			time.AfterFunc(s.Settle, func() { end(errSettled) })
		}
	}
	err := s.Simulate(phase, followed, flags...)
	if err == nil {
		err = context.Cause(phase)
	}
	if errors.Is(err, errSettled) {
		return nil
	}
	return err
}

// reportBegin says that the failure begins.
func (s *Settings) reportBegin(hold time.Duration) {
	s.Report(fmt.Sprintf("the failure begins, and lasts for %s", hold))
}

// recovered runs the service that must work again for the alert to resolve. The end of ctx is
// no failure then, because the drill is over.
func (s *Settings) recovered(ctx context.Context, run func(context.Context) error) error {
	if s.Recover == 0 {
		s.Report("the failure is over; stop the drill when its alert has resolved")
		return run(ctx)
	}
	s.Report(fmt.Sprintf("the failure is over; the drill ends in %s", s.Recover))
	phase, cancel := context.WithTimeout(ctx, s.Recover)
	defer cancel()
	return run(phase)
}
