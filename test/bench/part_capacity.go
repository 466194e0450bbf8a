// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// The capacity part: how much one Collector on two processors carries. Bridges post over
// TLS, with more records a second from run to run, until the Collector carries no more.

// capacityPlan says how much is measured.
type capacityPlan struct {
	pipelinePlan

	rates  []int  // records a second, ascending
	binary string // what is measured; the distribution without
}

// capacityRates end where no Collector on two processors gets to.
var capacityRates = []int{250, 500, 1000, 1500, 2000, 2500, 3000, 4000, 5000}

func newCapacityPlan(o options) capacityPlan {
	p := capacityPlan{pipelinePlan: newPipelinePlan(o), rates: capacityRates}
	if o.bridges == 0 {
		p.bridges = []int{100, 300, 1000}
	}
	if o.rateGiven {
		p.rates = []int{o.rate}
	}
	return p
}

// secureOverlay gives the receiver a certificate.
const secureOverlay = `
receivers: { cmscdr: { tls: { cert_file: %DIR%/server.crt, key_file: %DIR%/server.key } } }
`

const nameInstalled = "packaging/config.yaml"

// capacityDeployments are the measured deployments: the archive with its page, and the queue
// to a backend.
var capacityDeployments = []deployment{
	{name: nameInstalled, shipped: "../packaging/config.yaml", config: secureOverlay, archived: true, database: "storage/calls.db"},
	{name: nameShipped, shipped: "collector.yaml", config: shippedOverlay + secureOverlay, backend: true},
}

// capacityStep is a run at one rate.
type capacityStep struct {
	deployment    string
	bridges, rate int
	stuck         bool // an answer took longer than answerTimeout: nothing else was measured
	pipelineRun
}

// leastCarried is the share of the records due that must be accepted while the load lasts.
// The others are under way when it ends; with a load that is too high their number grows
// for as long as it lasts.
const leastCarried = 0.95

// carried reports whether the Collector keeps up with the load: nothing is refused, little
// waits, and everything is where it is to be soon after.
func (s *capacityStep) carried() bool {
	return !s.stuck && s.refused == 0 && s.left == 0 && s.took <= latestBehind && s.reached >= leastCarried*s.due
}

// prompt reports whether its answers come in time, too.
func (s *capacityStep) prompt() bool { return s.carried() && s.p99 <= latestAnswer }

func (p capacityPlan) bench(ctx context.Context, c *corpus) (steps []capacityStep, err error) {
	texts, err := wireRecords(c)
	if err != nil {
		return nil, err
	}
	binary := p.binary
	if binary == "" {
		if binary, err = binaryPath(ctx); err != nil {
			return nil, err
		}
	}
	if p.secure, err = newCertificate(); err != nil {
		return nil, err
	}
	for i := range capacityDeployments {
		d := &capacityDeployments[i]
		if !strings.Contains(d.name, p.of) {
			continue
		}
		for _, bridges := range p.bridges {
			ramp, err := p.ramp(ctx, binary, d, c.world, texts, bridges)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			steps = append(steps, ramp...)
		}
	}
	return steps, nil
}

// ramp raises the rate until the Collector does not carry it in two runs in a row: one
// alone may be the fault of something else on the machine.
func (p capacityPlan) ramp(ctx context.Context, binary string, d *deployment, w *world, texts []wireRecord, bridges int) (steps []capacityStep, err error) {
	misses := 0
	for _, rate := range p.rates {
		progress("%s, %d bridges, %d records a second", d.name, bridges, rate)
		p.rate = rate
		run, err := p.run(ctx, binary, d, newBridgeLoad(w, texts, bridges, false))
		stuck := errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !stuck {
			return nil, err
		}
		step := capacityStep{d.name, bridges, rate, stuck, run}
		progress("%s", strings.TrimSuffix(step.row(), "\n"))
		steps = append(steps, step)
		if misses++; step.carried() {
			misses = 0
		}
		if misses == 2 {
			break
		}
	}
	return steps, nil
}

const capacityHead = "| configuration | bridges | records/s due | reached | p50 / p99 / longest ms | refused | there when the load ends | all there after | Collector: processors, µs of a record | its memory | written, bytes of a record | processors others used |\n" +
	"|---|---|---|---|---|---|---|---|---|---|---|---|\n"

func (s *capacityStep) row() string {
	if s.stuck {
		return fmt.Sprintf("| `%s` | %d | %d | an answer took longer than %s | | | | | | | | |\n", s.deployment, s.bridges, s.rate, answerTimeout)
	}
	late := fmt.Sprintf("%.1f s", s.took.Seconds())
	if s.left > 0 {
		late = fmt.Sprintf("%d are not after %.0f s", s.left, s.took.Seconds())
	}
	return fmt.Sprintf("| `%s` | %d | %d | %.0f | %s / %s / %s | %d | %.0f %% | %s | %.2f, %.0f | %s | %.0f | %.1f |\n",
		s.deployment, s.bridges, s.rate, s.reached, milliseconds(s.p50), milliseconds(s.p99), milliseconds(s.longest), s.refused,
		100*s.share, late, s.used.Seconds()/s.wall.Seconds(), microseconds(s.used, s.records), megabytes(s.peak),
		float64(s.written)/float64(max(s.records, 1)), s.others)
}

// knee is the highest rate up to which a property holds for each lower rate too, and the
// first above it; 0 where there is none.
func knee(steps []capacityStep, holds func(*capacityStep) bool) (last, next int) {
	for i := range steps {
		if !holds(&steps[i]) {
			return last, steps[i].rate
		}
		last = steps[i].rate
	}
	return last, 0
}

func (p capacityPlan) report(steps []capacityStep) string {
	var b strings.Builder
	fmt.Fprintf(&b, "TLS, a connection and one post under way for each bridge, posts of one and two records, %s after %s; a latency counts from when a post was due to its 200. The load runs on the same processors.\n\n",
		p.time.Round(time.Millisecond), p.warmUp.Round(time.Millisecond))
	b.WriteString(capacityHead)
	for i := range steps {
		b.WriteString(steps[i].row())
	}
	fmt.Fprintf(&b, "\n| configuration | bridges | p99 <= %s up to | carries up to |\n|---|---|---|---|\n", latestAnswer)
	for _, d := range capacityDeployments {
		for _, bridges := range p.bridges {
			if ramp := of(steps, d.name, bridges); len(ramp) > 0 {
				fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", d.name, bridges,
					upTo(knee(ramp, (*capacityStep).prompt)), upTo(knee(ramp, (*capacityStep).carried)))
			}
		}
	}
	return b.String()
}

// of returns the steps of one ramp.
func of(steps []capacityStep, name string, bridges int) (ramp []capacityStep) {
	for _, s := range steps {
		if s.deployment == name && s.bridges == bridges {
			ramp = append(ramp, s)
		}
	}
	return ramp
}

func upTo(last, next int) string {
	if next == 0 {
		return fmt.Sprintf("%d/s and more", last)
	}
	return fmt.Sprintf("%d/s (not %d/s)", last, next)
}
